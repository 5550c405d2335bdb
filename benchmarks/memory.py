"""How much memory is held: a kernel with panes, an embedded colony with a past."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from benchmarks.tables import Table
from colony_jupyter.server.server import Server
from colony_jupyter.server.state.channel_logs import StoredEntry
from colony_jupyter.testing import ColonyServer
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import Conditions, FunctionSpec

if TYPE_CHECKING:
    from benchmarks.effort import Effort

_PANES = 10
_ENTRIES = 10_000
_CLOSED = 100_000
_KEPT = 1_000_000
_CHANNELS = 100
_GROUP = 2_000

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
    support = str(Path(__file__).parents[1] / "tests" / "support")
    script = _KERNEL.format(support=support, panes=_PANES, entries=effort.of(_ENTRIES, 100))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300)
    return float(done.stdout.splitlines()[-1])  # before it come the texts of panes that no notebook shows


async def _live(data: Path, server: ColonyServer, effort: Effort, table: Table) -> None:
    """Write a past straight into the file of a server that does not run, then start it."""
    for processes, entries, name in (
        (0, 0, "embedded colony, new"),
        (_CLOSED, 0, f"embedded colony, {_CLOSED:,} closed processes"),
        (0, _KEPT, f"the same, and {_KEPT:,} entries in {_CHANNELS} running processes"),
    ):
        if processes or entries:
            await _fill(data, server, effort.of(processes, 0), effort.of(entries, 0))
        began = time.perf_counter()
        await asyncio.to_thread(server.start, 120)
        took = time.perf_counter() - began
        table.add(name, memory=psutil.Process(server.pid).memory_info().rss / 1e6, start=took)
        await asyncio.to_thread(server.stop)


async def _fill(data: Path, server: ColonyServer, processes: int, entries: int) -> None:
    keeper = Server(data, serverid=server.server_prvkey.id, limits=False)
    await keeper.start()
    colony = keeper.colonies[server.colonyname]
    userid = server.prvkey.id
    executorid = PrivateKey.generate(secrets.token_bytes).id
    conditions = Conditions(colonyname=server.colonyname, executortype="cli")
    for number in range(processes):
        spec = FunctionSpec(funcname="long-task", conditions=conditions, args=[number], channels=["progress"])
        process = keeper.submit(colony, spec, initiatorid=userid, initiatorname="root")
        process.executorid = executorid
        keeper.succeed(colony, process, [f"result of {number}"])
        if not number % _GROUP:
            await keeper.commit()
    for _ in range(_CHANNELS if entries else 0):
        spec = FunctionSpec(funcname="long-task", conditions=conditions, channels=["progress"])
        process = keeper.submit(colony, spec, initiatorid=userid, initiatorname="root")
        for number in range(entries // _CHANNELS):
            entry = StoredEntry(2 * number, 0, keeper.now(), executorid, b"x" * 80)
            keeper.store.add_entry(process.processid, "progress", number, entry)
        await keeper.commit()
    await keeper.commit()
    await keeper.stop()


async def measure(effort: Effort) -> list[Table]:
    """Measure."""
    kernel = Table(f"Memory of a kernel with {_PANES} panes of {effort.of(_ENTRIES, 100):,} entries", {"memory": "MB"})
    kernel.add("panes", memory=_panes(effort) / 1e6)
    kernel.claim("a kernel's panes", "panes", "memory", 100)
    server = Table("Memory and start of an embedded colony with a past", {"memory": "MB", "start": "s"})
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        one = ColonyServer(data)
        await asyncio.to_thread(one.start)
        await asyncio.to_thread(one.stop)
        await _live(data, one, effort, server)
    return [kernel, server]
