"""Streams of entries and of log lines, for code that blocks."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from colony_jupyter.client.blocking.face import Face
from colony_jupyter.client.portal import PORTAL, Portal
from colony_jupyter.client.streams.log_stream import AsyncLogStream
from colony_jupyter.client.streams.stream import AsyncStream
from colony_jupyter.values.rows import entry_records, log_records
from colony_jupyter.wire.models import Entry, Log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from colony_jupyter.channels.effects import StreamState
    from colony_jupyter.channels.statistics import StreamStatistics
    from colony_jupyter.values.records import Records
    from colony_jupyter.wire.models import ProcessRecord

T = TypeVar("T")


class _Behind(Protocol):
    """What the asynchronous streams have in common."""

    async def batch(self) -> list[Any]:
        """Wait for the next item and return it with those that arrived with it; empty at the end."""

    async def aclose(self) -> None:
        """End the reading."""


B_co = TypeVar("B_co", bound=_Behind, covariant=True)


class _Iterator(Face[B_co], Generic[B_co, T]):
    """A blocking iterator over a stream; items that were received on the loop and not delivered yet are kept."""

    def __init__(self, behind: B_co, portal: Portal = PORTAL) -> None:
        super().__init__(behind, portal)
        self._received: deque[T] = deque()

    def batches(self) -> Iterator[list[T]]:
        """Yield items as they arrive, in lists of those that arrived together."""
        while self._fill():
            items = list(self._received)
            self._received.clear()
            yield items

    def close(self) -> None:
        """End the reading. What was received and not delivered yet is dropped: the next use raises."""
        self._received.clear()
        self._portal.run(self._async.aclose)

    def aclose(self) -> None:
        """End the reading; as `close`."""
        self.close()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if not self._fill():
            raise StopIteration
        return self._received.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _all(self) -> list[T]:
        """Wait for the end and return all items. A wait that is interrupted or fails loses none."""
        items: list[T] = []
        try:
            for batch in self.batches():
                items += batch
        except BaseException:
            self._received.extendleft(reversed(items))
            raise
        return items

    def _fill(self) -> bool:
        """Wait for items, unless some were received before; False at the end."""
        if not self._received:
            self._portal.run(self._receive)
        return bool(self._received)

    async def _receive(self) -> None:
        # Stored on the loop in the same step as they are consumed, so that an interrupt of the wait loses none.
        self._received.extend(await self._async.batch())


class Stream(_Iterator[AsyncStream, Entry]):
    """The entries of a channel, both sides', in the order they arrived; an iterator. See `AsyncStream`."""

    @property
    def state(self) -> StreamState:
        """State of the connection: open, resuming, ended or broken."""
        return self._async.state

    @property
    def polling(self) -> str:
        """Reason why calls read the channel instead of a WebSocket, as a clause; empty while a WebSocket does."""
        return self._async.polling

    @property
    def process(self) -> ProcessRecord | None:
        """The process as it was last known; after the end, with the way it ended."""
        return self._async.process

    @property
    def waiting_for(self) -> str:
        """What the process waits for, as a sentence; empty once it runs."""
        return self._async.waiting_for

    def statistics(self) -> StreamStatistics:
        """Count what was delivered, dropped as repeated and resumed, and measure the lag."""
        return self._async.statistics()

    def read(self) -> Records[Entry]:
        """Wait for the end of the stream and return its entries; see `AsyncStream.read`."""
        return entry_records(self._all())


class LogStream(_Iterator[AsyncLogStream, Log]):
    """The lines of a process log, in the order they were written; an iterator. See `AsyncLogStream`."""

    @property
    def process(self) -> ProcessRecord | None:
        """The process as it was last known; after the end, with the way it ended."""
        return self._async.process

    def read(self) -> Records[Log]:
        """Wait for the end of the log and return its lines; see `AsyncLogStream.read`."""
        return log_records(self._all())
