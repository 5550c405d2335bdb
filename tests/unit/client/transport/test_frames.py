"""What arrives on one subscription, passed to its receiver in the step in which it arrives."""

from __future__ import annotations

import asyncio
import gc

import pytest

from colony_jupyter.client.transport.frames import Frames


async def test_a_value_is_passed_on_before_put_returns():
    frames: Frames[int] = Frames()
    received: list[list[int]] = []
    reading = asyncio.create_task(frames.each(received.append))
    await asyncio.sleep(0)
    frames.put([1, 2])
    assert received == [[1, 2]]
    frames.end()
    await reading


async def test_values_that_come_before_the_receiver_are_passed_on_first():
    frames: Frames[int] = Frames()
    frames.put([1])
    frames.put([2, 3])
    frames.end()
    received: list[list[int]] = []
    await frames.each(received.append)
    assert received == [[1, 2, 3]]


async def test_an_error_is_raised_after_all_that_came_before_it():
    frames: Frames[int] = Frames()
    frames.put([1])
    frames.end(ValueError("broken"))
    frames.end(ValueError("a later one"))
    received: list[list[int]] = []
    with pytest.raises(ValueError, match="broken"):
        await frames.each(received.append)
    assert received == [[1]]


async def test_nothing_is_passed_on_after_the_end():
    frames: Frames[int] = Frames()
    received: list[list[int]] = []
    reading = asyncio.create_task(frames.each(received.append))
    await asyncio.sleep(0)
    frames.end()
    frames.put([1])
    await reading
    assert received == []


async def test_nothing_is_passed_on_once_the_wait_is_cancelled():
    frames: Frames[int] = Frames()
    received: list[list[int]] = []
    reading = asyncio.create_task(frames.each(received.append))
    await asyncio.sleep(0)
    reading.cancel()
    frames.put([1])
    frames.end(ValueError("nothing waits for it"))
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert received == []


@pytest.mark.parametrize("values", [[], [1], [1, 2]])
async def test_the_first_value_suffices(values):
    frames: Frames[int] = Frames()
    if values:
        frames.put(values)
    else:
        frames.end()
    assert await frames.first() is bool(values)


async def test_a_value_that_does_not_fit_is_not_the_first():
    frames: Frames[int] = Frames()
    waiting = asyncio.create_task(frames.first(lambda value: value > 2))
    await asyncio.sleep(0)
    frames.put([1, 2])
    await asyncio.sleep(0)
    assert not waiting.done()
    frames.put([1, 3])
    assert await waiting


async def test_an_error_that_nothing_waits_for_is_not_reported():
    reported = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    for is_closed in (False, True):
        frames: Frames[int] = Frames()
        frames.end(ValueError("nothing waits for it"))
        if is_closed:
            frames.close()
        del frames
        gc.collect()
        await asyncio.sleep(0)
        assert len(reported) == 1, "the first one is reported, the one that was closed is not"


async def test_to_close_ends_the_wait_and_drops_what_still_arrives():
    frames: Frames[int] = Frames()
    frames.close()
    frames.put([1])
    frames.end()
    with pytest.raises(asyncio.CancelledError):
        await frames.each(lambda _: pytest.fail("it was closed"))
