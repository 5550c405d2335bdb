"""Output that waits: text that is dropped, and messages that no batch can hold (the rest in properties)."""

from __future__ import annotations

from colony_jupyter.kernels.relay.backlog import LARGEST, Backlog
from colony_jupyter.kernels.relay.framing import LARGEST as LARGEST_BATCH
from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.messages import compose, content_of, header_of, parent_of


def message(kind, content, socket="iopub"):
    header = {"msg_type": kind, "msg_id": "m", "session": "s"}
    return Item(socket, compose(b"k", [b"kernel." + kind.encode()], header, b'{"msg_id":"cell"}', content))


def test_output_that_no_batch_can_hold_is_replaced_by_a_line_in_its_cell():
    backlog = Backlog(lambda: "new", key=b"k", largest=2_000)
    backlog.put(message("display_data", {"data": {"image/png": "x" * 1_000}}))
    backlog.put(message("display_data", {"data": {"image/png": "x" * 3_000_000}}))
    small, line = backlog.pop()
    assert header_of(small.frames).msg_type == "display_data"
    assert header_of(line.frames).msg_type == "stream"
    assert parent_of(line.frames).msg_id == "cell"
    assert "3 MB of output were dropped" in content_of(line.frames)["text"]
    assert line.frames[0] == b"stream"


def test_the_largest_output_fits_in_a_batch_with_what_is_before_it():
    assert LARGEST + 2**21 < LARGEST_BATCH


def test_text_beyond_the_bound_is_dropped_from_its_middle():
    size = message("stream", {"name": "stdout", "text": "0"}).size
    backlog = Backlog(lambda: "new", key=b"k", bound=8 * size)
    for number in range(8):
        backlog.put(message("stream", {"name": "stdout", "text": str(number)}))
    assert len(backlog) == 8
    backlog.put(message("stream", {"name": "stdout", "text": "8"}))
    [first, line, last] = backlog.pop()
    assert content_of(first.frames)["text"] == "01"  # a quarter of the bound
    assert "output was dropped here" in content_of(line.frames)["text"]
    assert content_of(last.frames)["text"] == "78"


def test_it_knows_whether_all_that_waits_is_text():
    backlog = Backlog(lambda: "new", batch=1)
    assert backlog.is_text
    backlog.put(message("execute_reply", {}, socket="shell"))
    backlog.put(message("stream", {"name": "stdout", "text": "x"}))
    assert not backlog.is_text
    backlog.pop()
    assert backlog.is_text
    backlog.put(message("stream", {"name": "stdout", "text": "x"}))
    assert backlog.is_text
    backlog.put(message("status", {"execution_state": "idle"}))
    assert not backlog.is_text
    while backlog.pop():
        pass
    assert backlog.is_text


def test_a_reply_is_never_replaced():
    backlog = Backlog(lambda: "new", key=b"k", largest=100)
    backlog.put(message("execute_reply", {"text": "x" * 300}, socket="shell"))
    (reply,) = backlog.pop()
    assert reply.name == "shell"
    assert header_of(reply.frames).msg_type == "execute_reply"
