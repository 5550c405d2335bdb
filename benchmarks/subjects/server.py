"""How many appends a second the embedded colony takes, beside a bare application, and beside a real server.

Appends to a channel over HTTP, by a signed pre-sealed request each, on 1, 4 and 16 kept-alive connections; then with
how much idle executors keep it busy.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from typing import TYPE_CHECKING

import psutil
from calling import CallRefused, Line, executor

from benchmarks.places import Place, bare, ours, real, running_process
from benchmarks.tables import Table, percentile
from colony_jupyter.wire.envelope import seal
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.messages import AssignProcess, ChannelAppend

if TYPE_CHECKING:
    from benchmarks.effort import Effort

_APPENDS = 1200
_REAL_APPENDS = 400  # its limit is 500 at once and process
_CONNECTIONS = (1, 4, 16)
_EXECUTORS = 100
_IDLE_SECONDS = 8
TEXT = b"Processing step 17/100: the quick brown fox jumps over the lazy dog"


def sealed(processid: str, key: PrivateKey, count: int, channel: str = "c", start: int = 1) -> list[bytes]:
    return [
        seal(ChannelAppend(processid=processid, name=channel, sequence=number, payload=TEXT), key)
        for number in range(start, start + count)
    ]


async def send(place: Place, bodies: list[bytes], connections: int) -> tuple[float, list[float]]:
    """Send bodies by several connections; seconds of all, and of each."""
    times: list[float] = []

    async def work(line: Line, share: list[bytes]) -> None:
        for body in share:
            began = time.perf_counter()
            status, answer = await line.post(body)
            times.append(time.perf_counter() - began)
            if status != 200:
                raise AssertionError(answer)

    async with contextlib.AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(place.line()) for _ in range(connections)]
        for line in lines:
            await line.post(b"", "/nothing")  # connected
        began = time.perf_counter()
        await asyncio.gather(*(work(line, bodies[at::connections]) for at, line in enumerate(lines)))
        return time.perf_counter() - began, times


async def one_round(place: Place, connections: int, count: int) -> tuple[float, float]:
    """Appends a second, and the median's milliseconds."""
    if not place.variables:  # the bare application knows no processes
        bodies = sealed("0" * 64, PrivateKey.generate(secrets.token_bytes), count)
        seconds, times = await send(place, bodies, connections)
    else:
        async with running_process(place, "c") as running:
            seconds, times = await send(place, sealed(running.processid, running.initiator, count), connections)
    return count / seconds, percentile(times, 50) * 1e3


async def rates(effort: Effort) -> Table:
    table = Table("Embedded colony: durable appends over HTTP", {"rate": "1/s", "p50": "ms"})
    with bare() as bare_one, ours() as our_one, ours("embedded, durability full", "--durability", "full") as full:
        places = [bare_one, our_one, full, *filter(None, [real()])]
        for _ in range(effort.rounds):
            for connections in _CONNECTIONS:
                for place in places:
                    count = effort.of(_REAL_APPENDS if place.limited else _APPENDS, 20)
                    rate, p50 = await one_round(place, connections, count)
                    table.add(f"{place.name}, {connections} connections", rate=rate, p50=p50)
        name, floor = f"{our_one.name}, 4 connections", f"{bare_one.name}, 4 connections"
        table.claim_ratio("embedded, beside the bare application", (name, floor), "rate", 0.6, "at least")
        if len(places) > 3:
            other = f"{places[-1].name}, 4 connections"
            table.claim_ratio("embedded, beside the real server", (name, other), "rate", 4, "at least")
    return table


async def idle(effort: Effort) -> Table:
    """Executors that wait for work, and how busy they keep the colony."""
    table = Table("Executors that wait for work", {"busy": "%"})
    count, seconds = effort.of(_EXECUTORS, 5), effort.of(_IDLE_SECONDS)
    with ours() as place:
        async with contextlib.AsyncExitStack() as stack:
            line = await stack.enter_async_context(place.line())
            waits = []
            for _ in range(count):
                key = await executor(line, place.variables, "idle-x")
                each = await stack.enter_async_context(place.line())
                message = AssignProcess(colonyname=place.colonyname, timeout=seconds + 3)
                waits.append(asyncio.create_task(each.call(message, key)))
            await asyncio.sleep(1)
            before = _cpu(place.pid)
            await asyncio.sleep(seconds)
            table.add(f"{count} executors", busy=100 * (_cpu(place.pid) - before) / seconds)
            for wait in waits:
                with contextlib.suppress(CallRefused):
                    await wait
    table.claim("executors that wait cost nothing", f"{count} executors", "busy", 1)
    return table


def _cpu(pid: int | None) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


async def measure(effort: Effort) -> list[Table]:
    """Measure."""
    return [await rates(effort), await idle(effort)]
