"""The public stream: an asynchronous iterator over the entries of a channel."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Literal

from colony_jupyter.client.streams.acknowledgement import Reading
from colony_jupyter.errors import ColonyError, StreamError, UsageError, WaitTimeout
from colony_jupyter.values.records import Records
from colony_jupyter.values.rows import entry_row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from typing import Self

    from colony_jupyter.channels.effects import StreamState
    from colony_jupyter.channels.statistics import Statistics
    from colony_jupyter.client.streams.acknowledgement import Readers
    from colony_jupyter.client.streams.subscription import Subscription
    from colony_jupyter.wire.models import Entry, ProcessRecord

_BATCH: Final = 1000

Errors = Literal["raise", "yield"]


class AsyncStream:
    """The entries of a channel, of both parties, in the order they arrived; an asynchronous iterator.

    Made by `AsyncChannel.stream`. ``end`` entries are not yielded; the other party's plain ``end`` ends the stream, and
    so does the process when it closes. A loop that is left early and a wait that is cancelled lose nothing: the next
    wait returns the next entry. Also a context manager, which closes the stream.

    Args:
        subscription: the reading.
        start: entries to leave out at the beginning; an index into the log, not a sequence (trap 2).
        limit: entries after which to stop; 0 for no limit.
        timeout: seconds for the whole; None for no limit.
        idle_timeout: seconds without an entry; None for no limit.
        errors: what an ``error`` entry of the other party does: ``"raise"``, or ``"yield"`` it like any other.
        everything: whether ``end`` entries are yielded too.
        on_loss: called on the loop, with the number of entries delivered before, when the server has lost the log.
        readers: counts the stream for the acknowledged ending.
    """

    def __init__(
        self,
        subscription: Subscription,
        *,
        start: int = 0,
        limit: int = 0,
        timeout: float | None = None,
        idle_timeout: float | None = None,
        errors: Errors = "raise",
        everything: bool = False,
        on_loss: Callable[[int], None] | None = None,
        readers: Readers | None = None,
    ) -> None:
        self._subscription = subscription
        self._skip = max(start, 0)
        self._left = limit if limit > 0 else None
        self._timeout = timeout
        self._idle_timeout = idle_timeout
        self._errors = errors
        self._everything = everything
        self._on_loss = on_loss
        self._readers = readers
        self._token = Reading()
        self._returned: deque[Entry] = deque()  # of a `read` that was cancelled
        self._news = asyncio.Event()
        self._begun: float | None = None  # None before the first use
        self._outcome: ColonyError | Literal["ended"] | None = None  # what every further wait gets
        self._is_finished = False  # whether the end by the other party is still to be reported
        self._is_read = False
        self._abandon: weakref.finalize[Any, AsyncStream] | None = None  # closes a stream that is dropped unclosed

    @property
    def state(self) -> StreamState:
        """State of the connection: open, resuming, ended or broken."""
        return self._subscription.state

    @property
    def process(self) -> ProcessRecord | None:
        """The process as it was last known; after the end it shows how it ended."""
        return self._subscription.record

    @property
    def polling(self) -> str:
        """Why the channel's log is read again and again in place of a WebSocket, as a clause; empty while it is not."""
        return self._subscription.polling

    def on_state(self, callback: Callable[[StreamState], None]) -> None:
        """Have a callback called on the loop each time `state` or `polling` changes; it must not block."""
        subscription = self._subscription
        last = (subscription.state, subscription.polling)

        def check() -> None:
            nonlocal last
            if (subscription.state, subscription.polling) != last:
                last = (subscription.state, subscription.polling)
                callback(subscription.state)

        subscription.news.add(check)

    @property
    def waiting_for(self) -> str:
        """What the process waits for, as a sentence; empty once it runs."""
        return self._subscription.waiting_for()

    def statistics(self) -> Statistics:
        """Return the numbers of entries delivered, waiting and repeated, of resumes, and the lag."""
        return self._subscription.statistics()

    async def listening(self) -> None:
        """Wait until every entry that is appended while the process is open will arrive."""
        self._start()
        await self._subscription.listening()

    def __aiter__(self) -> AsyncIterator[Entry]:
        return self

    async def __anext__(self) -> Entry:
        """Wait for the next entry. A wait that is cancelled loses no entry.

        Raises:
            StreamError: when the other party sent an ``error`` entry.
            StreamBroken: when entries may be missing.
            ChannelNotFound: if there is no such channel.
            WaitTimeout: when it took longer than allowed.
            UsageError: if the stream is closed, or another task waits for an entry of it.
        """
        entries = await self._next(1)
        if not entries:
            raise StopAsyncIteration
        return entries[0]

    async def batch(self) -> list[Entry]:
        """Wait for the next entry and return it with those that arrived with it; empty at the end.

        Raises:
            StreamError, StreamBroken, ChannelNotFound, WaitTimeout, UsageError: as `__anext__`, after all before.
        """
        return await self._next(_BATCH)

    async def read(self) -> Records[Entry]:
        """Wait for the end of the stream and return its entries.

        A wait that is cancelled or fails loses none: the next wait returns the first of them.

        Raises:
            StreamError, StreamBroken, ChannelNotFound, WaitTimeout, UsageError: as `__anext__`.
        """
        entries: list[Entry] = []
        try:
            while batch := await self.batch():
                entries += batch
        except BaseException:
            self._returned.extendleft(reversed(entries))
            raise
        return Records(entries, entry_row)

    async def aclose(self) -> None:
        """End the reading."""
        if self._outcome is None:
            self._outcome = UsageError(
                f"The stream of channel '{self._subscription.channel}' is closed: open another by stream()."
            )
        await self._close()

    async def __aenter__(self) -> Self:
        self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _start(self) -> None:
        if self._outcome is None and self._begun is None:
            self._begun = asyncio.get_running_loop().time()
            self._subscription.news.add(self._news.set)
            self._subscription.start()
            if self._readers is not None:
                self._readers.started(self._token)
            loop = asyncio.get_running_loop()
            self._abandon = weakref.finalize(self, _abandon, loop, self._subscription, self._readers, self._token)
            self._abandon.atexit = False

    async def _next(self, count: int) -> list[Entry]:
        if isinstance(self._outcome, UsageError):
            raise self._outcome.with_traceback(None)
        if self._returned:
            return [self._returned.popleft() for _ in range(min(count, len(self._returned)))]
        self._subscription.scope.enter()
        self._start()
        with self._reading():
            idle_since = asyncio.get_running_loop().time()
            while self._outcome is None:
                self._news.clear()
                self._report_losses()
                entry = self._subscription.peek()
                if entry is not None and not self._subscription.is_known(entry):
                    await self._subscription.identify(entry)
                elif entry is not None:
                    if entries := self._consume(count):
                        return entries
                elif self._subscription.is_over:
                    self._outcome = self._subscription.failure or "ended"
                else:
                    await self._wait(idle_since)
            await self._complete()
        outcome = self._outcome
        was_closed = isinstance(outcome, UsageError) and outcome is not self._subscription.failure
        if isinstance(outcome, ColonyError) and not was_closed:  # a wait for a stream that is closed just ends
            raise outcome.with_traceback(None)
        return []

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        if self._is_read:
            raise UsageError(
                f"Two tasks read from one stream of channel '{self._subscription.channel}' at once: open a stream for "
                "each by stream()."
            )
        self._is_read = True
        self._token.idle_since = None
        try:
            yield
        finally:
            self._is_read = False
            self._token.idle_since = asyncio.get_running_loop().time()

    def _consume(self, count: int) -> list[Entry]:
        """Consume entries that have arrived. It awaits nothing, so a cancelled wait loses none of them."""
        subscription = self._subscription
        entries: list[Entry] = []
        while len(entries) < count and self._outcome is None and (entry := subscription.peek()) is not None:
            is_end = subscription.is_end(entry)
            is_error = not self._skip and self._raises(entry)
            if entries and (is_end or is_error or self._is_at_loss() or not subscription.is_known(entry)):
                break  # the next wait begins with this entry
            entry = subscription.pop()
            if is_end or is_error:
                self._outcome = "ended" if is_end else StreamError(subscription.processid, subscription.channel, entry)
                self._is_finished = True
            elif self._skip:
                self._skip -= 1
            elif self._everything or not entry.is_end:
                entries.append(entry)
                self._count_down()
        return entries

    def _count_down(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                self._outcome = "ended"
                self._subscription.stop()

    def _raises(self, entry: Entry) -> bool:
        subscription = self._subscription
        is_theirs = not subscription.is_mine(entry) and not subscription.is_former(entry)
        return entry.is_error and self._errors == "raise" and is_theirs

    def _is_at_loss(self) -> bool:
        losses = self._subscription.losses
        return bool(losses) and losses[0] <= self._subscription.delivered

    def _report_losses(self) -> None:
        while self._is_at_loss():
            delivered = self._subscription.losses.popleft()
            self._skip = 0
            if self._on_loss is not None:
                self._on_loss(delivered)

    async def _complete(self) -> None:
        """Close the connections and report the end. When it is cancelled, the next wait repeats it."""
        await self._close()
        if self._is_finished and self._readers is not None:
            await self._readers.finished(self._token)
        self._is_finished = False

    async def _close(self) -> None:
        if self._abandon is not None and self._abandon.detach() is not None and self._readers is not None:
            self._readers.left(self._token)
        self._news.set()
        await self._subscription.aclose()

    async def _wait(self, idle_since: float) -> None:
        begun = self._begun or idle_since
        limits = [
            (since + seconds, what, seconds)
            for since, seconds, what in (
                (begun, self._timeout, "the end of"),
                (idle_since, self._idle_timeout, "an entry on"),
            )
            if seconds is not None
        ]
        if not limits:
            await self._news.wait()
            return
        at, what, seconds = min(limits)
        try:
            async with asyncio.timeout_at(at):
                await self._news.wait()
        except TimeoutError:
            channel = self._subscription.channel
            self._outcome = WaitTimeout(f"{what} channel '{channel}'", seconds, self._subscription.waiting_for())


def _abandon(
    loop: asyncio.AbstractEventLoop, subscription: Subscription, readers: Readers | None, token: Reading
) -> None:
    """Close the reading of a stream that was dropped, from any thread."""

    def close() -> None:
        subscription.stop()
        if readers is not None:
            readers.left(token)

    if subscription.scope.is_over:
        return
    with contextlib.suppress(RuntimeError):  # the loop is closed, and with it the reading
        loop.call_soon_threadsafe(close)
