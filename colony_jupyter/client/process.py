"""A handle to a process: its state, channels, log and result."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, Self

from colony_jupyter.client.channel import AsyncChannel
from colony_jupyter.client.process_facts import ProcessFacts, as_state, output_value
from colony_jupyter.client.streams.log_stream import AsyncLogStream
from colony_jupyter.errors import (
    ColonyError,
    ProcessCancelled,
    ProcessFailed,
    ProcessRemoved,
    UsageError,
    WaitTimeout,
)
from colony_jupyter.wire.models import NO_TIME, ProcessRecord, ProcessState

if TYPE_CHECKING:
    from colony_jupyter.client.client import Client
    from colony_jupyter.client.process_session import ProcessSession

_TO_BE: Final = {
    ProcessState.WAITING: "to wait",
    ProcessState.RUNNING: "to run",
    ProcessState.SUCCESS: "to end",  # a wait for this ends at any other end, too
    ProcessState.FAILED: "to fail",
    ProcessState.CANCELLED: "to be cancelled",
}


class AsyncProcess(ProcessFacts):
    """A process, for asyncio. Made by `AsyncColony.submit` and `AsyncColony.get_process`.

    Args:
        colony: the colony it is in.
        processid: its id.
    """

    def __init__(self, colony: Client, processid: str) -> None:
        self.colony = colony
        self.processid = processid
        self._shared = colony.shared(processid)

    @property
    def shared(self) -> ProcessSession:
        """What all handles of the client to this process have in common; new in a forked child and on another loop."""
        if self._shared.scope.is_over:
            record, self._shared = self._shared.watch.record, self.colony.shared(self.processid)
            if record is not None:
                self._shared.learn(record)
        return self._shared

    @property
    def record(self) -> ProcessRecord:
        """The process as the server reported it last.

        Raises:
            UsageError: if the server was never asked.
        """
        record = self.shared.watch.record
        if record is None:
            raise UsageError(f"Nothing is known of process {self.processid} yet: call refresh() first.")
        return record

    def channel(self, name: str) -> AsyncChannel:
        """Return a handle to one of its channels."""
        return AsyncChannel(lambda: self.shared, name)

    def log(self, *, timeout: float | None = None) -> AsyncLogStream:
        """Read the lines of its log as they come, from the first one on; the stream ends with the process.

        ``print(line)`` shows a line's text; its other fields are those of `Log`. `AsyncColony.logs` lists those that
        are there now.

        Args:
            timeout: seconds for the whole stream; None for no limit.
        """
        return AsyncLogStream(self.shared, timeout=timeout)

    async def refresh(self) -> ProcessRecord:
        """Ask the server for the process now.

        Raises:
            ProcessRemoved: if it is not known any more.
        """
        return await self.shared.refresh()

    async def wait(self, state: ProcessState | int | str, timeout: float | None = None) -> Self:
        """Wait until it is in a state, or has been and is past it.

        Args:
            state: the state, or its name.
            timeout: seconds; None for no limit.

        Raises:
            UsageError: if there is no such state.
            WaitTimeout: if it is not in that time; the message names what it waits for.
            ProcessFailed, ProcessCancelled, ProcessRemoved: if it ended another way, so that it never will be.
        """
        state = as_state(state)
        watch = self.shared.watch
        if watch.record is None:
            await self.refresh()
        try:
            async with asyncio.timeout(timeout), watch.following():
                while not self._reached(state):
                    await watch.change()
        except ProcessFailed as failure:
            cause = await self.colony.workflow_failure(self.record)
            if cause:
                raise ProcessFailed(failure.processid, failure.funcname, cause=cause) from None
            raise
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
        """Wait for its end and return its output: None without any, one value as it is, several as a list.

        A picture or another object with a Jupyter representation arrives as a `MimeBundle`, a dict by media types,
        which a notebook shows.

        An executor that waits for an acknowledgement (channel ``sync``) gets it as soon as no reader of this client
        waits for entries of the process.

        Raises:
            WaitTimeout: if it has not ended in that time.
            ProcessFailed: with the executor's errors, if it failed.
            ProcessCancelled, ProcessRemoved: if it was.
        """
        if self.shared.watch.record is None:
            await self.refresh()
        acknowledging = asyncio.create_task(self.shared.readers.acknowledge_when_left())
        try:
            await self.wait(ProcessState.SUCCESS, timeout)
        finally:
            acknowledging.cancel()
            await asyncio.gather(acknowledging, return_exceptions=True)
        return output_value(self.record)

    async def cancel(self) -> None:
        """Cancel it. Its executor gets no notice: it learns of it at its next call.

        Raises:
            UsageError: if it is part of a workflow, which can be cancelled only as a whole.
        """
        record = self.shared.watch.record or await self.refresh()
        if record.processgraphid and not record.state.is_closed:
            raise UsageError(f"{record.spec.funcname} ({self.processid[:8]}) {only_as_a_whole(record.processgraphid)}")
        await self.colony.cancel(self.processid)
        await self.refresh()

    def _reached(self, state: ProcessState) -> bool:
        """Whether it is in a state or past it.

        Raises:
            ProcessFailed, ProcessCancelled, ProcessRemoved: if it never will be.
        """
        watch = self.shared.watch
        record = self.record
        if state in (record.state, ProcessState.WAITING):  # each has waited
            return True
        if state is ProcessState.RUNNING and record.state.is_closed and _has_run(record):
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


def only_as_a_whole(processgraphid: str) -> str:
    """Explain, as the rest of a sentence about a process, that its workflow can be cancelled only as a whole."""
    short = processgraphid[:8]
    return (
        f"is part of workflow {short}: ColonyOS cancels a workflow only as a whole. `%colony cancel {short}` and "
        "run.cancel() do that."
    )


def _has_run(record: ProcessRecord) -> bool:
    return record.starttime not in ("", NO_TIME)
