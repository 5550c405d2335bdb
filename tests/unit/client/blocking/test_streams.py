"""Streams in `for` loops."""

from __future__ import annotations

import pytest

from colony_jupyter import ChannelNotFound, Colony, ProcessState, StreamError, UsageError, WaitTimeout
from colony_jupyter.channels.effects import StreamState


def test_a_loop_may_be_left_at_any_entry(parties):
    process, assigned, _ = parties
    for number in range(10):
        assigned.channel("c").send(str(number))
    for entry in process.channel("c"):
        if entry.text == "3":
            break
    assert [entry.text for entry in process.channel("c").stream(start=8, limit=2)] == ["8", "9"]


def test_an_error_entry_comes_after_what_was_before_it(parties):
    process, assigned, _ = parties
    assigned.channel("c").send("before")
    assigned.channel("c").error("broken")
    stream = iter(process.channel("c"))
    assert next(stream).text == "before"
    with pytest.raises(StreamError, match="broken"):
        next(stream)


def test_a_stream_shows_how_it_stands_and_may_be_closed(parties):
    process, assigned, _ = parties
    for number in range(3):
        assigned.channel("c").send(str(number))
    with process.channel("c").stream(to_end=False) as stream:
        assert next(stream).text == "0"
        assert stream.state is StreamState.OPEN
        assert (stream.polling, stream.waiting_for) == ("", "")
        assert stream.process.processid == process.processid
        assert stream.statistics().delivered >= 1
    with pytest.raises(UsageError, match="closed"):
        next(stream)
    stream.close()


def test_a_closed_stream_raises_though_entries_and_lines_were_received(parties):
    process, assigned, executor = parties
    for number in range(3):
        assigned.channel("c").send(str(number))
        executor.add_log(assigned, number)
    stream, log = process.channel("c").stream(to_end=False), process.log()
    assert (next(stream).text, next(log).message) == ("0", "0")
    for each in (stream, log):
        each.close()
        with pytest.raises(UsageError, match="closed"):
            next(each)


def test_a_read_that_is_interrupted_loses_nothing(parties):
    process, assigned, _ = parties
    assigned.channel("c").send("a")
    stream = process.channel("c").stream(idle_timeout=0.3)
    with pytest.raises(WaitTimeout):
        stream.read()
    assert next(stream).text == "a"
    stream.close()


def test_entries_and_lines_are_read_to_the_end(parties):
    process, assigned, executor = parties
    assigned.channel("c").send("a")
    assigned.channel("c").end()
    executor.add_log(assigned, "a line")
    executor.close(assigned)
    with pytest.raises(ChannelNotFound, match="is gone"):
        process.channel("c").stream().read()
    log = process.log(timeout=20)
    assert [line.message for line in log.read()] == ["a line"]
    assert log.process.state is ProcessState.SUCCESS
    log.close()


def test_what_a_process_waits_for_is_named(place):
    with Colony(place) as colony:
        process = colony.submit("work", channels=["c"], executortype="absent-x")
        stream = process.channel("c").stream(idle_timeout=0.2)
        with pytest.raises(WaitTimeout):
            next(stream)
        assert "absent-x" in stream.waiting_for
        stream.close()
        process.cancel()
