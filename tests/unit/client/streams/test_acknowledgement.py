"""The acknowledged ending: once, and only when no reader waits."""

from __future__ import annotations

import asyncio

import pytest

from colony_jupyter.client.streams.acknowledgement import LEFT, Readers, Reading
from colony_jupyter.errors import ChannelClosed


class Sent:
    def __init__(self, error=None) -> None:
        self.count = 0
        self.error = error

    async def __call__(self) -> None:
        self.count += 1
        if self.error is not None:
            raise self.error


async def test_after_the_last_reader_once():
    sent = Sent()
    readers, first, second = Readers(sent), Reading(), Reading()
    readers.started(first)
    readers.started(second)
    await readers.finished(first)
    assert sent.count == 0
    await readers.finished(second)
    await readers.acknowledge()
    assert sent.count == 1


async def test_without_a_reader_at_once():
    sent = Sent()
    await asyncio.wait_for(Readers(sent).acknowledge_when_left(), 1)
    assert sent.count == 1


async def test_a_reader_that_was_dropped_has_left():
    sent = Sent()
    readers, reading = Readers(sent), Reading()
    readers.started(reading)
    waiting = asyncio.create_task(readers.acknowledge_when_left())
    await asyncio.sleep(0)
    assert not waiting.done()
    readers.left(reading)
    await asyncio.wait_for(waiting, 1)
    assert sent.count == 1


async def test_a_reader_that_no_task_waits_on_has_left_after_a_while():
    sent = Sent()
    readers, reading = Readers(sent), Reading()
    reading.idle_since = asyncio.get_running_loop().time() - LEFT
    readers.started(reading)
    await asyncio.wait_for(readers.acknowledge_when_left(), 1)
    assert sent.count == 1


async def test_a_channel_that_has_closed_needs_none():
    sent = Sent(ChannelClosed("p", "sync", "the process has ended"))
    await Readers(sent).acknowledge()
    assert sent.count == 1


async def test_other_failures_are_raised():
    with pytest.raises(ValueError, match="ours"):
        await Readers(Sent(ValueError("ours"))).acknowledge()
