"""A channel as its reader meets it: an asynchronous iterator over entries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

from colony_jupyter.errors import StreamError, WaitTimeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Self

    from colony_jupyter.channels.reader import StreamState
    from colony_jupyter.client.reading import Statistics, StreamCore
    from colony_jupyter.wire.models import Entry, ProcessRecord

_BATCH: Final = 1000

Errors = Literal["raise", "yield"]
Hook = Callable[["StreamCore"], Coroutine[Any, Any, None]]


class AsyncStream:
    """The entries of a channel, both sides', in the order they arrived; an asynchronous iterator.

    Made by `AsyncChannel.stream`. ``end`` entries are not yielded; the other party's plain ``end`` ends the stream, and
    so does the process when it closes. Also a context manager, which closes it.

    Args:
        core: what reads.
        start: entries to leave out at the beginning; an index into the log, not a sequence (trap 2).
        limit: entries after which to stop; 0 for no limit.
        timeout: seconds for the whole; None for no limit.
        idle_timeout: seconds without an entry; None for no limit.
        errors: what an ``error`` entry of the other party does: ``"raise"``, or ``"yield"`` it like any other.
        everything: whether ``end`` entries are yielded too.
    """

    def __init__(
        self,
        core: StreamCore,
        *,
        start: int = 0,
        limit: int = 0,
        timeout: float | None = None,
        idle_timeout: float | None = None,
        errors: Errors = "raise",
        everything: bool = False,
        on_start: Callable[[StreamCore], None] | None = None,
        on_end: Hook | None = None,
    ) -> None:
        self._core = core
        self._skip = max(start, 0)
        self._left = limit if limit > 0 else None
        self._timeout = timeout
        self._idle_timeout = idle_timeout
        self._errors = errors
        self._everything = everything
        self._on_start = on_start  # told when the reading begins
        self._on_end = on_end  # told once the other party's `end` or `error` and all before it has been handed over
        self._task: asyncio.Task[None] | None = None  # None until the first use and after the end
        self._wake: asyncio.Event | None = None
        self._begun: float | None = None
        self._closed = False
        self._raise_next: Entry | None = None  # an error entry behind those of the last batch

    @property
    def state(self) -> StreamState:
        """State of the connection: open, resuming, ended or broken."""
        return self._core.state

    @property
    def process(self) -> ProcessRecord | None:
        """The process as it was last known; after the end it says how it ended."""
        return self._core.record

    def on_state(self, tell: Callable[[StreamState], None]) -> None:
        """Have a callback told each time the state of the connection is another, on the loop; it must not block."""
        last = self._core.state

        def look() -> None:
            nonlocal last
            if self._core.state is not last:
                last = self._core.state
                tell(last)

        self._core.news.add(look)

    @property
    def waiting_for(self) -> str:
        """What the process waits for, as a sentence; empty once it runs."""
        return self._core.waiting_for()

    def statistics(self) -> Statistics:
        """Tell what was delivered, dropped as repeated, resumed, and the lag."""
        return self._core.statistics()

    async def listening(self) -> None:
        """Wait until whatever is appended while the process is open will be received."""
        self._start()
        await self._core.listening()

    def __aiter__(self) -> AsyncIterator[Entry]:
        return self

    async def __anext__(self) -> Entry:
        """Wait for the next entry.

        Raises:
            StreamError: when the other party sent an ``error`` entry.
            StreamBroken: when entries may be missing.
            ChannelNotFound: if there is no such channel.
            WaitTimeout: when it took longer than allowed.
        """
        entry = await self._next()
        if entry is None:
            raise StopAsyncIteration
        return entry

    async def aclose(self) -> None:
        """End the reading."""
        self._closed = True
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._core.close()

    async def __aenter__(self) -> Self:
        self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def batch(self) -> list[Entry]:
        """Wait for the next entry and take with it what else has come; empty at the end.

        Raises:
            StreamError, StreamBroken, ChannelNotFound, WaitTimeout: as `__anext__`, once all before was handed over.
        """
        first = await self._next()
        if first is None:
            return []
        entries = [first]
        while len(entries) < _BATCH and self._left != 0 and (entry := self._core.pop()) is not None:
            if self._pass(entry):
                if self._raises(entry):
                    self._raise_next = entry
                    break
                entries.append(await self._hand_over(entry))
        return entries

    def _start(self) -> None:
        if self._task is None and not self._closed:
            self._wake = asyncio.Event()
            self._core.news.add(self._wake.set)
            self._task = asyncio.create_task(self._core.run())
            self._begun = time.monotonic()
            if self._on_start is not None:
                self._on_start(self._core)

    async def _next(self) -> Entry | None:
        self._start()
        idle_since = time.monotonic()
        try:
            if self._raise_next is not None:
                await self._raise_error(self._raise_next)
            while not self._closed:
                if self._wake is not None:
                    self._wake.clear()
                over = self._core.is_over  # before looking, so that nothing put in between is overlooked
                entry = self._core.pop()
                if entry is None and not over:
                    await self._wait(idle_since)
                elif entry is None:
                    await self._finish()
                elif self._pass(entry):
                    return await self._hand_over(entry)
        except BaseException:
            await self.aclose()
            raise
        return None

    def _pass(self, entry: Entry) -> bool:
        """Whether the consumer is to see an entry."""
        if self._skip:
            self._skip -= 1
            return False
        return self._everything or not entry.is_end

    def _raises(self, entry: Entry) -> bool:
        return entry.is_error and self._errors == "raise" and not entry.former and not self._core.is_mine(entry)

    async def _raise_error(self, entry: Entry) -> NoReturn:
        if self._on_end is not None:
            await self._on_end(self._core)
        raise StreamError(self._core.processid, self._core.channel, entry)

    async def _hand_over(self, entry: Entry) -> Entry:
        if self._raises(entry):
            await self._raise_error(entry)
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                await self.aclose()
        return entry

    async def _finish(self) -> None:
        """Everything was handed over, or cannot be."""
        if self._core.failure is not None:
            raise self._core.failure
        task = self._task
        if task is not None and task.done() and not task.cancelled() and task.exception() is not None:
            await task  # raises it: a fault of ours, not to be taken for the end
        await self.aclose()
        if self._on_end is not None and self._core.ended_by_sender:
            await self._on_end(self._core)

    async def _wait(self, idle_since: float) -> None:
        assert self._wake is not None  # noqa: S101 - made at the start
        assert self._begun is not None  # noqa: S101 - likewise
        limits = [
            (since + seconds, what, seconds)
            for since, seconds, what in (
                (self._begun, self._timeout, "the end of"),
                (idle_since, self._idle_timeout, "an entry on"),
            )
            if seconds is not None
        ]
        if not limits:
            await self._wake.wait()
            return
        at, what, seconds = min(limits)
        try:
            async with asyncio.timeout(max(0.0, at - time.monotonic())):
                await self._wake.wait()
        except TimeoutError:
            raise WaitTimeout(f"{what} channel '{self._core.channel}'", seconds, self._core.waiting_for()) from None
