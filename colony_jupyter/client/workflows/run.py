"""A submitted workflow: its state, its processes, and waiting for it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, Self

from colony_jupyter.client.process import AsyncProcess
from colony_jupyter.client.process_facts import handles
from colony_jupyter.client.transport.gateway import asked_to_wait
from colony_jupyter.client.workflows.checks import order
from colony_jupyter.client.workflows.facts import RunFacts
from colony_jupyter.errors import (
    ColonyError,
    ProcessRemoved,
    UsageError,
    WaitTimeout,
    WorkflowNotFound,
)
from colony_jupyter.wire.models import SYNC, ProcessState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from colony_jupyter.client.client import Client
    from colony_jupyter.values.records import Records
    from colony_jupyter.wire.models import Workflow

_POLL: Final = 0.5
"""Seconds between two requests for a workflow."""
_POLL_EACH: Final = 0.01
"""Seconds between two requests for each of its processes: the server reads all of them for one reply."""
_LONGEST_POLL: Final = 4.0
_AT_ONCE: Final = 8
"""Requests for processes that are under way together."""


class AsyncWorkflowRun(RunFacts[AsyncProcess]):
    """A submitted workflow, for asyncio. ``run["node"]`` is the process of a node. Made by `AsyncColony.submit`.

    One request shows which of its processes have another state; only those are asked for.

    Args:
        colony: the colony it is in.
        record: the workflow, as the server reported it.
    """

    def __init__(self, colony: Client, record: Workflow) -> None:
        self.colony = colony
        self._record = record
        self._members: dict[str, AsyncProcess] = {}  # by id, in the order in which they were learned
        self._styles: dict[str, object] = {}  # how the server drew each one when it was asked for
        self._turn = asyncio.Lock()
        self._followers = 0
        self._acknowledging: dict[str, asyncio.Task[None]] = {}  # by process
        self.unanswered = False
        """Whether the latest request that `poll` made was not answered."""

    @property
    def record(self) -> Workflow:
        """The workflow as the server reported it last."""
        return self._record

    @property
    def members(self) -> Records[AsyncProcess]:
        """Its processes, each after those it depends on."""
        return handles(_ordered(self._members))

    @property
    def is_over(self) -> bool:
        """Whether all its processes have ended."""
        known = self._members
        return self._record.state.is_closed and all(
            _is_over(each) and known.keys() >= set(each.record.children) for each in known.values()
        )

    def poll_interval(self) -> float:
        """Return the seconds between two requests for it."""
        return min(max(_POLL, _POLL_EACH * len(self._members)), _LONGEST_POLL)

    async def refresh(self) -> Workflow:
        """Ask the server for the workflow now, and for those of its processes that have another state.

        Raises:
            WorkflowNotFound: if it was removed.
        """
        async with self._turn:
            record = await self.colony.get_workflow(self.processgraphid)
            styles = {str(node.get("id", "")): node.get("style") for node in record.nodes}
            ids = list(dict.fromkeys([*self._record.processids, *record.processids]))
            changed = [one for one in ids if self._is_new(one, styles.get(one), record)]
            turns = asyncio.Semaphore(_AT_ONCE)
            found = {one: self._members.get(one) or AsyncProcess(self.colony, one) for one in changed}
            await asyncio.gather(*(_ask(turns, member) for member in found.values()))
            for one, member in found.items():
                if member.shared.watch.record is not None:
                    self._members[one] = member
                    self._styles[one] = styles.get(one)
            self._record = record
            return record

    async def wait(self, timeout: float | None = None) -> Self:
        """Wait until all its processes have ended, however they ended.

        Args:
            timeout: seconds; None for no limit.

        Raises:
            WaitTimeout: if they have not in that time.
            WorkflowNotFound: if it was removed.
        """
        try:
            async with asyncio.timeout(timeout), self.following():
                while True:
                    pause = await self.poll()
                    if self.is_over:
                        break
                    await asyncio.sleep(pause)
        except TimeoutError:
            open_ones = [name for name, each in self._by_name().items() if not _is_over(each)]
            hint = f"Not ended: {', '.join(open_ones)}."
            raise WaitTimeout(f"Workflow {self.processgraphid[:8]} to end", timeout or 0, hint) from None
        return self

    @contextlib.asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """As long as the context lasts, acknowledge for processes that no task reads: their executors wait for that."""
        self._followers += 1
        try:
            yield
        finally:
            self._followers -= 1
            if not self._followers:
                tasks, self._acknowledging = list(self._acknowledging.values()), {}
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def poll(self) -> float:
        """Ask for it once, and set `unanswered` if there was no answer; return the seconds to wait after that.

        Raises:
            WorkflowNotFound: if it was removed.
        """
        self.unanswered = False
        try:
            await self.refresh()
        except (WorkflowNotFound, UsageError):
            raise
        except ColonyError as error:  # the next request may be answered
            self.unanswered = True
            return max(asked_to_wait(error), self.poll_interval())
        for one, member in self._members.items():
            waits = SYNC in member.spec.channels and member.state is ProcessState.RUNNING
            if waits and self._followers and one not in self._acknowledging:
                acknowledging = member.shared.readers.acknowledge_when_left()
                self._acknowledging[one] = asyncio.create_task(acknowledging)
        return self.poll_interval()

    async def result(self, timeout: float | None = None) -> dict[str, Any]:
        """Wait until it has succeeded and return its results.

        Args:
            timeout: seconds; None for no limit.

        Returns:
            The results of the nodes that no other depends on, by their names; see `AsyncProcess.result`.

        Raises:
            WaitTimeout: if it has not ended in that time.
            WorkflowFailed: if a process failed; names the nodes and their reasons.
            WorkflowCancelled: if it was cancelled.
            WorkflowNotFound: if it was removed.
        """
        await self.wait(timeout)
        self.raise_unless_successful()
        leaves = {name: each for name, each in self._by_name().items() if not each.children}
        return {name: await each.result() for name, each in tuple(leaves.items())}

    async def cancel(self) -> None:
        """Cancel all of it that has not ended. One that has ended stays as it ended (trap 31).

        Raises:
            WorkflowNotFound: if it was removed.
        """
        await self.refresh()
        if not self.is_over:
            await self.colony.cancel_workflow(self.processgraphid)
            await self.refresh()

    def _is_new(self, processid: str, style: object, record: Workflow) -> bool:
        member = self._members.get(processid)
        if member is None or style != self._styles.get(processid):
            return True
        return record.state.is_closed and not _is_over(member)


async def _ask(turns: asyncio.Semaphore, member: AsyncProcess) -> None:
    async with turns:
        with contextlib.suppress(ProcessRemoved):
            await member.refresh()


def _is_over(member: AsyncProcess) -> bool:
    return member.shared.watch.is_over


def _ordered(members: Mapping[str, AsyncProcess]) -> list[AsyncProcess]:
    """Order processes so that each comes after those it depends on; otherwise they stay in their order."""
    placed = order({one: member.parents for one, member in members.items()})
    # A server may take a circle from another client.
    return [members[one] for one in dict.fromkeys([*placed, *members])]
