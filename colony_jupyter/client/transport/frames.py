"""What arrives on one subscription, passed to its receiver in the step in which it arrives."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


def _at_once() -> float:
    return 0.0


class Frames(Generic[T]):
    """The values of a subscription's frames, in order, and its end. It belongs to one event loop.

    There is no task between the socket and the receiver, so nothing can be awaited between two frames: a server drops
    what a slow reader leaves (docs/protocol.md, trap 24).
    """

    def __init__(self) -> None:
        self._gather: Callable[[], float] = _at_once
        self._early: list[T] = []  # arrived before there was a receiver
        self._receive: Callable[[Sequence[T]], object] | None = None
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # the receiver's side: one of the two, once

    async def each(self, receive: Callable[[Sequence[T]], object], gather: Callable[[], float] = _at_once) -> None:
        """Call `receive` with the values that arrive together, also with those here already, until the end.

        Args:
            receive: gets one value at least.
            gather: gives the seconds for which values may be gathered after each read from the socket, for a receiver
                that need not have each at once.

        Raises:
            Exception: the error that ended the subscription.
        """
        self._receive, self._gather = receive, gather
        if self._early:
            receive(self._early)
        await self._ended

    async def first(self, fits: Callable[[T], bool] = lambda _: True) -> bool:
        """Wait for the first value that fits, of all by default; returns whether one came before the end.

        Raises:
            Exception: the error that ended the subscription.
        """
        came = False

        def note(values: Sequence[T]) -> None:
            nonlocal came
            if any(map(fits, values)):
                came = True
                self.end()

        await self.each(note)
        return came

    # the socket's side

    def gather(self) -> float:
        """Return the seconds for which the socket may be left unread after the latest read."""
        return self._gather()

    def put(self, values: Sequence[T]) -> None:
        """Pass on values, of which there is one at least, unless the subscription has ended."""
        if self._ended.done():
            return
        if self._receive is None:
            self._early += values
        else:
            self._receive(values)

    def end(self, error: Exception | None = None) -> None:
        """End the subscription, by an error if there is one; the first end counts."""
        if self._ended.done():
            return
        if error is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(error)

    def close(self) -> None:
        """Drop what still arrives, and an error that nothing waits for."""
        if not self._ended.done():
            self._ended.cancel()
        elif not self._ended.cancelled():
            self._ended.exception()  # asyncio reports one that was never looked at
