"""How much memory is held: a kernel with panes, an embedded colony with a past."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from calling import Line

from benchmarks.pasts import CHANNELS, Past, fill
from benchmarks.tables import Table
from colony_jupyter.testing import ColonyServer
from colony_jupyter.wire.messages import ChannelAppend, ChannelRead

if TYPE_CHECKING:
    from benchmarks.effort import Effort

_PANES = 10
_ENTRIES = 10_000
_CLOSED = 100_000
_KEPT = 1_000_000
_READ = "the same, once all entries were read"

_KERNEL = """
import sys
sys.path.insert(0, {support!r})
from feeding import FEED
exec(FEED)
import psutil
from colony_jupyter.notebook.views.pane import Pane

def held():
    return psutil.Process().memory_info().rss

before = held()
views = [Pane("long-task") for _ in range({panes})]
for view in views:
    running(view)
    for first in range(0, {entries}, 100):
        feed(view, "progress", *(f"entry {{at}} " + "x" * 66 for at in range(first, first + 100)))
time.sleep(1)
print(held() - before)
"""


def _panes(effort: Effort) -> float:
    """Bytes a kernel holds for its panes."""
    support = str(Path(__file__).parents[2] / "tests" / "support")
    script = _KERNEL.format(support=support, panes=_PANES, entries=effort.of(_ENTRIES, 100))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300)
    return float(done.stdout.splitlines()[-1])  # before it come the texts of panes that no notebook shows


async def _live(data: Path, effort: Effort, table: Table) -> None:
    """Start a server on pasts, and let all entries be read."""
    running: list[str] = []
    for past, name in (
        (Past(), "embedded colony, new"),
        (Past(closed=_CLOSED), f"embedded colony, {_CLOSED:,} closed processes"),
        (Past(entries=_KEPT), f"the same, and {_KEPT:,} entries in {CHANNELS} running processes"),
    ):
        running += await fill(data, past.of(effort))
        server = ColonyServer(data, limits=False)
        began = time.perf_counter()
        await asyncio.to_thread(server.start, 120)
        took = time.perf_counter() - began
        table.add(name, memory=_resident(server), start=took)
        if running:
            await _read(server, running)
            table.add(_READ, memory=_resident(server))
        await asyncio.to_thread(server.stop)


def _resident(server: ColonyServer) -> float:
    return float(psutil.Process(server.pid).memory_info().rss) / 1e6


async def _read(server: ColonyServer, running: list[str]) -> None:
    """Read every entry, and append one more to each channel."""
    async with Line(server.host, server.port) as line:
        for processid in running:
            await line.call(ChannelRead(processid=processid, name="progress"), server.prvkey)
            message = ChannelAppend(processid=processid, name="progress", sequence=10**6, payload=b"x")
            await line.call(message, server.prvkey)


async def measure(effort: Effort) -> list[Table]:
    """Measure."""
    kernel = Table(f"Memory of a kernel with {_PANES} panes of {effort.of(_ENTRIES, 100):,} entries", {"memory": "MB"})
    kernel.add("panes", memory=_panes(effort) / 1e6)
    kernel.claim("a kernel's panes", "panes", "memory", 100)
    server = Table("Memory and start of an embedded colony with a past", {"memory": "MB", "start": "s"})
    with tempfile.TemporaryDirectory() as folder:
        await _live(Path(folder) / "data", effort, server)
    server.claim("an embedded colony whose entries were all read", _READ, "memory", 200)
    return [kernel, server]
