"""Progress that a function reports: entries the pane draws its bar from, few enough for a channel to hold."""

from __future__ import annotations

import operator
import time
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from colony_jupyter.errors import UsageError
from colony_jupyter.values.mime import DISPLAY
from colony_jupyter.wire.models import SYNC
from colony_jupyter.wire.storable import storable

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence

    from colony_jupyter.client.blocking import Channel
    from colony_jupyter.client.channel import AsyncChannel
    from colony_jupyter.client.process import AsyncProcess

T = TypeVar("T")

CHANNEL: Final = "progress"
"""The channel progress goes to, if the process has it."""

_INTERVAL: Final = 0.1
_DOUBLE_AFTER: Final = 200
"""Entries after which the interval doubles: a channel holds 10,000, and work may last for days."""


def choose_channel(declared: Sequence[str]) -> str | None:
    """Choose the channel that progress goes to: ``progress``, else the only one there is; None if neither."""
    if CHANNEL in declared:
        return CHANNEL
    others = [name for name in declared if name != SYNC]
    return others[0] if len(others) == 1 else None


def frame_reporter(process: AsyncProcess) -> Callable[[str], Awaitable[None]] | None:
    """Return what sends the frames of a captured progress bar (tqdm); None if the process has no channel ``progress``.

    A frame begins with a carriage return, so that it overwrites the earlier one where it is shown. Nothing is sent once
    the function itself has written to the channel.
    """
    if CHANNEL not in process.spec.channels:
        return None
    channel, sent = process.channel(CHANNEL), 0

    async def report(frame: str) -> None:
        nonlocal sent
        writer = process.shared.writers.get(CHANNEL)
        if sent or writer is None or not writer.is_used:
            sent += 1
            await channel.send(f"\r{frame}")

    return report


def display_channel(declared: Sequence[str], chosen: str | None) -> str:
    """Choose the channel of a displayed object: the chosen one, else ``display``, else the first one declared.

    Raises:
        UsageError: if the process has no channel.
    """
    others = [name for name in declared if name != SYNC]
    if chosen is not None:
        return chosen
    if not others:
        raise UsageError(
            "The process has no channel to display on: submit it with one (--channel display), or return the object."
        )
    return DISPLAY if DISPLAY in others else others[0]


class Tally:
    """Counts steps, and decides when the count is worth an entry. Times are arguments, in seconds.

    Args:
        total: how many steps there will be; None if that is not known.
    """

    def __init__(self, total: float | None) -> None:
        self.current: float = 0
        self._total = total
        self._message = ""
        self._sent = 0
        self._at: float | None = None
        self._reported: tuple[float, str] | None = None

    def step(self, steps: float, message: str | None) -> None:
        """Count steps; None leaves the message as it is."""
        self.current += steps
        if message is not None:
            self._message = message

    def due(self, now: float, *, last: bool = False) -> dict[str, Any] | None:
        """Return the entry to send now, if one is due; with ``last`` all that was not sent yet."""
        state = (self.current, self._message)
        if state == self._reported:
            return None
        complete = self._total is not None and self.current >= self._total
        interval = _INTERVAL * 2 ** (self._sent // _DOUBLE_AFTER)
        if not (last or complete or self._at is None or now - self._at >= interval):
            return None
        self._reported, self._at = state, now
        self._sent += 1
        known = {} if self._total is None else {"total": self._total}
        return {"current": self.current, **known, "message": storable(self._message)}


def length(steps: object) -> float | None:
    """Return how many steps there will be: a number itself, or the length of a collection."""
    if isinstance(steps, (int, float)):
        return steps
    return operator.length_hint(steps, -1) if operator.length_hint(steps, -1) >= 0 else None


class AsyncProgress(Generic[T]):
    """Progress of an asynchronous function: iterate over it, or `update` it.

    Args:
        steps: what is gone through, or how many steps there will be.
        channel: name of the channel for the entries; None for none.
        message: text that is sent with it.
    """

    def __init__(
        self, steps: Iterable[T] | AsyncIterable[T] | float, channel: AsyncChannel | None, message: str
    ) -> None:
        self._steps = steps
        self._channel = channel
        self._tally = Tally(length(steps))
        self._tally.step(0, message)

    async def update(self, steps: float = 1, message: str | None = None) -> None:
        """Count steps that are done.

        Args:
            steps: how many.
            message: text to send with it; None for the same as before.
        """
        self._tally.step(steps, message)
        await self._report()

    async def __aiter__(self) -> AsyncIterator[T]:
        await self._report()
        if isinstance(self._steps, (int, float)):
            for step in range(int(self._steps)):
                yield step  # type: ignore[misc]  # of a number, T is int
                await self.update()
        elif hasattr(self._steps, "__aiter__"):
            async for item in self._steps:
                yield item
                await self.update()
        else:
            steps: Iterable[T] = self._steps
            for item in steps:  # the user's own iterable: a copy would read all of it first
                yield item
                await self.update()
        await self._report(last=True)

    async def _report(self, *, last: bool = False) -> None:
        entry = self._tally.due(time.monotonic(), last=last)
        if entry is not None and self._channel is not None:
            await self._channel.send(entry)


class Progress(Generic[T]):
    """Progress of a plain function: iterate over it, or `update` it; see `AsyncProgress`."""

    def __init__(self, steps: Iterable[T] | float, channel: Channel | None, message: str) -> None:
        self._steps = steps
        self._channel = channel
        self._tally = Tally(length(steps))
        self._tally.step(0, message)

    def update(self, steps: float = 1, message: str | None = None) -> None:
        """Count steps that are done; see `AsyncProgress.update`."""
        self._tally.step(steps, message)
        self._report()

    def __iter__(self) -> Iterator[T]:
        self._report()
        steps: Any = range(int(self._steps)) if isinstance(self._steps, (int, float)) else self._steps
        for item in steps:
            yield item
            self.update()
        self._report(last=True)

    def _report(self, *, last: bool = False) -> None:
        entry = self._tally.due(time.monotonic(), last=last)
        if entry is not None and self._channel is not None:
            self._channel.send(entry)
