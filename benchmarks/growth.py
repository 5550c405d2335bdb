"""What entries cost as logs, channels and subscribers grow in number."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from benchmarks.places import Place, ours, running_process
from benchmarks.tables import Table
from colony_jupyter import AsyncColony
from colony_jupyter.wire.envelope import seal
from colony_jupyter.wire.messages import ChannelAppend

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from benchmarks.effort import Effort
    from benchmarks.places import Running
    from colony_jupyter.client.streams.stream import AsyncStream

_ENTRIES = (100, 1_000, 10_000)
_MANY = (1, 10, 100)
_TAIL = 100
_LINES = 4
_TEXT = b"x" * 80


async def _fill(place: Place, running: Running, names: list[str], first: int, count: int) -> float:
    """Append so many entries to each channel, on a few connections; seconds."""
    bodies = [
        seal(
            ChannelAppend(processid=running.processid, name=name, sequence=2 * number, payload=_TEXT), running.executor
        )
        for number in range(first, first + count)
        for name in names
    ]

    async def work(share: list[bytes]) -> None:
        async with place.line() as line:
            for body in share:
                status, answer = await line.post(body)
                if status != 200:
                    raise RuntimeError(answer)

    began = time.perf_counter()
    await asyncio.gather(*(work(bodies[at::_LINES]) for at in range(_LINES)))
    return time.perf_counter() - began


async def _lengths(place: Place, effort: Effort, table: Table) -> None:
    """The last appends to a log of a length, and reading all of it."""
    for full in _ENTRIES:
        length = effort.of(full, 2 * _TAIL)
        async with (
            running_process(place, "c") as running,
            AsyncColony(place.settings(), prvkey=running.initiator) as colony,
        ):
            await _fill(place, running, ["c"], 1, length - _TAIL)
            cost = await _fill(place, running, ["c"], length - _TAIL + 1, _TAIL)
            began = time.perf_counter()
            stream = (await colony.get_process(running.processid)).channel("c").stream(limit=length)
            read = sum([1 async for _ in stream])
            assert read == length
            table.add(
                f"{full:,} entries",
                append=cost / _TAIL * 1e6,
                deliver=(time.perf_counter() - began) / length * 1e6,
            )


async def _channels(place: Place, effort: Effort, table: Table) -> None:
    """Entries over several channels: the same number without readers and with a reader each."""
    for number in _MANY:
        names = [f"c{at}" for at in range(number)]
        each = effort.of(2000, 100) // number
        async with (
            running_process(place, *names) as running,
            AsyncColony(place.settings(), prvkey=running.initiator) as colony,
        ):
            cost = await _fill(place, running, names, 1, each)
            process = await colony.get_process(running.processid)
            streams = [process.channel(name).stream(limit=2 * each) for name in names]
            _, took = await _read_all(streams, _fill(place, running, names, each + 1, each))
            table.add(
                f"{number} channel{'s' if number > 1 else ''}",
                append=cost / each / number * 1e6,
                deliver=took / each / number / 2 * 1e6,
            )


async def _subscribers(place: Place, effort: Effort, table: Table) -> None:
    """Entries of one channel, each subscriber a client of its own."""
    each = effort.of(200, 20)
    for number in _MANY:
        async with running_process(place, "c") as running, contextlib.AsyncExitStack() as stack:
            streams = []
            for _ in range(number):
                colony = await stack.enter_async_context(AsyncColony(place.settings(), prvkey=running.initiator))
                streams.append((await colony.get_process(running.processid)).channel("c").stream(limit=each))
            cost, took = await _read_all(streams, _fill(place, running, ["c"], 1, each))
            table.add(
                f"{number} subscriber{'s' if number > 1 else ''}",
                append=cost / each * 1e6,
                deliver=took / each / number * 1e6,
            )


async def _read_all(streams: list[AsyncStream], filling: Coroutine[Any, Any, float]) -> tuple[float, float]:
    """Have streams listen, then fill; seconds of the filling, and until everybody has everything."""
    for stream in streams:
        await stream.listening()

    async def consume(stream: AsyncStream) -> None:
        async for _ in stream:
            pass

    began = time.perf_counter()
    cost, *_ = await asyncio.gather(filling, *(consume(stream) for stream in streams))
    return cost, time.perf_counter() - began


async def measure(effort: Effort) -> list[Table]:
    """Measure."""
    table = Table(
        "Cost as logs, channels and subscribers grow",
        {"append": "us", "deliver": "us"},
        notes=["An append at four connections; a delivery is counted for each entry and subscriber."],
    )
    with ours() as place:
        for _ in range(min(effort.rounds, 3)):
            await _lengths(place, effort, table)
            await _channels(place, effort, table)
            await _subscribers(place, effort, table)
    for many, one in (("10,000 entries", "1,000 entries"), ("100 channels", "1 channel")):
        table.claim_ratio(f"an append with {many}, beside {one}", (many, one), "append", 1.3)
    table.claim_ratio(
        "a delivery from 10,000 entries, beside 1,000", ("10,000 entries", "1,000 entries"), "deliver", 1.3
    )
    table.claim_ratio(
        "a delivery to one of 100 subscribers, beside 10", ("100 subscribers", "10 subscribers"), "deliver", 1.3
    )
    return [table]
