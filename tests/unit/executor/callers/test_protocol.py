"""Messages between an executor and the process of a caller's function."""

from __future__ import annotations

import msgspec
import pytest

from colony_jupyter.executor.callers.protocol import (
    LENGTH,
    Raised,
    Reply,
    Request,
    Returned,
    Start,
    decode_from_child,
    decode_to_child,
    encode,
)
from colony_jupyter.functions.packing import Segment
from colony_jupyter.wire.models import FunctionSpec, ProcessRecord

START = Start(
    "train",
    "def train(): ...",
    [Segment(1, 1, "Cell In[5]", 1)],
    "3.12.1",
    ProcessRecord(processid="a" * 64, spec=FunctionSpec(funcname="train", args=[1, None], kwargs={"a": [2]})),
    "e",
    "t",
)


def body(message):
    """Return a message without its length, which must be right."""
    data = encode(message)
    assert LENGTH.unpack(data[: LENGTH.size]) == (len(data) - LENGTH.size,)
    return data[LENGTH.size :]


@pytest.mark.parametrize("message", [START, Reply(3, [1, b"\xff"]), Reply(4, error=("WaitTimeout", "too long"))])
def test_messages_of_the_executor_arrive_as_they_were_sent(message):
    assert decode_to_child(body(message)) == message


@pytest.mark.parametrize(
    "message",
    [Request(1, "send", "out", payload=b"\0\xff", kind="data", inreplyto=7), Returned(b"[1]", ["note"]), Raised(["e"])],
)
def test_messages_of_the_process_arrive_as_they_were_sent(message):
    assert decode_from_child(body(message)) == message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xff",
        body(START),
        body(Reply(1)),
        msgspec.msgpack.encode({"type": "request", "number": 1, "verb": "submit"}),
        msgspec.msgpack.encode({"type": "request", "number": "1", "verb": "send"}),
        msgspec.msgpack.encode({"type": "request", "number": 1, "verb": "send", "colony": "x"}),
        msgspec.msgpack.encode({"type": "returned", "output": b"[]", "notes": [], "more": 1}),
        msgspec.msgpack.encode({"type": "raised", "errors": [1]}),
    ],
    ids=["nothing", "no message", "start", "reply", "verb", "number", "field", "more", "errors"],
)
def test_the_executor_accepts_only_what_a_process_may_send(data):
    with pytest.raises(ValueError):  # noqa: PT011 - its text is not shown
        decode_from_child(data)


@pytest.mark.parametrize("data", [b"", body(Request(1, "log")), body(Raised([]))])
def test_the_process_accepts_only_what_an_executor_sends(data):
    with pytest.raises(ValueError):  # noqa: PT011 - its text is not shown
        decode_to_child(data)
