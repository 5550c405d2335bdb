"""What an append costs who waits for it: one process, one after the other."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pycolonies

from benchmarks.places import Place, Running, places, running_process
from benchmarks.tables import Table, percentile
from colony_jupyter import AsyncColony, Colony
from colony_jupyter.wire.messages import ChannelAppend

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from benchmarks.effort import Effort

TEXT = "Processing step 17/100: the quick brown fox jumps over the lazy dog"
_APPENDS = 120  # with seven rounds within the allowance of a real server's processes, each contestant having its own

OURS, BLOCKING, SDK, FLOOR = "ours, async", "ours, blocking", "pycolonies", "bare socket"


async def _async(place: Place, running: Running, count: int) -> list[float]:
    async with AsyncColony(place.settings(), prvkey=running.initiator) as colony:
        channel = (await colony.get_process(running.processid)).channel("c")
        await channel.send(TEXT)
        times = []
        for _ in range(count):
            began = time.perf_counter()
            await channel.send(TEXT)
            times.append(time.perf_counter() - began)
        return times


async def _blocking(place: Place, running: Running, count: int) -> list[float]:
    def work() -> list[float]:
        with Colony(place.settings(), prvkey=running.initiator) as colony:
            channel = colony.get_process(running.processid).channel("c")
            channel.send(TEXT)
            times = []
            for _ in range(count):
                began = time.perf_counter()
                channel.send(TEXT)
                times.append(time.perf_counter() - began)
            return times

    return await asyncio.to_thread(work)


async def _sdk(place: Place, running: Running, count: int) -> list[float]:
    def work() -> list[float]:
        sdk = pycolonies.Colonies(place.host, place.port, False)  # noqa: FBT003 - the SDK's parameter for TLS
        key = running.initiator.reveal()
        times = []
        for number in range(count + 1):
            began = time.perf_counter()
            sdk.channel_append(running.processid, "c", 2 * number + 1, TEXT, key)
            times.append(time.perf_counter() - began)
        return times[1:]

    return await asyncio.to_thread(work)


async def _floor(place: Place, running: Running, count: int) -> list[float]:
    async with place.line() as line:
        times = []
        for number in range(count + 1):
            began = time.perf_counter()
            message = ChannelAppend(
                processid=running.processid, name="c", sequence=2 * number + 1, payload=TEXT.encode()
            )
            await line.call(message, running.initiator)
            times.append(time.perf_counter() - began)
        return times[1:]


WAYS: dict[str, Callable[[Place, Running, int], Awaitable[list[float]]]] = {
    OURS: _async,
    BLOCKING: _blocking,
    SDK: _sdk,
    FLOOR: _floor,
}


async def measure(effort: Effort) -> list[Table]:
    """Measure."""
    table = Table("Append round trip", {"p50": "ms", "p99": "ms"})
    with places() as found:
        for _ in range(effort.rounds):
            for place in found:
                for name, way in WAYS.items():
                    async with running_process(place, "c") as running:
                        times = await way(place, running, effort.of(_APPENDS, 10))
                    table.add(
                        f"{name} ({place.name})", p50=percentile(times, 50) * 1e3, p99=percentile(times, 99) * 1e3
                    )
    _claims(table, [place.name for place in found])
    return [table]


def _claims(table: Table, found: list[str]) -> None:
    for name in found:
        beside_sdk, beside_floor = (0.25, 2.0) if name == "embedded" else (0.45, 1.3)
        for way in (OURS, BLOCKING):
            pair = (f"{way} ({name})", f"{SDK} ({name})")
            table.claim_ratio(f"{way}, beside pycolonies, {name}, p50", pair, "p50", beside_sdk)
        pair = (f"{OURS} ({name})", f"{FLOOR} ({name})")
        table.claim_ratio(f"{OURS}, beside a bare socket, {name}, p50", pair, "p50", beside_floor)
    if "real server" in found:
        pair = (f"{OURS} (embedded)", f"{OURS} (real server)")
        table.claim_ratio("embedded, beside the real server, through our client, p50", pair, "p50", 0.5)
