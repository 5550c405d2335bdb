"""What a process sends reaches the pane that its submission opened, however short the process is."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

import pytest
from short_processes import RecordingView, offer_short, watch_short

import colony_jupyter as cj
from colony_jupyter.notebook.actions.process_feed import follow, submit_and_follow
from colony_jupyter.notebook.actions.submit import with_acknowledgement
from colony_jupyter.wire.messages import SubscribeChannel
from colony_jupyter.wire.models import FunctionSpec, ProcessState, visible_channels

if TYPE_CHECKING:
    from colony_jupyter.client.transport.frames import Frames


@pytest.fixture
def executor(settings):
    executor = cj.Executor("short", settings=settings)
    offer_short(executor)
    executor.start()
    yield executor
    executor.stop()


async def test_short_processes_reach_their_panes(executor, settings):  # 200 of them: tests/processes/
    async with cj.AsyncColony(settings) as colony:
        await watch_short(colony, "short", 10)


async def test_a_pane_that_is_closed_does_not_hold_the_process_up(executor, settings):
    entered, leave = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    @executor.function("waits")
    async def waits(context):
        loop.call_soon_threadsafe(entered.set)
        while not leave.is_set():  # noqa: ASYNC110 - the event is of another loop
            await asyncio.sleep(0.01)

    async with cj.AsyncColony(settings) as colony, asyncio.timeout(15):
        follower = await submit_and_follow(colony, "waits", channels=["out"], executortype="short")
        await entered.wait()
        follower.stop()
        await asyncio.gather(follower.wait(), return_exceptions=True)
        leave.set()
        begun = time.monotonic()
        await follower.process.wait(ProcessState.SUCCESS, 10)
        assert time.monotonic() - begun < 5


async def test_a_submission_that_is_not_read_declares_nothing(settings):
    async with cj.AsyncColony(settings) as colony:
        process = await colony.submit("x", channels=["out"], executortype="none-here")
        assert process.spec.channels == ["out"]


@pytest.mark.parametrize(
    ("given", "declared"),
    [
        ([], []),
        (["out"], ["sync", "out"]),
        (["out", "sync"], ["out", "sync"]),
        ([f"c{number}" for number in range(100)], [f"c{number}" for number in range(100)]),
    ],
)
def test_the_channel_that_is_added_stays_invisible(given, declared):
    assert with_acknowledgement(given) == declared
    assert visible_channels(declared) == given


@pytest.mark.parametrize("acknowledged", [True, False])
async def test_a_spec_has_its_channels_still(settings, acknowledged):
    spec = FunctionSpec(funcname="x", channels=["a"])
    async with cj.AsyncColony(settings) as colony:
        follower = await submit_and_follow(
            colony, spec, channels=["b"], executortype="none-here", acknowledged=acknowledged
        )
        assert follower.process.spec.channels == (["sync", "a", "b"] if acknowledged else ["a", "b"])
        assert spec.channels == ["a"]
        await follower.process.refresh()
        follower.stop()
        await asyncio.gather(follower.wait(), return_exceptions=True)


async def test_the_log_is_shown_with_the_lines_of_before_the_view(settings):
    executor = cj.Executor("logging", settings=settings)

    @executor.function("logs")
    async def logs(context):
        for number in range(4):
            await context.log(f"line {number}")
            await asyncio.sleep(0.2)

    await asyncio.to_thread(executor.start)
    try:
        async with cj.AsyncColony(settings) as colony, asyncio.timeout(20):
            follower = await submit_and_follow(colony, "logs", executortype="logging")
            await follower.closed_with_success()
            assert follower.process.state is ProcessState.SUCCESS
            # Lines may still appear, but --wait does not wait for them.
            end = asyncio.create_task(follower.wait())
            await asyncio.sleep(0)
            assert not end.done()
            view = RecordingView()
            follower.turn_to(view)
            await end
            assert view.lines == [f"line {number}" for number in range(4)]
            assert view.faults == []
            # What is watched later shows it, too.
            later = await follow(await colony.get_process(follower.process))
            view = RecordingView()
            later.turn_to(view)
            await later.wait()
            assert view.lines == [f"line {number}" for number in range(4)]
    finally:
        await asyncio.to_thread(executor.stop)


async def test_a_process_without_a_log_is_not_held_up_at_its_end(executor, settings):
    async with cj.AsyncColony(settings) as colony, asyncio.timeout(20):
        follower = await submit_and_follow(colony, "returns", channels=["out"], executortype="short")
        view = RecordingView()
        follower.turn_to(view)
        await follower.process.wait(ProcessState.SUCCESS)
        begun = time.monotonic()
        await follower.wait()
        assert time.monotonic() - begun < 1.5


async def test_the_entries_of_a_pane_are_gathered(settings, monkeypatch):
    """They would otherwise wake the kernel one by one, which costs it more than to show them."""
    opened: asyncio.Queue[Frames[Any]] = asyncio.Queue()
    real = cj.AsyncColony.open_subscription

    @contextlib.asynccontextmanager
    async def open_subscription(self, message, shape):
        async with real(self, message, shape) as frames:
            if isinstance(message, SubscribeChannel):
                opened.put_nowait(frames)
            yield frames

    monkeypatch.setattr(cj.AsyncColony, "open_subscription", open_subscription)
    async with cj.AsyncColony(settings) as colony, asyncio.timeout(20):
        follower = await follow(await colony.submit("x", channels=["out"], executortype="none-here"))
        frames = await opened.get()
        while not (seconds := frames.gather()):  # noqa: ASYNC110 - the reading has no event for it
            await asyncio.sleep(0)
        assert seconds <= 0.05
        follower.stop()
        await asyncio.gather(follower.wait(), return_exceptions=True)
