"""A process as its submitter, its executor or an onlooker holds it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, Self

from colony_jupyter.client.channel import AsyncChannel
from colony_jupyter.errors import (
    ChannelError,
    ColonyError,
    ProcessCancelled,
    ProcessFailed,
    ProcessRemoved,
    ServerRefused,
    UsageError,
    WaitTimeout,
)
from colony_jupyter.wire.models import NO_TIME, FunctionSpec, ProcessRecord, ProcessState

if TYPE_CHECKING:
    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.client.reading import StreamCore

SYNC: Final = "sync"
"""Name of the channel on which a reader tells that it has everything, so that the executor may close."""

ACK: Final = "ack"

_TO_BE: Final = {
    ProcessState.WAITING: "to wait",
    ProcessState.RUNNING: "to run",
    ProcessState.SUCCESS: "to end",  # whoever waits for this is told at any other end, too
    ProcessState.FAILED: "to fail",
    ProcessState.CANCELLED: "to be cancelled",
}


class ProcessFacts:
    """What is known of a process: the fields of the wire, as the server told them last."""

    processid: str

    @property
    def record(self) -> ProcessRecord:
        """The process as the server told it last."""
        raise NotImplementedError

    @property
    def state(self) -> ProcessState:
        """WAITING, RUNNING, SUCCESS, FAILED or CANCELLED."""
        return self.record.state

    @property
    def spec(self) -> FunctionSpec:
        """What was submitted."""
        return self.record.spec

    @property
    def funcname(self) -> str:
        """Name of the function."""
        return self.record.spec.funcname

    @property
    def input(self) -> list[Any]:
        """Outputs of the processes this one depends on (``in`` on the wire)."""
        return self.record.input

    @property
    def output(self) -> list[Any]:
        """The output (``out`` on the wire)."""
        return self.record.output

    @property
    def errors(self) -> list[str]:
        """What went wrong, in the executor's words."""
        return self.record.errors or []

    @property
    def initiatorid(self) -> str:
        """Id of who submitted it."""
        return self.record.initiatorid

    @property
    def initiatorname(self) -> str:
        """Name of who submitted it."""
        return self.record.initiatorname

    @property
    def assignedexecutorid(self) -> str:
        """Id of the executor that runs it or ran it; empty while waiting."""
        return self.record.assignedexecutorid

    @property
    def isassigned(self) -> bool:
        """Whether an executor has it or had it to the end."""
        return self.record.isassigned

    @property
    def submissiontime(self) -> str:
        """When it was submitted, RFC 3339."""
        return self.record.submissiontime

    @property
    def starttime(self) -> str:
        """When it was assigned, RFC 3339; year 1 if never."""
        return self.record.starttime

    @property
    def endtime(self) -> str:
        """When it ended, RFC 3339; year 1 if it has not."""
        return self.record.endtime

    @property
    def waitdeadline(self) -> str:
        """Until when it may wait, RFC 3339; year 1 for no limit."""
        return self.record.waitdeadline

    @property
    def execdeadline(self) -> str:
        """Until when it may run, RFC 3339; year 1 for no limit. Out of date right after assigning (trap 29)."""
        return self.record.execdeadline

    @property
    def retries(self) -> int:
        """How often it was put back for running too long."""
        return self.record.retries

    @property
    def prioritytime(self) -> int:
        """What it is ordered by while waiting: the lower the sooner."""
        return self.record.prioritytime

    @property
    def attributes(self) -> list[Any]:
        """Keys and values kept with it."""
        return self.record.attributes

    @property
    def waitforparents(self) -> bool:
        """Whether it waits for processes it depends on."""
        return self.record.waitforparents

    @property
    def parents(self) -> list[str]:
        """Ids of the processes it depends on."""
        return self.record.parents

    @property
    def children(self) -> list[str]:
        """Ids of the processes that depend on it."""
        return self.record.children

    @property
    def processgraphid(self) -> str:
        """Id of its workflow; empty outside one."""
        return self.record.processgraphid

    def __str__(self) -> str:
        return self.processid

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProcessFacts) and other.processid == self.processid

    def __hash__(self) -> int:
        return hash(self.processid)

    def __repr__(self) -> str:
        try:
            return f"<{type(self).__name__} {self.funcname} {self.processid[:8]} {self.state.name}>"
        except UsageError:
            return f"<{type(self).__name__} {self.processid[:8]}>"


