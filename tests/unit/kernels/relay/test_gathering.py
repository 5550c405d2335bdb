"""How long messages of a kernel wait for those that follow."""

from __future__ import annotations

import pytest

from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.gathering import LONG, SHORT, Gathering
from colony_jupyter.kernels.relay.messages import compose


def message(socket, kind, content=None, *, request="r", parent="execute_request"):
    about = f'{{"msg_id":"{request}","msg_type":"{parent}"}}'.encode()
    return Item(socket, compose(b"", [b"t"], {"msg_type": kind}, about, content or {}))


def state(name, **about):
    return message("iopub", "status", {"execution_state": name}, **about)


def patiences(*items, requests=()):
    gathering = Gathering()
    for request in requests:
        gathering.expect(Item("shell", compose(b"", [b"t"], {"msg_id": request}, b"{}", {})))
    found = []
    for item in items:
        gathering.note(item)
        found.append(gathering.patience)
    return found


REPLY = message("shell", "execute_reply")
ECHO = message("iopub", "execute_input", {"code": "x" * 100})
TEXT = message("iopub", "stream", {"name": "stdout", "text": "x"})


@pytest.mark.parametrize("end", [(REPLY, state("idle")), (state("idle"), REPLY)])
def test_a_cell_waits_for_its_reply_and_its_end(end):
    assert patiences(state("busy"), ECHO, *end) == [LONG, LONG, SHORT, 0.0]


def test_output_waits_only_shortly():
    assert patiences(state("busy"), ECHO, TEXT) == [LONG, LONG, SHORT]
    assert patiences(TEXT, ECHO) == [SHORT, SHORT]


def test_a_reply_waits_for_its_own_end():
    assert patiences(REPLY, state("idle", request="other")) == [SHORT, SHORT]


def test_a_message_of_a_widget_ends_without_a_reply():
    about = {"parent": "comm_msg"}
    comm = message("iopub", "comm_msg", **about)
    assert patiences(state("busy", **about), comm, state("idle", **about)) == [LONG, SHORT, 0.0]


def test_the_end_of_a_message_of_a_widget_waits_for_the_next_one_that_the_kernel_has():
    items = [
        each
        for request in ("one", "two")
        for each in (
            message("iopub", "comm_msg", request=request, parent="comm_msg"),
            state("idle", request=request, parent="comm_msg"),
        )
    ]
    assert patiences(*items, requests=["one", "two"]) == [SHORT, SHORT, SHORT, 0.0]


@pytest.mark.parametrize(("queued", "last"), [([], 0.0), (["next"], SHORT)])
def test_the_end_of_a_cell_waits_for_the_next_one_that_the_kernel_has(queued, last):
    ends = [REPLY, state("idle")]
    assert patiences(*ends, requests=["r", *queued]) == [SHORT, last]
    assert patiences(*reversed(ends), requests=["r", *queued]) == [SHORT, last]


@pytest.mark.parametrize("item", [message("stdin", "input_request"), Item("died", [b""])])
def test_a_question_and_a_report_wait_for_nothing(item):
    assert patiences(state("busy"), item) == [LONG, 0.0]
