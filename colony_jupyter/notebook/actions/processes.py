"""Looks processes up, by whatever they are called by, and lists what a colony has."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.client.process import ProcessFacts
from colony_jupyter.errors import UsageError
from colony_jupyter.notebook import tables
from colony_jupyter.notebook.suggest import did_you_mean
from colony_jupyter.notebook.words import variable
from colony_jupyter.wire.models import ProcessRecord, ProcessState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.notebook.tables import Table

_ID: Final = re.compile(r"[0-9a-f]{64}")
_PREFIX: Final = re.compile(r"[0-9a-f]{1,63}")
_NEWEST: Final = 100


async def find(colony: AsyncColony, word: str, names: Mapping[str, Any], known: Iterable[str] = ()) -> AsyncProcess:
    """Find the process that a word means: a variable, else an id, else the beginning of one.

    Args:
        colony: the colony.
        word: as it was typed; ``_`` and other names of variables count, with or without a dollar.
        names: the variables.
        known: ids of processes that this kernel has dealt with.

    Raises:
        UsageError: if it means none, or several.
        ProcessNotFound: if there is none of that id.
    """
    await colony.connect()
    named = _of_variable(word, names)
    wanted = (named or word).casefold()
    if _ID.fullmatch(wanted):
        return await colony.get_process(wanted)
    if not _PREFIX.fullmatch(wanted):
        holders = [name for name, held in names.items() if isinstance(held, ProcessFacts) and not name.startswith("_")]
        raise UsageError(
            f"'{word}' is no process: name a variable that holds one, an id, or the beginning of an id."
            f"{did_you_mean(word, holders)}"
        )
    candidates = {processid for processid in known if processid.startswith(wanted)}
    for records in await _newest(colony):
        candidates.update(record.processid for record in records if record.processid.startswith(wanted))
    if not candidates:
        raise UsageError(f"No process is known whose id begins with '{wanted}': `%colony ps` lists them.")
    if len(candidates) > 1:
        shown = ", ".join(sorted(processid[: len(wanted) + 4] for processid in candidates)[:5])
        raise UsageError(f"{len(candidates)} processes' ids begin with '{wanted}' ({shown}): type more of it.")
    return await colony.get_process(candidates.pop())


async def recent(colony: AsyncColony) -> Table:
    """List the newest processes of all states."""
    records = sorted(
        (record for found in await _newest(colony) for record in found),
        key=lambda record: record.submissiontime,
        reverse=True,
    )
    return tables.processes(records[:_NEWEST], await executor_names(colony))


async def executor_names(colony: AsyncColony) -> dict[str, str]:
    """Give the names of the colony's executors by their ids."""
    return {executor.executorid: executor.executorname for executor in await colony.executors()}


async def _newest(colony: AsyncColony) -> list[list[ProcessRecord]]:
    return await asyncio.gather(*(colony.list_processes(state, count=_NEWEST) for state in ProcessState))


def _of_variable(word: str, names: Mapping[str, Any]) -> str | None:
    """Give the id that a variable holds, if the word is the name of one that holds a process or an id."""
    name = variable(word) or word
    if name not in names:
        if variable(word) is not None:
            raise UsageError(f"There is no variable '{name}' in this notebook.{did_you_mean(name, names)}")
        return None
    held = names[name]
    if isinstance(held, ProcessFacts):
        return held.processid
    if isinstance(held, ProcessRecord):
        return held.processid
    if isinstance(held, str) and _ID.fullmatch(held.casefold()):
        return held
    if variable(word) is None and _PREFIX.fullmatch(word):
        return None  # a variable that happens to be called like the beginning of an id
    raise UsageError(f"The variable '{name}' holds no process and no id, but a {type(held).__name__}.")
