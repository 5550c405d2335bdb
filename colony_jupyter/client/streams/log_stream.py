"""The lines of a process log as they come: calls to the server, one after the other, made when lines are waited for.

There is no subscription for logs. Nothing is lost while nothing reads, since the server stores them, so no call is made
then.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from colony_jupyter.channels.backoff import RetryTimer
from colony_jupyter.channels.log_reader import LONGEST, LogReader
from colony_jupyter.errors import (
    AccessDenied,
    ColonyError,
    LogIncomplete,
    ProcessNotFound,
    ProcessRemoved,
    ProtocolError,
    ServerRefused,
    ServerUnreachable,
    UsageError,
    WaitTimeout,
)
from colony_jupyter.values.rows import log_records
from colony_jupyter.wire import messages
from colony_jupyter.wire.limits import MAX_LOGS
from colony_jupyter.wire.models import NO_TIME, Log, ProcessState, moment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from typing import Self, TypeVar

    from colony_jupyter.client.process_session import ProcessSession
    from colony_jupyter.client.process_watcher import Followed
    from colony_jupyter.values.records import Records
    from colony_jupyter.wire.models import ProcessRecord

    T = TypeVar("T")

_FEW: Final = 8
"""Log streams up to which each follows its process by itself."""
_ASK_WAITING: Final = 8.0
"""Seconds between two requests for a waiting process where many are waited for; it may have been cancelled."""
_LONG_AGO: Final = 30.0
"""Seconds since the end of a process, by two clocks, from which on it certainly did not end just now."""
_MISSING: Final = "process does not exist"
"""Text of the refusal for a process that was removed."""


class AsyncLogStream:
    """The lines of a process log, in the order they were written; an asynchronous iterator. Made by `AsyncProcess.log`.

    It ends once the process has closed and no more lines can appear, up to two seconds later. A loop that is left early
    and a wait that is cancelled lose nothing: the next wait returns the next line. Also a context manager.

    Args:
        session: the process.
        timeout: seconds for the whole; None for no limit.
        waits_if_empty: whether lines are also waited for after the process has closed if there was none before.
        announced: whether a socket may be opened for announcements of the process's state.
    """

    def __init__(
        self,
        session: ProcessSession,
        *,
        timeout: float | None = None,
        waits_if_empty: bool = True,
        announced: bool = False,
    ) -> None:
        self._session = session
        self._timeout = timeout
        self._announced = announced
        self._reader = LogReader(waits_if_empty=waits_if_empty)
        self._lines: deque[Log] = deque()  # received and not consumed
        self._begun: float | None = None  # None before the first use
        self._error: ColonyError | None = None  # what every further wait raises
        self._is_read = False
        self._saw_it_open = False
        self._ask_at = float("-inf")  # from when on a waiting process that is in no list is asked for
        self.on_trouble: Callable[[bool], None] | None = None
        """Called on the loop with True when the server does not answer, and with False when it does again."""
        self._is_troubled = False

    @property
    def _followed(self) -> Followed:
        return self._session.watch.followed

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._session.processid[:8]}>"

    @property
    def process(self) -> ProcessRecord | None:
        """The process as it was last known; after the end it shows how it ended."""
        return self._session.watch.record

    def __aiter__(self) -> AsyncIterator[Log]:
        return self

    async def __anext__(self) -> Log:
        """Wait for the next line. A wait that is cancelled loses no line.

        Raises:
            WaitTimeout: when it took longer than allowed.
            ProcessRemoved: if the process was removed, and its log with it.
            LogIncomplete: if lines cannot be read.
            ServerUnreachable: after a minute without an answer; a further wait tries again.
            AccessDenied: if the caller is no member of the colony.
            UsageError: if the stream is closed, or another task waits for a line of it.
        """
        lines = await self._next(1)
        if not lines:
            raise StopAsyncIteration
        return lines[0]

    async def batch(self) -> list[Log]:
        """Wait for the next line and return it with those that arrived with it; empty at the end.

        Raises:
            WaitTimeout, ProcessRemoved, LogIncomplete, ServerUnreachable, AccessDenied, UsageError: as `__anext__`.
        """
        return await self._next(MAX_LOGS)

    async def read(self) -> Records[Log]:
        """Wait for the end of the log and return its lines. A wait that is cancelled or fails loses none.

        Raises:
            WaitTimeout, ProcessRemoved, LogIncomplete, ServerUnreachable, AccessDenied, UsageError: as `__anext__`.
        """
        lines: list[Log] = []
        try:
            while batch := await self.batch():
                lines += batch
        except BaseException:
            self._lines.extendleft(reversed(lines))
            raise
        return log_records(lines)

    async def aclose(self) -> None:
        """End the reading."""
        self._lines.clear()
        self._error = self._error or UsageError("This stream of log lines is closed: open another by log().")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _next(self, count: int) -> list[Log]:
        if not self._lines:
            self._session.scope.enter()
            with self._reading():
                await self._receive()
        if not self._lines and self._error is not None:
            raise self._error.with_traceback(None)
        return [self._lines.popleft() for _ in range(min(count, len(self._lines)))]

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        if self._is_read:
            raise UsageError("Two tasks read from one stream of log lines at once: open a stream for each by log().")
        self._is_read = True
        try:
            yield
        finally:
            self._is_read = False

    async def _receive(self) -> None:
        """Make calls until there is a line, or the log has ended."""
        self._begun = _now() if self._begun is None else self._begun
        deadline = None if self._timeout is None else self._begun + self._timeout
        watch = self._session.watch
        self._followed.log_streams += 1
        # Many streams do not ask for their processes one by one, but for the list of those that run.
        is_one_of_many = self._followed.log_streams > _FEW
        following = contextlib.nullcontext() if is_one_of_many else watch.following(announced=self._announced)
        try:
            async with asyncio.timeout_at(deadline), following:
                while not self._lines and self._error is None and not self._reader.is_over:
                    if is_one_of_many:
                        await self._notice_end()
                    await self._step(is_followed=not is_one_of_many)
        except TimeoutError:
            self._error = WaitTimeout(f"the end of the log of {self._session.processid[:8]}", self._timeout or 0.0)
        except ServerUnreachable:
            raise
        except ColonyError as error:
            self._error = error
        finally:
            self._followed.log_streams -= 1

    async def _notice_end(self) -> None:
        """Ask for the process if it may have begun to run, or may have ended."""
        watch = self._session.watch
        record = watch.record
        if watch.is_over or record is None:
            return
        running = self._followed.lists[ProcessState.RUNNING]
        is_listed = await running.holds(self._session.connection, record.spec.conditions.colonyname, watch.processid)
        is_waiting = _never_ran(record)
        if is_listed is is_waiting or (is_waiting and _now() >= self._ask_at):
            await asyncio.sleep(self._followed.log_turn(_now()))
            await self._patiently(self._session.refresh)
            self._ask_at = _now() + _ASK_WAITING

    async def _step(self, *, is_followed: bool) -> None:
        """Make the next call, or wait until it is due, or until the process changes if that is followed."""
        watch, reader = self._session.watch, self._reader
        if watch.record is None and not watch.removed:
            await self._patiently(self._session.refresh)
        if watch.is_over:
            reader.closed(_now(), 0.0 if self._saw_it_open or watch.record is None else _age(watch.record))
        else:
            self._saw_it_open = True
            if watch.record is not None and _never_ran(watch.record):
                await (watch.change() if is_followed else asyncio.sleep(LONGEST))
                return
        wait = reader.wait(_now())
        if wait > 0 and (watch.is_over or not is_followed):
            await asyncio.sleep(wait)
        elif wait > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await watch.change()
        else:
            await self._call()

    async def _call(self) -> None:
        reader = self._reader
        await asyncio.sleep(self._followed.log_turn(_now()))
        sent = _now()
        lines = await self._patiently(self._list)
        self._lines.extend(reader.add(lines, sent, _now()))
        if reader.stuck_at:
            raise LogIncomplete(self._session.processid, reader.received)

    async def _list(self) -> list[Log]:
        record = self._session.watch.record
        message = messages.GetLogs(
            colonyname="" if record is None else record.spec.conditions.colonyname,
            processid=self._session.processid,
            count=MAX_LOGS,
            since=self._reader.since,
        )
        try:
            return await self._session.connection.call(message, list[Log])
        except (ProcessNotFound, ServerRefused) as error:
            if isinstance(error, ProcessNotFound) or _MISSING in error.message:
                raise ProcessRemoved(self._session.processid) from error
            raise

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Repeat a call until it is answered; a minute at most."""
        retry_timer = RetryTimer(random.random, _now())
        while True:
            try:
                answer = await call()
            except AccessDenied:
                raise
            except (ServerUnreachable, ProtocolError, ServerRefused) as error:
                asked = error.retry_after if isinstance(error, ServerUnreachable) else 0.0
                delay = retry_timer.delay(_now(), asked)
                if delay is None:
                    raise
            else:
                self._note_trouble(is_troubled=False)
                return answer
            self._note_trouble(is_troubled=True)
            await asyncio.sleep(delay)

    def _note_trouble(self, *, is_troubled: bool) -> None:
        if is_troubled is not self._is_troubled:
            self._is_troubled = is_troubled
            if self.on_trouble is not None:
                self.on_trouble(is_troubled)


def _never_ran(record: ProcessRecord) -> bool:
    return record.state is ProcessState.WAITING and record.starttime in ("", NO_TIME)


def _age(record: ProcessRecord) -> float:
    """Return the seconds since the end of a process; 0 if it may have ended just now."""
    try:
        end = moment(record.endtime)
    except ValueError:
        end = None
    age = 0.0 if end is None else time.time() - end.timestamp()
    return age if age > _LONG_AGO else 0.0


def _now() -> float:
    return asyncio.get_running_loop().time()
