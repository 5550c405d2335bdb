"""Processes whose channel is read and whose state is followed, while nothing happens: sockets, calls, effort."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any
from unittest import mock

from benchmarks.places import Place, places, running_processes
from benchmarks.tables import Table
from colony_jupyter import AsyncColony
from colony_jupyter.client import process_watcher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.effort import Effort

_COUNTS = (1, 10, 100)
_CROWD = 1_000  # on the embedded colony only
_SETTLING = 3.0
_SECONDS = 6.0
_MANY = 10**9


class _Counted(AsyncColony):
    """A colony that counts its calls and its open WebSockets."""

    calls = 0
    sockets = 0

    async def call(self, message: Any, shape: Any, *, seconds: float = 0.0) -> Any:
        self.calls += 1
        return await super().call(message, shape, seconds=seconds)

    @contextlib.asynccontextmanager
    async def open_subscription(self, message: Any, shape: Any) -> AsyncIterator[Any]:
        async with super().open_subscription(message, shape) as frames:
            self.sockets += 1
            try:
                yield frames
            finally:
                self.sockets -= 1


async def _follow(place: Place, count: int) -> dict[str, float]:
    async with (
        running_processes(place, count, "c") as found,
        _Counted(place.settings(), prvkey=found[0].initiator) as colony,
    ):
        handles = [await colony.get_process(each.processid) for each in found]
        streams = [handle.channel("c").stream() for handle in handles]
        for stream in streams:
            await stream.listening()
        await asyncio.sleep(_SETTLING)
        calls, began, used = colony.calls, time.perf_counter(), time.process_time()
        await asyncio.sleep(_SECONDS)
        took = time.perf_counter() - began
        figures = {
            "sockets": float(colony.sockets),
            "calls": (colony.calls - calls) / took,
            "busy": 100 * (time.process_time() - used) / took,
            "each": 1e6 * (time.process_time() - used) / took / count,
        }
        for stream in streams:
            await stream.aclose()
        return figures


def _named(count: int, place: Place) -> str:
    return f"{count:,} process{'es' if count > 1 else ''} ({place.name})"


async def measure(effort: Effort) -> list[Table]:
    """Measure."""
    table = Table(
        "Followed processes while nothing happens",
        {"sockets": "", "calls": "1/s", "busy": "%", "each": "us/s"},
        notes=["busy: share of a processor that the client takes. each: its processor time a second and process."],
    )
    apart = "100 processes, each asked for ({})"
    with places() as found:
        for _ in range(effort.rounds):
            for place in found:
                for count in _COUNTS if place.limited else (*_COUNTS, effort.of(_CROWD, 1)):
                    table.add(_named(count, place), **await _follow(place, count))
                with mock.patch.object(process_watcher, "_FEW", _MANY):
                    table.add(apart.format(place.name), **await _follow(place, _COUNTS[-1]))
    for place in found:
        contestants = {count: _named(count, place) for count in (*_COUNTS, _CROWD)}
        table.curve(f"followed processes ({place.name})", contestants, "each", "client, us a second and process")
        table.claim(f"sockets for one followed process, {place.name}", f"1 process ({place.name})", "sockets", 1)
        name = f"100 processes ({place.name})"
        table.claim(f"sockets for a hundred, {place.name}", name, "sockets", 100)
        pair = (name, apart.format(place.name))
        table.claim_ratio(f"processor time for a hundred, beside asking for each, {place.name}", pair, "busy", 0.5)
    return [table]
