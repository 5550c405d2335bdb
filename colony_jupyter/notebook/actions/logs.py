"""Lists the log lines of processes and executors, and searches them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from colony_jupyter.errors import UsageError
from colony_jupyter.notebook.formats import tables
from colony_jupyter.notebook.magics.suggestions import did_you_mean
from colony_jupyter.wire.limits import MAX_FOUND_LOGS, MAX_LOG_DAYS, MAX_LOGS

if TYPE_CHECKING:
    from argparse import Namespace

    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.notebook.formats.tables import Table

_WHAT: Final = (
    "What to list: `%colony log PID` the log of a process, `--executor NAME` that of an executor, `--search TEXT` the "
    "lines of all that contain a text."
)


def check(found: Namespace) -> None:
    """Check that the options of ``%colony log`` fit together.

    Raises:
        UsageError: if they do not.
    """
    others = found.search is not None or found.executor is not None
    if found.follow and found.pid is None:
        raise UsageError("--follow needs a PID: only the log of a process can be followed.")
    if found.pid is None and not others:
        raise UsageError(_WHAT)
    if found.pid is not None and others:
        raise UsageError(f"A PID cannot be combined with --search and --executor. {_WHAT}")
    if found.days is not None and found.search is None:
        raise UsageError("--days belongs to --search: it limits how far back lines are searched.")
    if found.search == "":
        raise UsageError("--search needs a text.")
    if found.days is not None and not 1 <= found.days <= MAX_LOG_DAYS:
        raise UsageError(f"--days must be from 1 to {MAX_LOG_DAYS}, not {found.days}.")


async def of_process(process: AsyncProcess) -> Table:
    """List the newest log lines of a process."""
    lines = await process.colony.logs(process.processid, latest=True)
    note = ""
    if len(lines) == MAX_LOGS:
        note = f"The newest {MAX_LOGS} lines; `%colony log {process.processid[:8]} --follow` shows all."
    return tables.logs(lines, note=note)


async def of_executor(colony: AsyncColony, executorname: str) -> Table:
    """List the newest log lines of an executor: its own, and those of the processes that it ran.

    Raises:
        UsageError: if the colony has no such executor.
    """
    known = [executor.executorname for executor in await colony.executors()]
    if executorname not in known:
        near = did_you_mean(executorname, known) or " `%colony executors` lists them."
        raise UsageError(f"The colony has no executor '{executorname}'.{near}")
    lines = await colony.logs(executorname=executorname, latest=True)
    note = f"The newest {MAX_LOGS} lines." if len(lines) == MAX_LOGS else ""
    return tables.logs(lines, processes=True, note=note)


async def search(colony: AsyncColony, text: str, days: int, executorname: str | None) -> Table:
    """List the log lines of the colony that contain a text, oldest first; of one executor where it is named."""
    found = await colony.search_logs(text, days=days)
    lines = sorted(found, key=lambda line: line.timestamp)  # a server gives them in any order
    note = ""
    if len(found) == MAX_FOUND_LOGS:
        note = f"A server lists {MAX_FOUND_LOGS} lines at most, so there may be more: search for a longer text."
    shown = [line for line in lines if executorname in (None, line.executorname)]
    return tables.logs(
        shown, processes=True, note=note, empty=f"No log line of the last {_days(days)} contains the text."
    )


def _days(days: int) -> str:
    return "day" if days == 1 else f"{days} days"
