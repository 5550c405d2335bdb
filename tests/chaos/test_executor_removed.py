"""An executor that is removed again and again, and comes back, while its processes end."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest

import colony_jupyter as cj
from colony_jupyter import settings as settings_module
from colony_jupyter.errors import ColonyError
from colony_jupyter.executor import worker

_PROCESSES = 60
_REMOVALS = 40


@pytest.fixture
def settings(colony_server):
    return settings_module.resolve(colony_server.environ())


@pytest.mark.parametrize("seed", range(3))
async def test_a_process_ends_with_what_its_latest_run_returned(settings, monkeypatch, seed):
    """Each run returns when it was assigned. The server's record has the time of the latest assignment."""
    monkeypatch.setattr(worker.Worker.__init__, "__kwdefaults__", {**worker.Worker.__init__.__kwdefaults__, "poll": 1})
    chance = random.Random(seed)
    executor = cj.Executor("removed", "removed", settings=settings, concurrency=4)
    runs = []

    @executor.function("work")
    async def work(context):
        started = context.process.starttime
        runs.append(started)
        await asyncio.sleep(chance.choice((0, 0, 0.01, 0.05)))
        return started

    await asyncio.to_thread(executor.start)
    try:
        async with cj.AsyncColony(settings) as colony:
            processes = [await colony.submit("work", executortype="removed") for _ in range(_PROCESSES)]
            for _ in range(_REMOVALS):
                await asyncio.sleep(chance.uniform(0, 0.1))
                with contextlib.suppress(ColonyError):  # it has not come back yet
                    await colony.remove_executor("removed")
            for process in processes:
                assert await process.result(timeout=30) == process.starttime
    finally:
        await asyncio.to_thread(executor.stop)
    assert len(runs) > _PROCESSES
