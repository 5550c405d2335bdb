"""Many processes of one function, as one object."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, Literal, Self, SupportsIndex, overload

from colony_jupyter.client.groups.submission import Submission
from colony_jupyter.client.groups.tracker import REMOVED, Member, Tracker
from colony_jupyter.client.groups.watcher import GroupWatcher
from colony_jupyter.client.process import AsyncProcess, raise_unless_successful
from colony_jupyter.client.process_facts import output_value
from colony_jupyter.client.transport.http import persist
from colony_jupyter.errors import (
    GroupFailed,
    ProcessError,
    ProcessRemoved,
    ServerRefused,
    UsageError,
    WaitTimeout,
)
from colony_jupyter.values.records import Records, Tabular
from colony_jupyter.values.rows import GROUP, group_row
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from colony_jupyter.client.client import Client
    from colony_jupyter.wire.models import FunctionSpec, ProcessRecord

Errors = Literal["raise", "return"]

_AT_ONCE: Final = 8
"""Processes that are cancelled at the same time."""


class AsyncProcessGroup(Tabular):
    """The processes of a map, in the order of its values, for asyncio. Made by `AsyncColony.map`.

    ``len``, indices and iteration give the processes. Nothing is asked of the server unless something waits: one list
    for each state then shows how all of them are.

    Args:
        colony: the colony it is in.
        specs: what is submitted.
        columns: the arguments of each by their names.
        funcname: name of the function, for a group without processes.
    """

    def __init__(
        self, colony: Client, specs: Sequence[FunctionSpec], columns: Sequence[dict[str, Any]], funcname: str = ""
    ) -> None:
        self.colony = colony
        self.funcname = specs[0].funcname if specs else funcname
        self.label = specs[0].label if specs else ""
        self.asked = len(specs)
        """Number of processes that were to be submitted."""
        self.unsure = 0
        """Number of processes whose submission was not answered when it was interrupted; they may exist."""
        self.tracker = Tracker()
        self._planned = [Member(index, *each) for index, each in enumerate(zip(columns, specs, strict=True))]
        self._watch = GroupWatcher(colony, colony.colonyname, self.label, self.tracker)

    # submitting

    async def submit(self) -> None:
        """Submit the processes; called by the map itself.

        Raises:
            ServerUnreachable, ServerRefused: see there. The group then has the processes that were submitted.
        """
        planned, self._planned = self._planned, []
        try:
            await self._submit(planned)
        except BaseException as error:
            error.add_note(self.report())
            raise

    async def _submit(self, members: Sequence[Member]) -> None:
        submission = Submission(self.colony, self.colony.colonyname, self.tracker, members)
        if not self.tracker.members:
            self.tracker.members = list(members)
        try:
            async with self.watch.following():  # executors may close many in the meantime
                await submission.run()
        finally:
            self.unsure = len(submission.unsure)
            self.tracker.members = [member for member in self.tracker.members if member.record is not None]
            self._watch.wake()

    async def retry_failed(self) -> Self:
        """Submit the processes that failed again; each takes the place of its earlier one. Returns the group."""
        failed = [each for each in self.tracker.over if each.state == ProcessState.FAILED.name]
        await self._submit(sorted(failed, key=lambda member: member.index))
        return self

    # what is known

    def __len__(self) -> int:
        return len(self.tracker.members)

    @overload
    def __getitem__(self, index: SupportsIndex) -> AsyncProcess: ...
    @overload
    def __getitem__(self, index: slice) -> list[AsyncProcess]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> AsyncProcess | list[AsyncProcess]:
        found = self.tracker.members[index]
        return [self.handle(each) for each in found] if isinstance(found, list) else self.handle(found)

    @property
    def is_over(self) -> bool:
        """Whether all have ended, as far as is known."""
        return self.tracker.is_over

    def counts(self) -> dict[str, int]:
        """Count the processes by the names of their states, as they were seen last: see `refresh`."""
        return self.tracker.counts()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.funcname}: {self.describe()}>"

    def report(self) -> str:
        """Report what was submitted when the submission ended early, as a sentence."""
        unsure = f", and {self.unsure} more may have been" if self.unsure else ""
        return (
            f"{len(self)} of {self.asked} processes of {self.funcname} were submitted{unsure}: they go on, under the "
            f"label '{self.label}'."
        )

    def describe(self) -> str:
        """Describe what is known in a line, such as ``"10 processes, 2 RUNNING, 8 SUCCESS"``."""
        number = f"{len(self)} of {self.asked}" if len(self) < self.asked else f"{len(self)}"
        states = [f"{count} {state}" for state, count in self.counts().items()]
        return ", ".join([f"{number} {'process' if number == '1' else 'processes'}", *states])

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a row for each process, as they were seen last: its arguments, output, state and errors."""
        return self._rows().to_dicts()

    def _rows(self) -> Records[Member]:
        return Records(self.tracker.members, _row, GROUP)

    # following

    @property
    def watch(self) -> GroupWatcher:
        """What keeps the group up to date; new in a forked child and on another loop."""
        if self._watch.scope.is_over:
            self._watch = GroupWatcher(self.colony, self.colony.colonyname, self.label, self.tracker)
        return self._watch

    async def refresh(self) -> None:
        """Ask the server for the states of all processes now.

        Raises:
            ServerUnreachable, ServerRefused: see there.
        """
        await self.watch.refresh()

    async def results(self, timeout: float | None = None, *, errors: Errors = "raise") -> list[Any]:
        """Wait until all have ended and return their results, in the order of the values; see `AsyncProcess.result`.

        Args:
            timeout: seconds for all of them; None for no limit.
            errors: ``"return"`` gives the error of a process that did not succeed in the place of its result.

        Raises:
            GroupFailed: if some did not succeed.
            UsageError: for another value of ``errors``.
            WaitTimeout: if they have not ended in that time.
        """
        if errors not in ("raise", "return"):
            raise UsageError(f"errors is {errors!r}: it must be 'raise' or 'return'.")
        await self._wait_until(lambda: self.is_over, timeout)
        results = [_outcome(member) for member in self.tracker.members]
        failures = [each for each in results if isinstance(each, ProcessError)]
        if failures and errors == "raise":
            raise GroupFailed(failures, len(self))
        return results

    async def as_completed(self, timeout: float | None = None) -> AsyncIterator[AsyncProcess]:
        """Yield the processes as they end, however they end.

        Args:
            timeout: seconds until the last one; None for no limit.

        Raises:
            WaitTimeout: if they have not all ended in that time.
        """
        limit = None if timeout is None else asyncio.get_running_loop().time() + timeout
        seen: set[str] = set()
        while True:
            left = None if limit is None else limit - asyncio.get_running_loop().time()
            try:
                completed = await self.next_completed(seen, left)
            except WaitTimeout as error:
                error.seconds = timeout or 0.0
                raise
            if not completed:
                return
            for process in completed:
                seen.add(process.processid)
                yield process

    async def next_completed(self, seen: set[str], timeout: float | None = None) -> list[AsyncProcess]:
        """Wait until more processes have ended than those seen, and return these, in the order they ended.

        Returns:
            The processes; none if all have ended and were seen.

        Raises:
            WaitTimeout: if none has ended in that time.
        """

        def ended() -> list[Member]:
            return [member for member in self.tracker.over if _record(member).processid not in seen]

        await self._wait_until(lambda: self.is_over or bool(ended()), timeout)
        return [self.handle(member) for member in ended()]

    async def _wait_until(self, condition: Callable[[], bool], timeout: float | None) -> None:
        watch = self.watch
        try:
            async with asyncio.timeout(timeout), contextlib.AsyncExitStack() as stack:
                if not condition():
                    await stack.enter_async_context(watch.following())
                while not condition():
                    await watch.change()
        except TimeoutError:
            what = f"{len(self)} {'process' if len(self) == 1 else 'processes'} of {self.funcname} to end"
            raise WaitTimeout(what, timeout or 0, await self._hint()) from None

    async def _hint(self) -> str:
        if self._watch.trouble:
            return self._watch.trouble
        counts = self.counts()
        hint = f"They are: {', '.join(f'{count} {state}' for state, count in counts.items())}."
        waiting = next((each for each in self.tracker.open_members() if each.state == "WAITING"), None)
        if waiting is not None and waiting.record is not None and "RUNNING" not in counts:
            hint += f" {await self.colony.explain_waiting(waiting.record)}"
        return hint

    # ending

    async def cancel(self) -> None:
        """Cancel all that have not ended. An executor gets no notice: it learns of it at its next call.

        Raises:
            ServerUnreachable: after a minute without an answer.
        """
        gate = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(self._cancel(member, gate) for member in self.tracker.open_members()))
        await self.refresh()
        self.watch.wake()

    async def _cancel(self, member: Member, gate: asyncio.Semaphore) -> None:
        async with gate:
            record = member.record
            if record is None or member.is_over:
                return
            message = messages.CancelProcess(processid=record.processid)
            with contextlib.suppress(ServerRefused):  # it has ended, as the next list shows
                await persist(lambda: self.colony.call(message, dict[str, Any]))
                self.tracker.cancelled(member)

    def handle(self, member: Member) -> AsyncProcess:
        """Return the handle of a member."""
        record = member.record
        assert record is not None  # noqa: S101 - members without are not kept
        process = AsyncProcess(self.colony, record.processid)
        process.shared.learn(record)
        return process


def _outcome(member: Member) -> Any:
    """Return the result of a member that is over, or its error."""
    record = _record(member)
    if member.removed:
        return ProcessRemoved(record.processid, record.spec.funcname)
    try:
        raise_unless_successful(record)
    except ProcessError as error:
        return error
    return output_value(record)


def _record(member: Member) -> ProcessRecord:
    assert member.record is not None  # noqa: S101 - members without are not kept
    return member.record


def _row(member: Member) -> dict[str, Any]:
    record = _record(member)
    output = output_value(record) if record.state is ProcessState.SUCCESS else None
    return group_row(member.columns, record, output, REMOVED if member.removed else record.state.name)
