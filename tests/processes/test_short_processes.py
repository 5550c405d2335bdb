"""What a process sends reaches the pane that its submission opened, however short the process is."""

from __future__ import annotations

import pytest
from short_processes import offer_short, watch_short

import colony_jupyter as cj


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