class AsyncProcess(ProcessFacts):
    """A process, for asyncio.

    Args:
        colony: the colony it is in.
        processid: its id.
    """

    def __init__(self, colony: AsyncColony, processid: str) -> None:
        self.colony = colony
        self.processid = processid
        self.shared = colony.shared(processid)

    @property
    def record(self) -> ProcessRecord:
        """The process as the server told it last.

        Raises:
            UsageError: if the server was never asked.
        """
        record = self.shared.watch.record
        if record is None:
            raise UsageError(f"Nothing is known of process {self.processid} yet: call refresh() first.")
        return record

    def channel(self, name: str) -> AsyncChannel:
        """Give a handle to one of its channels."""
        return AsyncChannel(self, name)

    async def refresh(self) -> ProcessRecord:
        """Ask the server for the process now.

        Raises:
            ProcessRemoved: if it is not known any more.
        """
        watch = self.shared.watch
        await watch.refresh()
        if watch.removed or watch.record is None:
            raise ProcessRemoved(self.processid)
        return watch.record

    async def wait(self, state: ProcessState, timeout: float | None = None) -> Self:
        """Wait until it is in a state, or has been and is past it.

        Args:
            state: the state.
            timeout: seconds; None for no limit.

        Raises:
            WaitTimeout: if it is not in that time; the message says what it waits for.
            ProcessFailed, ProcessCancelled, ProcessRemoved: if it ended another way, so that it never will be.
        """
        watch = self.shared.watch
        if watch.record is None:
            await self.refresh()
        try:
            async with asyncio.timeout(timeout), watch.following():
                while not self._reached(state):
                    await watch.change()
        except TimeoutError:
            hint = f"It is {self.record.state.name}."
            if self.record.state is ProcessState.WAITING:
                hint = await self.colony.explain_waiting(self.record)
            what = f"{self.funcname} ({self.processid[:8]}) {_TO_BE[state]}"
            raise WaitTimeout(what, timeout or 0, hint) from None
        return self

    async def running(self, timeout: float | None = None) -> Self:
        """Wait until it runs, or has run.

        Raises:
            WaitTimeout: if it does not in that time.
            ProcessFailed, ProcessCancelled, ProcessRemoved: if it ended without ever running.
        """
        return await self.wait(ProcessState.RUNNING, timeout)

    async def closed(self, timeout: float | None = None) -> Self:
        """Wait until it has ended, however it ended.

        Raises:
            WaitTimeout: if it has not in that time.
            ProcessRemoved: if it was removed.
        """
        with contextlib.suppress(ProcessFailed, ProcessCancelled):
            await self.wait(ProcessState.SUCCESS, timeout)
        return self

    async def result(self, timeout: float | None = None) -> Any:
        """Wait for its end and give its output: None for none, the value if it is one, else the list.

        A process with a channel ``sync`` whose channels nobody reads here is acknowledged at once.

        Raises:
            WaitTimeout: if it has not ended in that time.
            ProcessFailed: with the executor's errors, if it failed.
            ProcessCancelled, ProcessRemoved: as they say.
        """
        if self.shared.watch.record is None:
            await self.refresh()
        if not self.shared.readers.opened:
            await self.acknowledge()
        await self.wait(ProcessState.SUCCESS, timeout)
        output = self.output
        return output if len(output) > 1 else output[0] if output else None

    async def cancel(self) -> None:
        """Cancel it. Its executor is not told, and finds out at its next call."""
        await self.colony.cancel(self.processid)
        await self.refresh()

    # what streams tell

    def reader_started(self, core: StreamCore) -> None:
        """Count a reader of one of the channels, for the acknowledged ending."""
        self.shared.readers.opened.add(core.channel)

    async def reader_ended(self, core: StreamCore) -> None:
        """Acknowledge once every channel that was opened here has ended and been handed over."""
        readers = self.shared.readers
        readers.ended.add(core.channel)
        if readers.opened <= readers.ended:
            await self.acknowledge()

    async def acknowledge(self) -> None:
        """Tell the executor, once, that everything was received; only where a channel ``sync`` says that it waits."""
        readers = self.shared.readers
        record = self.record
        if SYNC not in record.spec.channels or record.initiatorid != self.colony.key.id or readers.acknowledged:
            return
        readers.acknowledged = True
        with contextlib.suppress(ChannelError, ServerRefused):  # closed already: nobody waits for it
            await self.channel(SYNC).send(ACK)

    def _reached(self, state: ProcessState) -> bool:
        """Whether it is in a state or past it.

        Raises:
            ProcessFailed, ProcessCancelled, ProcessRemoved: if it never will be.
        """
        watch = self.shared.watch
        record = self.record
        if record.state is state or (state is ProcessState.RUNNING and record.state.is_closed and _has_run(record)):
            return True
        if watch.removed:
            raise ProcessRemoved(self.processid, record.spec.funcname)
        if record.state.is_closed:
            raise_unless_successful(record)
            raise ColonyError(f"{record.spec.funcname} ({self.processid[:8]}) ended with success, not {state.name}.")
        return False


def raise_unless_successful(record: ProcessRecord) -> None:
    """Raise what a process that has ended calls for.

    Raises:
        ProcessFailed, ProcessCancelled: as it ended.
    """
    if record.state is ProcessState.FAILED:
        raise ProcessFailed(record.processid, record.spec.funcname, record.errors or [])
    if record.state is ProcessState.CANCELLED:
        raise ProcessCancelled(record.processid, record.spec.funcname)


def _has_run(record: ProcessRecord) -> bool:
    return record.starttime not in ("", NO_TIME)
