"""The child's end of the pipes: replies reach the thread that asked, in any order, and errors keep their class."""

from __future__ import annotations

import os
import threading

import pytest

import colony_jupyter as cj
from colony_jupyter.executor.callers.child.link import Link, rebuilt
from colony_jupyter.executor.callers.protocol import LENGTH, Reply, Start, decode_from_child, encode
from colony_jupyter.wire.models import ProcessRecord


@pytest.fixture
def ends():
    """Return a link, and the executor's ends of its pipes."""
    read_there, write_here = os.pipe()
    read_here, write_there = os.pipe()
    link = Link(os.fdopen(read_there, "rb"), os.fdopen(write_there, "wb"))
    here = (os.fdopen(read_here, "rb"), os.fdopen(write_here, "wb", 0))
    here[1].write(encode(Start("f", "", [], "", ProcessRecord(processid="p"), "e", "t")))
    assert link.start().funcname == "f"
    yield link, *here
    here[1].close()
    for thread in threading.enumerate():
        if thread.name == "colony-jupyter replies":
            thread.join(10)
    for pipe in (here[0], link._incoming, link._outgoing):
        pipe.close()


def receive(pipe):
    (length,) = LENGTH.unpack(pipe.read(LENGTH.size))
    return decode_from_child(pipe.read(length))


def test_replies_in_another_order_reach_the_threads_that_asked(ends):
    link, reading, writing = ends
    found = {}

    def ask(channel):
        found[channel] = link.call("flush", channel)

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for request in sorted((receive(reading) for _ in threads), key=lambda each: each.channel, reverse=True):
        writing.write(encode(Reply(request.number, f"for {request.channel}")))
    for thread in threads:
        thread.join(10)
    assert found == {"a": "for a", "b": "for b", "c": "for c"}


def test_an_error_of_the_executor_is_raised(ends):
    link, reading, writing = ends
    raised = []

    def ask():
        try:
            link.call("flush", "a")
        except cj.ChannelFull as error:
            raised.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    writing.write(encode(Reply(receive(reading).number, error=("ChannelFull", "It is full."))))
    thread.join(10)
    assert raised == ["It is full."]


@pytest.mark.parametrize("name", ["ChannelNotFound", "ProcessFailed", "WaitTimeout", "os", "Unknown"])
def test_errors_of_all_classes_can_be_made_again(name):
    error = rebuilt(name, "a text")
    assert isinstance(error, cj.ColonyError)
    assert str(error) == "a text"
    assert type(error).__name__ == name
