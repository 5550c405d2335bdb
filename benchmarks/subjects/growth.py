"""What entries cost as logs, channels, subscribers, streams and open panes grow in number."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.places import Place, ours, running_process, running_processes
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
_FOLLOWED = (1, 10, 100, 1_000)
_SPREAD = 6_000
_RENEWALS_AT = 14.0  # seconds: from here on subscriptions are renewed
_TAIL = 100
_LINES = 4
_RENEWED = "1,000 streams that are renewed"
_TEXT = b"x" * 80

_PANES = (1, 10, 100, 1_000)
_PANE_ENTRIES = 4_000
_PANE_RATE = 2_000  # entries a second of all panes together
_AT_ONCE = 20  # entries, each of another pane if there are so many

_KERNEL = """
import sys
sys.path.insert(0, {support!r})
from feeding import FEED
exec(FEED)
views = [opened(title=f"pane {{number}}") for number in range({panes})]
for view in views:
    running(view)
time.sleep(1)
cpu, began = time.process_time(), time.perf_counter()
for at in range({entries}):
    if at % {at_once} == 0:
        time.sleep(max(0.0, began + at / {rate} - time.perf_counter()))
    feed(views[at % {panes}], "progress", f"entry {{at}} " + "x" * 66)
time.sleep(0.5)
print((time.process_time() - cpu) / {entries} * 1e6)
"""


async def _fill(place: Place, running: Running, names: list[str], first: int, count: int) -> float:
    """Append so many entries to each channel, on a few connections; seconds."""
    bodies = [
        seal(
            ChannelAppend(processid=running.processid, name=name, sequence=2 * number, payload=_TEXT), running.executor
        )
        for number in range(first, first + count)
        for name in names
    ]
    return await _send(place, bodies)


async def _send(place: Place, bodies: list[bytes]) -> float:
    """Send appends, on a few connections; seconds."""

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


async def _followed(place: Place, effort: Effort, table: Table) -> None:
    """Entries over many channels, ten of each process, each with a stream of one client; at last during renewals."""
    count = effort.of(_SPREAD, 100)
    for full in _FOLLOWED:
        number = effort.of(full, 1)
        names = [f"c{at}" for at in range(min(number, 10))]
        async with (
            running_processes(place, -(-number // len(names)), *names) as processes,
            AsyncColony(place.settings(), prvkey=processes[0].initiator) as colony,
        ):
            streams = []
            for running in processes:
                process = await colony.get_process(running.processid)
                streams += [process.channel(name).stream() for name in names]
            each = -(-count // number)
            bodies = [
                seal(
                    ChannelAppend(
                        processid=processes[at // len(names) % len(processes)].processid,
                        name=names[at % len(names)],
                        sequence=2 * (at + 1),
                        payload=_TEXT,
                    ),
                    processes[0].executor,
                )
                for at in range(2 * each * len(streams))
            ]
            half = len(bodies) // 2
            began = time.perf_counter()
            cost, took = await _read_all(streams, _send(place, bodies[:half]), each)
            name = f"{full:,} stream{'s' if full > 1 else ''}"
            table.add(name, append=cost / half * 1e6, deliver=took / half * 1e6)
            if full == _FOLLOWED[-1]:
                await asyncio.sleep(effort.share * _RENEWALS_AT - (time.perf_counter() - began))
                cost, took = await _read_all(streams, _send(place, bodies[half:]), each)
                table.add(_RENEWED, append=cost / half * 1e6, deliver=took / half * 1e6)
            for stream in streams:
                await stream.aclose()


async def _read_all(
    streams: list[AsyncStream], filling: Coroutine[Any, Any, float], each: int | None = None
) -> tuple[float, float]:
    """Have streams listen, then fill; seconds of the filling, and until all have ``each`` entries, or everything."""
    for stream in streams:
        await stream.listening()

    async def consume(stream: AsyncStream) -> None:
        count = 0
        async for _ in stream:
            count += 1
            if count == each:
                return

    began = time.perf_counter()
    cost, *_ = await asyncio.gather(filling, *(consume(stream) for stream in streams))
    return cost, time.perf_counter() - began


def _named(one: str, many: str) -> dict[int, str]:
    """Return the contestants that are of a number of something."""
    return {10**power: f"{10**power:,} {many if power else one}" for power in range(5)}


def _curves(table: Table, panes: Table) -> None:
    panes.curve("open panes", _named("pane", "panes"), "kernel", "us of the kernel an entry")
    for one, many, of in (
        ("entry", "entries", "entries in a channel's log"),
        ("channel", "channels", "channels of a process"),
        ("subscriber", "subscribers", "subscribers of a channel"),
        ("stream", "streams", "streams of a client"),
    ):
        names = _named(one, many)
        if any(map(table.has, names.values())):
            table.curve(of, names, "append", "us an append")
            table.curve(of, names, "deliver", "us a delivery")


def _pane_cost(panes: int, entries: int) -> float:
    """Microseconds of processor time an entry."""
    support = str(Path(__file__).parents[2] / "tests" / "support")
    script = _KERNEL.format(support=support, panes=panes, entries=entries, rate=_PANE_RATE, at_once=_AT_ONCE)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300)
    return float(done.stdout.splitlines()[-1])  # before it come the texts of panes that no notebook shows


def _panes(effort: Effort, table: Table) -> None:
    """Entries spread over open panes."""
    for count in _PANES:
        name = f"{count:,} pane{'s' if count > 1 else ''}"
        table.add(name, kernel=_pane_cost(effort.of(count, 1), effort.of(_PANE_ENTRIES, 100)))


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
            await _followed(place, effort, table)
    for many, one in (
        ("10,000 entries", "1,000 entries"),
        ("100 channels", "1 channel"),
        ("1,000 streams", "1 stream"),
        (_RENEWED, "1 stream"),
    ):
        table.claim_ratio(f"an append with {many}, beside {one}", (many, one), "append", 1.3)
    table.claim_ratio(
        "a delivery from 10,000 entries, beside 1,000", ("10,000 entries", "1,000 entries"), "deliver", 1.3
    )
    table.claim_ratio(
        "a delivery to one of 100 subscribers, beside 10", ("100 subscribers", "10 subscribers"), "deliver", 1.3
    )
    panes = Table(
        f"An entry in one of many open panes, {_PANE_RATE:,} entries a second of all together",
        {"kernel": "us"},
        notes=["Processor time of a kernel without a page: the model of the pane and the messages it makes."],
    )
    for _ in range(min(effort.rounds, 3)):
        _panes(effort, panes)
    _curves(table, panes)
    return [table, panes]
