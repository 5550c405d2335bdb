"""Ends of processes on a real server, whose database refuses NUL and surrogates."""

from __future__ import annotations

import asyncio
import random
import uuid

import pytest
from awkward import ERRORS, OUTPUTS, TEXTS, offer_awkward
from removals import remove_often
from short_processes import offer_short, watch_short
from worker_times import set_times

import colony_jupyter as cj

pytestmark = pytest.mark.live


@pytest.fixture
def submit():
    """Submit to an executor of the test's own that offers awkward functions."""
    executor = cj.Executor(f"awkward-{uuid.uuid4().hex[:10]}-x")
    offer_awkward(executor)
    executor.start()
    with cj.Colony() as colony:
        yield lambda name, *args: colony.submit(name, *args, channels=["progress"], executortype=executor.executortype)
        name = executor.name
        executor.stop()
        colony.remove_executor(name)


def test_every_error_reaches_the_server_with_its_type(submit):
    for name, (_, expected) in ERRORS.items():
        with pytest.raises(cj.ProcessFailed) as raised:
            submit("raise-plain", name).result(timeout=10)
        assert raised.value.errors[0].startswith(expected)


def test_every_output_arrives(submit):
    for name, (_, expected) in OUTPUTS.items():
        assert submit("return", name).result(timeout=10) == expected


def test_a_function_may_report_any_text(submit):
    for where in ("log", "progress", "write", "send", "error"):
        for index in range(len(TEXTS)):
            assert submit(where, index).result(timeout=10) == "fine"


@pytest.mark.timeout(180)
async def test_200_short_processes_reach_their_panes():
    executor = cj.Executor(f"short-{uuid.uuid4().hex[:10]}-x")
    offer_short(executor)
    await asyncio.to_thread(executor.start)
    try:
        async with cj.AsyncColony() as colony:
            await watch_short(colony, executor.executortype, 200)
            await colony.remove_executor(executor.name)
    finally:
        await asyncio.to_thread(executor.stop)


async def test_a_process_ends_with_what_its_latest_run_returned(monkeypatch):
    set_times(monkeypatch, poll=1.0)
    name = f"removed-{uuid.uuid4().hex[:10]}-x"
    executor = cj.Executor(name, name, concurrency=4)
    async with cj.AsyncColony() as colony:
        await remove_often(colony, executor, random.Random(1), count=30, removals=20)
        await colony.remove_executor(name)
