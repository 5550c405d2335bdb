"""An executor that is removed again and again while its processes end."""

from __future__ import annotations

import random

import pytest
from removals import remove_often
from worker_times import set_times

import colony_jupyter as cj
from colony_jupyter import settings as settings_module


@pytest.mark.parametrize("seed", range(3))
async def test_a_process_ends_with_what_its_latest_run_returned(colony_server, monkeypatch, seed):
    set_times(monkeypatch, poll=1.0)
    settings = settings_module.resolve(colony_server.environ())
    executor = cj.Executor("removed", "removed", settings=settings, concurrency=4)
    async with cj.AsyncColony(settings) as colony:
        await remove_often(colony, executor, random.Random(seed), count=60, removals=40)
