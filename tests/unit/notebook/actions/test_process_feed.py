"""What a process sends reaches the pane that its submission opened, however short the process is."""

from __future__ import annotations

import asyncio
import time

import pytest
from short_processes import offer_short, watch_short

import colony_jupyter as cj
from colony_jupyter import settings as settings_module
from colony_jupyter.notebook.actions.process_feed import submit_and_follow
from colony_jupyter.notebook.actions.submit import with_acknowledgement
from colony_jupyter.testing import ColonyServer
from colony_jupyter.wire.models import FunctionSpec, ProcessState, visible_channels


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ColonyServer(tmp_path_factory.mktemp("colony")) as running:
        yield running


@pytest.fixture
def settings(server):
    return settings_module.resolve(server.environ())


@pytest.fixture
def executor(settings):
    executor = cj.Executor("short", settings=settings)
    offer_short(executor)
    executor.start()
    yield executor
    executor.stop()


@pytest.mark.parametrize("part", range(5))  # 200 processes in parts, each within the time limit of a test
async def test_40_short_processes_reach_their_panes(executor, settings, part):
    async with cj.AsyncColony(settings) as colony:
        await watch_short(colony, "short", 40)


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


async def test_a_submission_nobody_reads_declares_nothing(settings):
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
async def test_a_spec_keeps_its_channels(settings, acknowledged):
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
