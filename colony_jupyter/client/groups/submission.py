"""Submits the processes of a group at the server's pace, each once.

A next one is submitted when one is answered. Where a gateway asks to wait, all wait. A process whose answer was lost is
looked for before it is submitted again: a server lists those that were submitted within the last seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.channels.backoff import RetryTimer
from colony_jupyter.client.groups.pace import Pace
from colony_jupyter.client.streams.acknowledgement import ACK
from colony_jupyter.errors import ColonyError, RateLimited, ServerUnreachable
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import SYNC, ProcessRecord, ProcessState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colony_jupyter.client.connection import Connection
    from colony_jupyter.client.groups.tracker import Member, Tracker

_LEAVE: Final = 0.4
"""Seconds for which calls under way are awaited after an interrupt: what they submit must be known."""
_EARLIER: Final = 2
"""Seconds before the first lost answer from which on processes are looked for: a server compares whole seconds."""

_Attempt = asyncio.Task[ProcessRecord]


class Submission:
    """Submits members of a group.

    Args:
        connection: the client that submits.
        colonyname: name of the colony.
        tracker: the group; it learns of each process.
        members: what to submit, in this order.
    """

    def __init__(self, connection: Connection, colonyname: str, tracker: Tracker, members: Iterable[Member]) -> None:
        self.unsure: list[Member] = []
        """Members whose submission was sent and not answered."""
        self._connection = connection
        self._colonyname = colonyname
        self._tracker = tracker
        self._queue = deque(members)
        self._under_way: dict[_Attempt, tuple[Member, float]] = {}  # with the time at which it was sent
        self._pace = Pace()
        self._lost_since = 0.0  # when the first of the unsure ones was sent

    async def run(self) -> None:
        """Submit all.

        Raises:
            ServerUnreachable: after a minute without an answer.
            ServerRefused: if the server refuses one.
        """
        retry_timer = RetryTimer(random.random, _now())
        try:
            while self._queue or self._under_way or self.unsure:
                if self.unsure and not self._under_way:
                    await self._wait()
                    await self._find_lost(retry_timer)
                    continue
                if self._queue and not self.unsure and len(self._under_way) < self._pace.width:
                    await self._wait()
                    self._start(self._queue.popleft())
                    continue
                done, _ = await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
                self._collect(done, retry_timer)
        finally:
            await self._leave()

    def _start(self, member: Member) -> None:
        self._under_way[asyncio.create_task(self._submit(member))] = (member, _now())

    async def _submit(self, member: Member) -> ProcessRecord:
        record = await self._connection.call(messages.SubmitFunctionSpec(spec=member.spec), ProcessRecord)
        if SYNC in member.spec.channels:
            # A group reads no channels, so no executor need wait for it.
            message = messages.ChannelAppend(processid=record.processid, name=SYNC, sequence=1, payload=ACK.encode())
            with contextlib.suppress(ColonyError):  # the executor then waits its time, or has closed the process
                await self._connection.call(message, dict[str, Any])
        return record

    def _collect(self, done: Iterable[_Attempt], retry_timer: RetryTimer) -> None:
        """Apply answers.

        Raises:
            ServerUnreachable, ServerRefused: what ends the submission.
        """
        fatal: BaseException | None = None
        for attempt in done:
            member, sent = self._under_way.pop(attempt)
            error = attempt.exception()
            if error is None:
                self._pace.answered()
                retry_timer.answered(_now())
                self._tracker.submitted(member, attempt.result(), _now())
            elif isinstance(error, ServerUnreachable | RateLimited):
                if isinstance(error, ServerUnreachable) and error.sent:
                    self._lost_since = min(self._lost_since, sent) if self.unsure else sent
                    self.unsure.append(member)
                else:
                    self._queue.appendleft(member)
                fatal = fatal or self._slow_down(error, retry_timer)
            else:
                fatal = fatal or error
        if fatal is not None:
            raise fatal

    def _slow_down(self, error: ServerUnreachable | RateLimited, retry_timer: RetryTimer) -> BaseException | None:
        """Wait before the next call; returns the error if it is time to give up."""
        now = _now()
        asked = error.retry_after if isinstance(error, ServerUnreachable) else 0.0
        delay = retry_timer.delay(now, asked)
        if delay is None:
            return error
        self._pace.slow_down(now, delay)
        return None

    async def _find_lost(self, retry_timer: RetryTimer) -> None:
        """Find the processes whose answers were lost; the members without one are submitted again."""
        found: list[ProcessRecord] = []
        for state in ProcessState:  # in the order in which a process passes them
            found += await self._submitted_lately(state, retry_timer)
        unsure, self.unsure = self.unsure, []
        for member in unsure:
            record = next((each for each in found if self._is_of(each, member)), None)
            if record is None:
                self._queue.appendleft(member)
            else:
                self._tracker.submitted(member, record, _now())

    async def _submitted_lately(self, state: ProcessState, retry_timer: RetryTimer) -> list[ProcessRecord]:
        """List the processes of a state that were submitted since the first answer was lost."""
        while True:
            seconds = math.ceil(_now() - self._lost_since) + _EARLIER
            message = messages.GetProcessHistory(colonyname=self._colonyname, seconds=seconds, state=state)
            try:
                records = await self._connection.call(message, list[ProcessRecord])
            except (ServerUnreachable, RateLimited) as error:
                if self._slow_down(error, retry_timer) is not None:
                    raise
                await self._wait()
            else:
                retry_timer.answered(_now())
                return records

    def _is_of(self, record: ProcessRecord, member: Member) -> bool:
        """Whether a process is one that was submitted for a member, or for another one with equal arguments."""
        spec, wanted = record.spec, member.spec
        return (
            not self._tracker.owns(record.processid)
            and record.initiatorid == self._connection.key.id
            and (spec.label, spec.funcname) == (wanted.label, wanted.funcname)
            and (spec.args, spec.kwargs) == (wanted.args, wanted.kwargs)
        )

    async def _wait(self) -> None:
        await asyncio.sleep(self._pace.wait(_now()))

    async def _leave(self) -> None:
        """Apply what is answered soon, when the submission ends early, and give up the rest."""
        if not self._under_way:
            return
        done, left = await asyncio.wait(self._under_way, timeout=_LEAVE)
        for attempt in left:
            attempt.cancel()
        for attempt in done | left:
            member, _ = self._under_way.pop(attempt)
            if attempt in done and attempt.exception() is None:
                self._tracker.submitted(member, attempt.result(), _now())
            elif attempt in left or (isinstance(error := attempt.exception(), ServerUnreachable) and error.sent):
                self.unsure.append(member)
        await asyncio.gather(*left, return_exceptions=True)


def _now() -> float:
    return asyncio.get_running_loop().time()
