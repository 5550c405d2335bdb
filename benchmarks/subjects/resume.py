"""From a cut to the next entry, with a long log behind."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.places import ours, running_process
from benchmarks.subjects.growth import _fill
from benchmarks.tables import Table
from colony_jupyter import AsyncColony

if TYPE_CHECKING:
    from benchmarks.effort import Effort

from proxy import Proxy

_ENTRIES = 10_000


async def measure(effort: Effort) -> list[Table]:
    """Measure."""
    length = effort.of(_ENTRIES, 200)
    table = Table(f"Resuming after a cut, {length:,} entries in the log", {"seconds": "s"})
    with ours() as place:
        async with Proxy(place.port) as proxy, running_process(place, "c") as running:
            await _fill(place, running, ["c"], 1, length)
            cut = replace(
                place, port=proxy.port, variables={**place.variables, "COLONIES_SERVER_PORT": str(proxy.port)}
            )
            async with AsyncColony(cut.settings(), prvkey=running.initiator) as colony:
                stream = (await colony.get_process(running.processid)).channel("c").stream()
                for _ in range(length):
                    await anext(stream)
                for number in range(effort.rounds):
                    following = asyncio.create_task(anext(stream))
                    began = time.perf_counter()
                    proxy.cut_all()
                    await _fill(place, running, ["c"], length + number + 1, 1)
                    await following
                    table.add("ours", seconds=time.perf_counter() - began)
                await stream.aclose()
    table.claim("back after a cut", "ours", "seconds", 0.5)
    return [table]
