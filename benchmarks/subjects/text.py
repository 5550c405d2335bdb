"""A text stream of 2,000 pieces a second through the server's 100 appends a second."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from typing import TYPE_CHECKING

from benchmarks.places import Place, Running, places, running_process
from benchmarks.tables import Table, percentile
from colony_jupyter import AsyncColony, ColonyError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from benchmarks.effort import Effort

_RATE = 2000
_SECONDS = 5.0
_GRACE = 5.0  # seconds after the last piece for what is still under way
_WIDTH = 6

WRITE, SEND, NAIVE = "ours, write", "ours, send", "plain appends, refusals dropped"


async def _write(colony: AsyncColony, running: Running) -> Callable[[str], Awaitable[object]]:
    return (await colony.get_process(running.processid)).channel("c").write


async def _send(colony: AsyncColony, running: Running) -> Callable[[str], Awaitable[object]]:
    return (await colony.get_process(running.processid)).channel("c").send


async def _naive(colony: AsyncColony, running: Running) -> Callable[[str], Awaitable[object]]:
    sequences = itertools.count(2, 2)

    async def append(piece: str) -> None:
        with contextlib.suppress(ColonyError):  # as a script does that does not look
            await colony.channel_append(running.processid, "c", next(sequences), piece)

    return append


WAYS = {WRITE: _write, SEND: _send, NAIVE: _naive}


async def _stream(place: Place, name: str, seconds: float, grace: float) -> tuple[float, list[float]]:
    """Share of the pieces that arrived, and the seconds each of those took."""
    count = round(_RATE * seconds)
    made: dict[int, float] = {}
    lags: dict[int, float] = {}
    async with (
        running_process(place, "c") as running,
        AsyncColony(place.settings(), prvkey=running.initiator) as mine,
        AsyncColony(place.settings(), prvkey=running.executor) as theirs,
    ):
        stream = (await mine.get_process(running.processid)).channel("c").stream()
        await stream.listening()

        async def consume() -> None:
            rest = ""
            async for entry in stream:
                now = time.perf_counter()
                rest += entry.text
                while len(rest) >= _WIDTH:
                    piece, rest = rest[:_WIDTH], rest[_WIDTH:]
                    lags[int(piece)] = now - made[int(piece)]
                if len(lags) == count:
                    return

        async def produce() -> None:
            put = await WAYS[name](theirs, running)
            began = time.perf_counter()
            for number in range(count):
                due = began + number / _RATE
                if (ahead := due - time.perf_counter()) > 0.002:  # a timer is no finer
                    await asyncio.sleep(ahead)
                made[number] = due  # when it ought to be on its way, whatever held its sender up
                await put(f"{number:0{_WIDTH}}")

        consumer, producer = asyncio.create_task(consume()), asyncio.create_task(produce())
        await asyncio.wait([consumer], timeout=seconds + grace)
        for task in (producer, consumer):
            task.cancel()
        await asyncio.gather(producer, consumer, return_exceptions=True)
        await stream.aclose()
    return len(lags) / count, list(lags.values())


async def measure(effort: Effort) -> list[Table]:
    """Measure."""
    seconds, grace = (max(0.5, full * effort.share) for full in (_SECONDS, _GRACE))
    table = Table(
        "A text stream of 2,000 pieces a second, past the limit of 100 appends a second",
        {"delivered": "%", "p50": "s", "p99": "s"},
        notes=[f"For {seconds:g} s, and {grace:g} s for what is still under way; the lag is that of what arrived."],
    )
    with places(limits=True) as found:
        for _ in range(min(effort.rounds, 3)):
            for place in found:
                for name in WAYS:
                    share, lags = await _stream(place, name, seconds, grace)
                    table.add(
                        f"{name} ({place.name})",
                        delivered=100 * share,
                        p50=percentile(lags, 50),
                        p99=percentile(lags, 99),
                    )
    for place in found:
        table.claim(f"write delivers all, {place.name}", f"{WRITE} ({place.name})", "delivered", 100, "at least")
        table.claim(f"write lags little, {place.name}, p99", f"{WRITE} ({place.name})", "p99", 0.3)
    return [table]
