"""A past of an embedded colony: processes, log lines and entries, written into the file of one that does not run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from colony_jupyter import embedded
from colony_jupyter.server.server import Server
from colony_jupyter.server.state.records import LogLine, StoredEntry
from colony_jupyter.wire.models import Conditions, FunctionSpec

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.effort import Effort

CHANNELS = 100
"""Running processes, of one channel each, that the entries are in."""
_EXECUTOR = "e" * 64
_GROUP = 1_000
_LINES_EACH = 1_000


@dataclass(frozen=True)
class Past:
    """What there is.

    Attributes:
        closed: processes that have succeeded.
        output: bytes of the output of each of them.
        lines: log lines, of 200 bytes each.
        entries: entries of 80 bytes in running processes.
    """

    closed: int = 0
    output: int = 16
    lines: int = 0
    entries: int = 0

    def of(self, effort: Effort) -> Past:
        """Return the share of it that is measured."""
        return Past(effort.of(self.closed, 0), self.output, effort.of(self.lines, 0), effort.of(self.entries, 0))


async def fill(data: Path, past: Past) -> list[str]:
    """Add a past to a data folder, whose colony is made if there is none; return the ids of the running processes."""
    keys = embedded.keys(data)
    keeper = Server(data, serverid=keys.server_prvkey.id, limits=False)
    await keeper.start()
    await keeper.ensure_colony(keys.colonyname, keys.colony_prvkey.id)
    await keeper.ensure_user(keys.colonyname, keys.prvkey.id, keys.username)
    colony = keeper.colonies[keys.colonyname]
    conditions = Conditions(colonyname=keys.colonyname, executortype="cli")

    def submit(number: int) -> str:
        spec = FunctionSpec(funcname="long-task", conditions=conditions, args=[number], channels=["progress"])
        return keeper.submit(colony, spec, initiatorid=keys.prvkey.id, initiatorname=keys.username).processid

    for number in range(past.closed):
        process = colony.processes[submit(number)]
        process.executorid = _EXECUTOR
        keeper.succeed(colony, process, [f"{number:<{past.output}}"])
        if not number % _GROUP:
            await keeper.commit()
    for number in range(past.lines):
        keeper.store.add_log(
            LogLine(
                processid=f"{number // _LINES_EACH:064x}",
                colonyname=keys.colonyname,
                executorname="worker",
                message=f"{number:<200}",
                timestamp=keeper.now(),
            )
        )
        if not number % _GROUP:
            await keeper.commit()
    running = [submit(number) for number in range(CHANNELS if past.entries else 0)]
    for processid in running:
        for place in range(1, past.entries // CHANNELS + 1):
            entry = StoredEntry(2 * place, 0, keeper.now(), keys.prvkey.id, b"x" * 80)
            keeper.store.entries.add(processid, "progress", place, entry)
        await keeper.commit()
    await keeper.commit()
    await keeper.stop()
    return running
