"""A thousand processes of one function: how fast they are submitted, and what it costs to follow them."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from benchmarks.places import ours
from benchmarks.tables import Table
from colony_jupyter import AsyncColony
from colony_jupyter.notebook.actions.group_feed import GroupFeed
from colony_jupyter.notebook.views.board import BoardView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.effort import Effort
    from benchmarks.places import Place

_PROCESSES = 1000
_AT_ONCE = 40
_PROGRAM = f"""
import asyncio
import colony_jupyter as cj

executor = cj.Executor("group-benchmark", concurrency={_AT_ONCE})

@executor.function("nap")
async def nap(context, number):
    await asyncio.sleep(1)
    return {{"number": number, "loss": 1 / (number + 1)}}

asyncio.run(executor.serve())
"""


async def measure(effort: Effort) -> list[Table]:
    """Measure."""
    count = effort.of(_PROCESSES, _AT_ONCE)
    units = {"submitting": "s", "running": "s", "share": "% of a core", "calls": "/s"}
    table = Table(f"A group of {count:,} processes, {_AT_ONCE} at once of 1 s each", units)
    with ours() as place, _executor(place):
        for _ in range(effort.rounds):
            for has_board in (False, True):
                name = "results(), and the board" if has_board else "results()"
                table.add(name, **await _figures(place, count, has_board=has_board))
    table.claim("following a group with its board", "results(), and the board", "share", 10)
    return [table]


async def _figures(place: Place, count: int, *, has_board: bool) -> dict[str, float]:
    async with AsyncColony(place.settings()) as colony:
        begun = time.monotonic()
        group = await colony.map("nap", range(count), executortype="group-benchmark")
        submitted = time.monotonic()
        calls = _count_calls(colony)
        used = _cpu()
        feed = GroupFeed(group)
        if has_board:
            feed.start(BoardView(await feed.board(), publish=lambda *_, **__: None))
        await group.results()
        await feed.wait()
        took = time.monotonic() - submitted
        return {
            "submitting": submitted - begun,
            "running": took,
            "share": 100 * (_cpu() - used) / took,
            "calls": calls.total() / took,
        }


def _count_calls(colony: AsyncColony) -> Counter[str]:
    counted: Counter[str] = Counter()
    call = colony.call

    async def counting(message: Any, *args: Any, **how: Any) -> Any:
        counted[type(message).__name__] += 1
        return await call(message, *args, **how)

    colony.call = counting  # type: ignore[method-assign]
    return counted


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@contextlib.contextmanager
def _executor(place: Place) -> Iterator[None]:
    """Have an executor run in a process of its own, as on another machine."""
    command = [sys.executable, "-c", _PROGRAM]
    with subprocess.Popen(command, env={**os.environ, **place.variables}, stdout=subprocess.DEVNULL) as child:
        try:
            yield
        finally:
            child.terminate()
