"""Channels, for code that blocks."""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING

from colony_jupyter.client.blocking.face import Face, blocking
from colony_jupyter.client.blocking.streams import Stream
from colony_jupyter.client.channel import AsyncChannel
from colony_jupyter.errors import WaitTimeout

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from colony_jupyter.client.streams.stream import Errors
    from colony_jupyter.wire.models import Entry


async def _awaited(awaitable: Awaitable[object]) -> object:
    return await awaitable


class Channel(Face[AsyncChannel]):
    """A channel: send, read, iterate. Made by `Process.channel`. See `AsyncChannel`."""

    read = blocking(AsyncChannel.read)
    send = blocking(AsyncChannel.send)
    write = blocking(AsyncChannel.write)
    flush = blocking(AsyncChannel.flush)
    ask = blocking(AsyncChannel.ask)
    end = blocking(AsyncChannel.end)
    error = blocking(AsyncChannel.error)

    @property
    def name(self) -> str:
        """The channel's name."""
        return self._async.name

    @property
    def processid(self) -> str:
        """Id of its process."""
        return self._async.processid

    def stream(
        self,
        *,
        start: int = 0,
        limit: int = 0,
        timeout: float | None = None,
        idle_timeout: float | None = None,
        errors: Errors = "raise",
        to_end: bool = True,
    ) -> Stream:
        """Read entries as they come, from the beginning of the channel on; see `AsyncChannel.stream`."""
        return Stream(
            self._async.stream(
                start=start, limit=limit, timeout=timeout, idle_timeout=idle_timeout, errors=errors, to_end=to_end
            ),
            self._portal,
        )

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.stream())

    def subscribe(
        self, callback: Callable[[list[Entry]], object], start: int = 0, timeout: float | None = None
    ) -> None:
        """Pass entries to a callback as they arrive, on the calling thread. See `AsyncChannel.subscribe`."""
        stream = self.stream(start=start, timeout=timeout, errors="yield", to_end=False)
        with contextlib.suppress(WaitTimeout), stream:
            for entries in stream.batches():
                returned = callback(entries)
                if inspect.isawaitable(returned):
                    returned = self._portal.run(_awaited, returned)
                if returned is False:
                    return
