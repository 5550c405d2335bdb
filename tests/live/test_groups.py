"""Groups of processes on a real server."""

from __future__ import annotations

import uuid

import pytest
import real_executors

import colony_jupyter as cj

pytestmark = pytest.mark.live


@pytest.fixture
def executor():
    executor = cj.Executor(f"groups-{uuid.uuid4().hex[:10]}-x", concurrency=20)
    tried: set[int] = set()

    @executor.function("square")
    async def square(context, value):
        if value % 50 == 0 and value not in tried:
            tried.add(value)
            raise ValueError(f"no luck with {value}")
        return {"square": value * value}

    with real_executors.running(executor):
        yield executor


def test_a_group_of_more_processes_than_a_list_holds(executor):
    with cj.Colony() as colony:
        group = colony.map("square", range(1, 301), executortype=executor.executortype)
        assert len(group) == 300
        with pytest.raises(cj.GroupFailed, match="6 of 300 processes ended without success"):
            group.results(timeout=120)
        assert group.retry_failed().results(timeout=60) == [{"square": value * value} for value in range(1, 301)]
        assert group.to_dicts()[1]["square"] == 4
        assert len({process.processid for process in group.as_completed(timeout=5)}) == 300


def test_a_group_is_cancelled(executor):
    with cj.Colony() as colony:
        group = colony.map("square", range(120), executortype=f"absent-{uuid.uuid4().hex[:10]}-x")
        group.cancel()
        assert group.counts() == {"CANCELLED": 120}
        with pytest.raises(cj.GroupFailed, match="120 of 120"):
            group.results(timeout=10)
