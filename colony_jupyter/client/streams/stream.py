"""The public stream: an asynchronous iterator over the entries of a channel."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Literal

from colony_jupyter.client.streams.acknowledgement import Reading
from colony_jupyter.client.streams.subscription import LAST
from colony_jupyter.errors import ColonyError, StreamError, UsageError, WaitTimeout
from colony_jupyter.values.rows import entry_records
from colony_jupyter.wire.models import END

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Self

    from colony_jupyter.channels.effects import StreamState
    from colony_jupyter.channels.statistics import StreamStatistics
    from colony_jupyter.client.streams.acknowledgement import Readers
    from colony_jupyter.client.streams.subscription import Subscription
    from colony_jupyter.values.records import Records
    from colony_jupyter.wire.models import Entry, ProcessRecord

_BATCH: Final = 1000
_BATCH_BYTES: Final = 4 * 1024 * 1024
"""Bytes of payloads from which on a batch is full: the rest may be in a file."""

Errors = Literal["raise", "yield"]


class AsyncStream:
    """The entries of a channel, of both parties, in the order they arrived; an asynchronous iterator.

    Made by `AsyncChannel.stream`. ``end`` entries are not yielded; the other party's plain ``end`` ends the stream, and
    so does the process when it closes. A loop that is left early and a wait that is cancelled lose nothing: the next
    wait returns the next entry. Also a context manager, which closes the stream.

    Args:
        subscription: the reading.
        start: number of entries to skip; not a sequence number (trap 2).
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
        if errors not in ("raise", "yield"):
            raise UsageError(f"errors is {errors!r}: it must be 'raise' or 'yield'.")
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
        self._ahead: deque[Entry] = deque()  # consumed with the entry before, or by a `read` that was cancelled
        self._changed = asyncio.Event()
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
        """Reason why calls read the channel instead of a WebSocket, as a clause; empty while a WebSocket does."""
        return self._subscription.polling

    def on_state(self, callback: Callable[[StreamState], None]) -> None:
        """Register a callback that is called on the loop each time `state` or `polling` changes; it must not block."""
        subscription = self._subscription
        last = (subscription.state, subscription.polling)

        def check() -> None:
            nonlocal last
            if (subscription.state, subscription.polling) != last:
                last = (subscription.state, subscription.polling)
                callback(subscription.state)

        subscription.listeners.add(check)

    @property
    def waiting_for(self) -> str:
        """What the process waits for, as a sentence; empty once it runs."""
        return self._subscription.waiting_for()

    def statistics(self) -> StreamStatistics:
        """Return the numbers of entries delivered, waiting and repeated, of resumes, and the lag."""
        found, ahead = self._subscription.statistics(), len(self._ahead)
        return dataclasses.replace(found, delivered=found.delivered - ahead, waiting=found.waiting + ahead)

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
        if not self._ahead:
            self._ahead.extend(await self._next())
            if not self._ahead:
                raise StopAsyncIteration
        else:
            self._check_open()
        return self._ahead.popleft()

    async def batch(self) -> list[Entry]:
        """Wait for the next entry and return it with those that arrived with it; empty at the end.

        Raises:
            StreamError, StreamBroken, ChannelNotFound, WaitTimeout, UsageError: as `__anext__`, after all before.
        """
        return await self._next()

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
            self._ahead.extendleft(reversed(entries))
            raise
        return entry_records(entries)

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
            self._subscription.listeners.add(self._changed.set)
            self._subscription.start()
            if self._readers is not None:
                self._readers.started(self._token)
            loop = asyncio.get_running_loop()
            self._abandon = weakref.finalize(self, _abandon, loop, self._subscription, self._readers, self._token)
            self._abandon.atexit = False

    def _check_open(self) -> None:
        if isinstance(self._outcome, UsageError):
            raise self._outcome.with_traceback(None)
        self._subscription.scope.enter()

    async def _next(self) -> list[Entry]:
        self._check_open()
        if self._ahead:
            entries = list(self._ahead)
            self._ahead.clear()
            return entries
        self._start()
        if self._is_read:
            raise UsageError(
                f"Two tasks read from one stream of channel '{self._subscription.channel}' at once: open a stream for "
                "each by stream()."
            )
        self._is_read = True
        self._token.idle_since = None
        loop = asyncio.get_running_loop()
        try:
            idle_since = loop.time()
            while self._outcome is None:
                self._changed.clear()
                self._report_losses()
                if entries := self._consume():
                    return entries
                await self._more(idle_since)
            await self._complete()
        finally:
            self._is_read = False
            self._token.idle_since = loop.time()
        outcome = self._outcome
        was_closed = isinstance(outcome, UsageError) and outcome is not self._subscription.failure
        if isinstance(outcome, ColonyError) and not was_closed:  # a wait for a stream that is closed just ends
            raise outcome.with_traceback(None)
        return []

    async def _more(self, idle_since: float) -> None:
        """Wait for what lets `_consume` go on, or end the stream."""
        subscription = self._subscription
        entry = subscription.peek()
        if self._outcome is not None or self._is_at_loss():
            return
        if entry is not None and not subscription.senders.is_known(entry):
            await subscription.senders.identify(entry)
        elif entry is None and subscription.is_over:
            self._outcome = subscription.failure or "ended"
        elif entry is None:
            await self._wait(idle_since)

    def _consume(self) -> list[Entry]:
        """Consume entries that have arrived. It awaits nothing, so a cancelled wait loses none of them."""
        subscription = self._subscription
        entries: list[Entry] = []
        size = _BATCH_BYTES
        while len(entries) < _BATCH and size > 0 and self._outcome is None:
            entry = subscription.peek()
            if entry is None or self._is_at_loss() or not subscription.senders.is_known(entry):
                break  # the next wait begins with this entry
            if entry.type not in LAST:
                room = _BATCH - len(entries)
                run = subscription.pop_run(room if self._left is None else min(room, self._skip + self._left), size)
            elif entries and self._is_last(entry):
                break  # as above
            else:
                run = self._consume_special(entry)
            size -= sum([len(entry.payload) for entry in run])
            skipped = min(self._skip, len(run))
            self._skip -= skipped
            entries += run[skipped:]
            self._count_down(len(run) - skipped)
        return entries

    def _is_last(self, entry: Entry) -> bool:
        """Whether the stream ends with an entry, by the end of the other party or by its error."""
        if entry.type == END:
            return self._subscription.is_end(entry)
        return not self._skip and self._raises(entry)

    def _consume_special(self, entry: Entry) -> list[Entry]:
        """Consume an ``end`` or an ``error``; return it if it counts as an entry of the stream."""
        subscription = self._subscription
        is_last = self._is_last(entry)
        entry = subscription.pop()
        if is_last:
            is_end = entry.type == END
            self._outcome = "ended" if is_end else StreamError(subscription.processid, subscription.channel, entry)
            self._is_finished = True
            return []
        return [entry] if self._skip or self._everything or entry.type != END else []

    def _count_down(self, count: int) -> None:
        if self._left is not None and count:
            self._left -= count
            if self._left == 0:
                self._outcome = "ended"
                self._subscription.stop()

    def _raises(self, entry: Entry) -> bool:
        return self._errors == "raise" and self._subscription.senders.is_other(entry)

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
        self._changed.set()
        await self._subscription.aclose()

    async def _wait(self, idle_since: float) -> None:
        if self._timeout is None and self._idle_timeout is None:
            await self._changed.wait()
            return
        begun = self._begun or idle_since
        limits = [
            (since + seconds, what, seconds)
            for since, seconds, what in (
                (begun, self._timeout, "the end of"),
                (idle_since, self._idle_timeout, "an entry on"),
            )
            if seconds is not None
        ]
        at, what, seconds = min(limits)
        try:
            async with asyncio.timeout_at(at):
                await self._changed.wait()
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
