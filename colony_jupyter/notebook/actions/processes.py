"""Looks processes up, by whatever they are called by, and lists what a colony has."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.client.process_facts import ProcessFacts
from colony_jupyter.errors import ChannelNotFound, ProcessNotFound, UsageError
from colony_jupyter.executor import registry
from colony_jupyter.notebook.formats import tables
from colony_jupyter.notebook.formats.workflow_graph import MOST, Graph, Workflows
from colony_jupyter.notebook.magics.shell_words import variable
from colony_jupyter.notebook.magics.suggestions import did_you_mean
from colony_jupyter.wire.models import ProcessRecord, ProcessState, visible_channels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.notebook.formats.tables import Table
    from colony_jupyter.wire.models import Workflow

_ID: Final = re.compile(r"[0-9a-f]{64}")
_PREFIX: Final = re.compile(r"[0-9a-f]{1,63}")
_NEWEST: Final = 100
_DRAWN: Final = 3  # each costs a call for every member


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
    newest = {record.processid for records in await _newest(colony) for record in records}
    candidates = {processid for processid in newest.union(known) if processid.startswith(wanted)}
    if not candidates:
        near = did_you_mean(wanted, (processid[: len(wanted)] for processid in newest)) or " `%colony ps` lists them."
        raise UsageError(f"No process is known whose id begins with '{wanted}'.{near}")
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


async def executors(colony: AsyncColony) -> Table:
    """List the colony's executors, with the troubles of those that run in this kernel."""
    troubles = {executor.name: executor.trouble for executor in registry.running() if executor.trouble}
    records = sorted(await colony.executors(), key=lambda one: (one.executortype, one.executorname))
    return tables.executors(records, troubles)


async def functions(colony: AsyncColony) -> Table:
    """List the functions that executors offer."""
    return tables.functions(sorted(await colony.functions(), key=lambda one: (one.funcname, one.executorname)))


async def workflows(colony: AsyncColony) -> Workflows:
    """List the newest workflows of all states, and draw the very newest."""
    found = await asyncio.gather(*(colony.workflows(state, count=_NEWEST) for state in ProcessState))
    listed = sorted((one for some in found for one in some), key=lambda one: one.submissiontime, reverse=True)
    graphs = [Graph(one, await _members(colony, one)) for one in listed[:_DRAWN]]
    return Workflows(tables.workflows(listed[:_NEWEST]), graphs)


async def _members(colony: AsyncColony, workflow: Workflow) -> list[ProcessRecord]:
    if len(workflow.processids) > MOST:
        return []
    found = await asyncio.gather(*(_member(colony, processid) for processid in workflow.processids))
    return [record for record in found if record is not None]


async def _member(colony: AsyncColony, processid: str) -> ProcessRecord | None:
    try:
        return (await colony.get_process(processid)).record
    except ProcessNotFound:  # removed since the workflow was listed
        return None


async def details(process: AsyncProcess) -> Table:
    """Give what is known of a process."""
    record = await process.refresh()
    names = await executor_names(process.colony) if record.assignedexecutorid else {}
    return tables.process(record, names.get(record.assignedexecutorid, ""))


async def log(process: AsyncProcess) -> Table:
    """List the newest log lines of a process."""
    return tables.logs(await process.colony.logs(process.processid, latest=True))


async def read(process: AsyncProcess, channel: str) -> Table:
    """List what is in a channel now.

    Raises:
        ChannelNotFound: if it has no such channel, or has ended.
    """
    check_channels(process.record, [channel])
    entries = await process.channel(channel).read()
    record = await process.refresh()
    if record.state.is_closed and not entries:  # trap 24: what is empty now may have been full
        raise ChannelNotFound(
            404,
            "",
            processid=record.processid,
            channel=channel,
            declared=visible_channels(record.spec.channels),
            closed=True,
        )
    senders = {record.initiatorid: record.initiatorname, **await executor_names(process.colony)}
    return tables.entries(entries, senders, process.colony.userid)


async def send(process: AsyncProcess, channel: str, text: str) -> str:
    """Send an entry; give a sentence about it.

    Raises:
        ChannelNotFound, ChannelClosed: why it cannot be sent.
    """
    check_channels(process.record, [channel])
    sequence = await process.channel(channel).send(text)
    return f"Sent on channel '{channel}' of {process.funcname} ({process.processid[:8]}), as entry {sequence}."


async def cancel(process: AsyncProcess) -> str:
    """Cancel a process; give a sentence about it."""
    name = f"{process.funcname} ({process.processid[:8]})"
    if process.state.is_closed:
        return f"{name} has ended already: {process.state.name}."
    await process.cancel()
    return f"{name} is cancelled."


def check_channels(record: ProcessRecord, channels: Sequence[str]) -> None:
    """Make sure that a process was submitted with these channels.

    Raises:
        ChannelNotFound: naming one that it was not.
    """
    for name in channels:
        if name not in record.spec.channels:
            raise ChannelNotFound(
                404, "", processid=record.processid, channel=name, declared=visible_channels(record.spec.channels)
            )


def stranger(process: AsyncProcess) -> str:
    """Say why the caller cannot read or write the channels of a process; nothing if it can."""
    record = process.record
    if process.colony.userid in (record.initiatorid, record.assignedexecutorid):
        return ""
    whose = f"'{record.initiatorname}'" if record.initiatorname else f"{record.initiatorid[:8]}…"
    return f"This process was submitted by {whose}: only its submitter and its executor can use its channels."


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
