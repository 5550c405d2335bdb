"""The state of one process, known soon after it changes.

The server is asked for the process about twice a second, because not every end is announced: members of failed and
cancelled workflows, removals. Where many processes are followed, lists of those that wait and run take the place of
these requests, and only a process that has left its list is asked for.

Where no channel of the process is read, one socket waits for the next state in the usual course (RUNNING, then
SUCCESS); one connection carries one announcement (trap 8), and what changes between two is asked for. Where a channel
is read, its own socket is the only one, and its ``end`` entry leads to asking at once. The announcement of success has
no output (trap 10), so the server is always asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from colony_jupyter.channels.backoff import delays
from colony_jupyter.client.streams.state_list import StateList
from colony_jupyter.client.transport.gateway import asked_to_wait
from colony_jupyter.errors import ColonyError, ProcessNotFound, WebSocketRefused
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import ProcessRecord, ProcessState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from colony_jupyter.client.connection import Connection

_POLL: Final = 0.5
"""Seconds between two requests for one process."""
_POLL_EACH: Final = 0.01
"""Seconds between two requests for any of the processes, so that many of them do not load the server."""
_LONGEST_POLL: Final = 4.0
_FEW: Final = 8
"""Followed processes up to which each is asked for; more are found in lists, which are large on a busy server."""
_IDLE_READS_APART: Final = 0.05
"""Seconds between two reads of logs of channels in which nothing arrives: all streams of a client share them."""

_LOG_CALLS_APART: Final = 0.04
"""Seconds between two calls for lines of logs, of whatever processes: those that a client follows share them."""

_WINDOW: Final = 25
_SPREAD: Final = 10
"""Seconds by up to which a window is shorter, so that those that were opened together do not all end at one moment."""

_REFUSED: Final = 30.0
"""Seconds after which a WebSocket is tried again where it was refused; the requests go on."""

_SOON: Final = (0.02, 0.05, 0.1, 0.2, 0.4)
"""Seconds before each request when a change is expected."""
_ERRORS_DELAY: Final = 0.05
"""Seconds after which a failure without errors is asked for again (trap 30)."""


@dataclass
class Followed:
    """The processes that a client follows.

    Attributes:
        count: their number.
        streams: number of streams of channels, and of logs beside them.
        log_streams: number of log streams that wait for lines.
        lists: the lists by which many watchers and log streams find out which of their processes go on.
        next_log_call: from when on another call for lines of a log may be made, in seconds of the loop's clock.
    """

    count: int = 0
    streams: int = 0
    log_streams: int = 0
    lists: dict[ProcessState, StateList] = field(
        default_factory=lambda: {state: StateList(state) for state in (ProcessState.WAITING, ProcessState.RUNNING)}
    )
    next_log_call: float = 0.0

    def interval(self) -> float:
        """Return the seconds between two requests for one process."""
        return min(max(_POLL, _POLL_EACH * self.count), _LONGEST_POLL)

    def silence(self) -> float:
        """Return the seconds without an entry before which a stream does not read its log."""
        return _IDLE_READS_APART * self.streams

    def log_turn(self, now: float) -> float:
        """Reserve a turn for a call for lines of a log; return the seconds until it comes."""
        turn = max(self.next_log_call, now)
        self.next_log_call = turn + _LOG_CALLS_APART
        return turn - now


class ProcessWatcher:
    """Follows one process until it has closed; shared by everything that depends on its state.

    Args:
        connection: the client that asks.
        processid: the process.
        followed: the processes that the client follows.
    """

    def __init__(self, connection: Connection, processid: str, followed: Followed) -> None:
        self.scope = connection.scope
        self.processid = processid
        self.record: ProcessRecord | None = None
        self.removed = False
        self._connection = connection
        self._followed = followed
        self._asked = 0.0  # when the request for the record was sent
        self._learned = 0.0  # when the record arrived
        self._users = 0
        self._announced_users = 0
        self._poller: asyncio.Task[None] | None = None  # None while the process is not followed
        self._listener: asyncio.Task[None] | None = None  # None while no announcement is waited for
        self._changed = asyncio.Event()  # replaced at every change
        self._expecting = asyncio.Event()
        self._turn = asyncio.Lock()

    @property
    def is_over(self) -> bool:
        """Whether the process has closed, or the server does not know it any more."""
        return self.removed or (self.record is not None and self.record.state.is_closed)

    def poll_interval(self) -> float:
        """Return the seconds between two requests about one process, given how many the client follows."""
        return self._followed.interval() / 2

    @property
    def followed(self) -> Followed:
        """The processes that the client follows."""
        return self._followed

    @contextlib.asynccontextmanager
    async def following(self, *, announced: bool = True) -> AsyncIterator[ProcessWatcher]:
        """Follow the process as long as the context lasts.

        Args:
            announced: whether a socket may be opened for announcements; False where a channel's socket exists.
        """
        self._users += 1
        self._announced_users += announced
        self._followed.streams += not announced
        self._adjust()
        try:
            yield self
        finally:
            self._users -= 1
            self._announced_users -= announced
            self._followed.streams -= not announced
            await asyncio.gather(*self._adjust(), return_exceptions=True)

    async def change(self) -> None:
        """Wait until the record changes; returns at once when the process is over.

        Raises:
            UsageError: if the client was closed, or belongs to another process or event loop.
        """
        if not self.is_over:
            self.scope.enter()
            await self._changed.wait()

    def wake(self) -> None:
        """End every `change` that waits."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def expect_end(self) -> None:
        """Ask for the process several times soon, because it is about to close."""
        self._expecting.set()

    async def refresh(self) -> None:
        """Ask for the process now.

        Raises:
            ColonyError: if the server does not answer; a process that it does not know is no error but `removed`.
        """
        async with self._turn:
            asked = _now()
            try:
                record = await self._get()
                if record.state is ProcessState.FAILED and not record.errors and not self.is_over:
                    await asyncio.sleep(_ERRORS_DELAY)
                    record = await self._get()
            except ProcessNotFound:
                self.learn(None)
            else:
                self.learn(record, asked)

    def learn(self, record: ProcessRecord | None, asked: float | None = None) -> None:
        """Accept a reply of the server, unless it is older than what is known: known state never moves backwards.

        Args:
            record: the process; None if the server does not know it.
            asked: when the request was sent, in seconds of the loop's clock; None for a reply that is certainly new.
        """
        asked = _now() if asked is None else asked
        if record is None:
            if self.is_over:
                return
            self.removed = True
        elif record == self.record or self._is_behind(record, asked):
            return
        else:
            self.record = record
            self._asked = max(asked, self._asked)
            self._learned = max(_now(), self._learned)
        self.wake()
        self._adjust()

    def _is_behind(self, record: ProcessRecord, asked: float) -> bool:
        known = self.record
        if known is None:
            return False
        if known.state.is_closed:
            is_poorer = bool(known.errors and not record.errors) or bool(known.output and not record.output)
            return record.state is not known.state or (is_poorer and asked < self._asked)
        # Requests overtake each other, and a process returns from RUNNING to WAITING when its executor is removed: only
        # the reply to a request that was sent after the known reply arrived is newer for certain.
        return not record.state.is_closed and asked < self._learned

    def _adjust(self) -> list[asyncio.Task[None]]:
        """Start and stop the tasks as they are needed; returns those that are stopped."""
        stopped = []
        is_followed = self._users > 0 and not self.is_over
        if is_followed and self._poller is None:
            self._poller = asyncio.create_task(self._poll())
            self._followed.count += 1
        elif not is_followed and self._poller is not None:
            stopped.append(self._poller)
            self._poller = None
            self._followed.count -= 1
        is_ours = self.record is not None and self.record.assignedexecutorid == self._connection.key.id
        is_listened = is_followed and self._announced_users == self._users and not is_ours
        if is_listened and self._listener is None:
            self._listener = asyncio.create_task(self._listen())
        elif not is_listened and self._listener is not None:
            stopped.append(self._listener)
            self._listener = None
        current = asyncio.current_task()
        stopped = [task for task in stopped if task is not current]  # that one sees the change by itself
        for task in stopped:
            task.cancel()
        return stopped

    async def _poll(self) -> None:
        while self._poller is asyncio.current_task():
            is_listed = await self._find_listed()
            if not is_listed:
                await asyncio.sleep(await self._quietly_refresh())
            if self._poller is not asyncio.current_task():
                break  # the reply showed the end
            self._expecting.clear()
            pause = _POLL if is_listed else self._followed.interval()
            try:
                async with asyncio.timeout(pause * random.uniform(0.9, 1.0)):  # noqa: S311 - no secret
                    await self._expecting.wait()
            except TimeoutError:
                continue
            await self._ask_soon(ProcessState.SUCCESS)

    async def _find_listed(self) -> bool:
        """Find the process in the list of those in its state, which one call gets for all that are followed.

        False if it must be asked for by itself: its state has changed, or the list has no room for it.
        """
        record = self.record
        if record is None or self._followed.count <= _FEW or record.state not in self._followed.lists:
            return False
        states = self._followed.lists[record.state]
        found = await states.find(self._connection, record.spec.conditions.colonyname, self.processid)
        if found is None:
            return False
        self.learn(*found)
        return True

    async def _listen(self) -> None:
        retries = delays(random.random)
        while self._listener is asyncio.current_task():
            is_running = self.record is not None and self.record.state is ProcessState.RUNNING
            state = ProcessState.SUCCESS if is_running else ProcessState.RUNNING
            window = _WINDOW - random.randrange(_SPREAD)  # noqa: S311 - no secret
            message = messages.SubscribeProcess(processid=self.processid, state=state, timeout=window)
            begun = _now()
            try:
                async with self._connection.open_subscription(message, object) as frames:
                    if not await self._find_listed():  # what changed before the subscription existed is not announced
                        await self._quietly_refresh()
                    if self._listener is not asyncio.current_task():
                        return
                    if await frames.first():
                        retries = delays(random.random)
                        await self._ask_soon(state)
                # A window ends by losing the connection (trap 8); only one that ended early counts as a failure.
                if _now() - begun >= window / 2:
                    retries = delays(random.random)
            except WebSocketRefused:
                await asyncio.sleep(_REFUSED)
            except ColonyError as error:  # the poller meets the same refusal
                await asyncio.sleep(asked_to_wait(error))
            if self.is_over:
                return
            await asyncio.sleep(next(retries))

    async def _ask_soon(self, state: ProcessState) -> None:
        """Ask for the process until it shows an expected state, which may be announced first."""
        for delay in (0.0, *_SOON):
            await asyncio.sleep(delay)
            if await self._quietly_refresh():
                return
            if self.is_over or (self.record is not None and self.record.state >= state):
                return

    async def _quietly_refresh(self) -> float:
        """Ask for the process; returns the seconds that a gateway asks to wait before the next request."""
        try:
            await self.refresh()
        except ColonyError as error:  # the next request may be answered
            return asked_to_wait(error)
        return 0.0

    async def _get(self) -> ProcessRecord:
        return await self._connection.call(messages.GetProcess(processid=self.processid), ProcessRecord)


def _now() -> float:
    return asyncio.get_running_loop().time()
