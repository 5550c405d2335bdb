"""Finds processes by a variable, an id or a prefix, and lists what a colony has."""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.client.process_facts import ProcessFacts, as_state
from colony_jupyter.errors import ChannelNotFound, ColonyError, ProcessNotFound, UsageError
from colony_jupyter.executor import registry
from colony_jupyter.notebook.formats import tables
from colony_jupyter.notebook.formats.workflow_graph import MOST, Graph, Workflows
from colony_jupyter.notebook.magics.shell_words import variable
from colony_jupyter.notebook.magics.suggestions import did_you_mean
from colony_jupyter.wire.models import ProcessRecord, ProcessState, visible_channels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from colony_jupyter.client.client import Client
    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.client.transport.rpc import Calls
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


@dataclass(frozen=True)
class Wanted:
    """Which processes are listed; None for all.

    Attributes:
        state: name of a state.
        label: their label.
        function: name of their function.
        executortype: type of executor that they are for.
        mine: whether only those that the caller submitted.
        count: how many at most.
    """

    state: str | None = None
    label: str | None = None
    function: str | None = None
    executortype: str | None = None
    mine: bool = False
    count: int = _NEWEST

    def accepts(self, record: ProcessRecord, caller: str) -> bool:
        """Whether a process is one of them."""
        spec = record.spec
        return (
            self.label in (None, spec.label)
            and self.function in (None, spec.funcname)
            and self.executortype in (None, spec.conditions.executortype)
            and (not self.mine or record.initiatorid == caller)
        )


async def recent(colony: AsyncColony, wanted: Wanted | None = None) -> Table:
    """List the newest processes, of all states unless one is wanted.

    Raises:
        UsageError: if there is no such state, or the number is not positive.
    """
    wanted = wanted or Wanted()
    if wanted.count < 1:
        raise UsageError(f"--count must be at least 1, not {wanted.count}.")
    states = list(ProcessState) if wanted.state is None else [as_state(wanted.state)]
    await colony.connect()
    filters = {"executortype": wanted.executortype or "", "label": wanted.label or ""}
    found = await asyncio.gather(*(colony.list_processes(state, count=_NEWEST, **filters) for state in states))
    records = [record for some in found for record in some if wanted.accepts(record, colony.userid)]
    records.sort(key=lambda record: record.submissiontime, reverse=True)
    note = ""
    if wanted != Wanted(count=wanted.count) and any(len(some) == _NEWEST for some in found):
        note = f"A server lists {_NEWEST} processes of a state; among older ones there may be more."
    return tables.processes(records[: wanted.count], await executor_names(colony), note)


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
    """Return what is known of a process."""
    record = await process.refresh()
    names = await executor_names(process.colony) if record.assignedexecutorid else {}
    return tables.process(record, names.get(record.assignedexecutorid, ""), process.colony.userid)


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
    """Send an entry; return a sentence about it.

    Raises:
        ChannelNotFound, ChannelClosed: why it cannot be sent.
    """
    check_channels(process.record, [channel])
    sequence = await process.channel(channel).send(text)
    return f"Sent on channel '{channel}' of {process.funcname} ({process.processid[:8]}), as entry {sequence}."


async def cancel(process: AsyncProcess) -> str:
    """Cancel a process; return a sentence about it."""
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


def check_plot(process: AsyncProcess, channel: str) -> None:
    """Make sure that the numbers of a channel can be plotted.

    Raises:
        ChannelNotFound: if the process has no such channel, or has ended.
        UsageError: if the caller may not read it.
    """
    record = process.record
    check_channels(record, [channel])
    if record.state.is_closed:
        declared = visible_channels(record.spec.channels)
        raise ChannelNotFound(
            404,
            "",
            processid=record.processid,
            channel=channel,
            declared=declared,
            closed=True,
            errors=record.errors or (),
        )
    why_not = stranger(process)
    if why_not:
        raise UsageError(why_not)


def stranger(process: AsyncProcess) -> str:
    """Return why the caller cannot read or write the channels of a process; empty if it can."""
    record = process.record
    if process.colony.userid in (record.initiatorid, record.assignedexecutorid):
        return ""
    whose = f"'{record.initiatorname}'" if record.initiatorname else f"{record.initiatorid[:8]}…"
    return f"This process was submitted by {whose}: only its submitter and its executor can use its channels."


async def executor_names(colony: Calls) -> dict[str, str]:
    """Return the names of the colony's executors by their ids."""
    return {executor.executorid: executor.executorname for executor in await colony.executors()}


async def _newest(colony: AsyncColony) -> list[list[ProcessRecord]]:
    return await asyncio.gather(*(colony.list_processes(state, count=_NEWEST) for state in ProcessState))


def _of_variable(word: str, names: Mapping[str, Any]) -> str | None:
    """Return the id that a variable holds, if the word is the name of one that holds a process or an id."""
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
    kind = type(held).__name__
    hint = _HINTS.get(kind, "").format(name=name)
    raise UsageError(f"The variable '{name}' holds no process and no id, but a value of type {kind}.{hint}")


_HINTS: Final = {
    "WorkflowRun": " `%colony workflow {name}` shows it; {name}['NODE'] is the process of a node.",
    "ProcessGroup": " {name}[0] is its first process.",
}
"""What to type for the value of another type."""


class ExecutorNames(dict[str, str]):
    """Names of executors by their ids, as far as they are known."""

    async def find(self, colony: Client, executorid: str) -> None:
        """Ask for a name that is not known yet; without one the id is shown."""
        if executorid not in self:
            with contextlib.suppress(ColonyError):
                self[executorid] = (await colony.get_executor_by_id(executorid)).executorname
