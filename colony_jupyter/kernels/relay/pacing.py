"""When the next entry may be appended: the server's limit is shared by both parties and all channels of a process."""

from __future__ import annotations

from typing import Final

from colony_jupyter.wire.token_bucket import TokenBucket

_PLENTY: Final = 350.0
_SCARCE: Final = 100.0
_RESERVED: Final = 50.0
_SHORT: Final = 0.025
_LONG: Final = 0.040
_HALF: Final = 0.5
_SLOWEST: Final = 0.25
_TEXT_RATE: Final = 5.0
"""Entries of printed text a second, of a program that prints without end: more cannot be read."""
_TEXT_BURST: Final = 150.0


class Pace:
    """The gap to leave after an entry.

    Each party sees the entries of the other, so both know about the same level of the limit's bucket.

    Args:
        now: the present time, in seconds.
    """

    def __init__(self, now: float) -> None:
        self._bucket = TokenBucket(now)
        self._text = TokenBucket(now, _TEXT_RATE, _TEXT_BURST)

    def note(self, now: float) -> None:
        """Count one entry of either party."""
        self._bucket.tokens = max(0.0, self._bucket.refill(now) - 1)

    def text_gap(self, now: float) -> float:
        """Count one entry that carries printed text alone, and return the seconds to leave before more of it."""
        self._text.tokens = max(0.0, self._text.refill(now) - 1)
        return 0.0 if self._text.tokens >= 1 else 1 / _TEXT_RATE

    def gap(self, now: float, fill: float = 0.0, *, urgent: bool = False) -> float:
        """Return the seconds to leave before the next entry.

        Args:
            now: the present time, in seconds.
            fill: how full the log of the channel is, from 0 to 1: a fuller one is written to more slowly.
            urgent: whether the channel carries commands, which are few and must not wait for the pace of output.
        """
        tokens = self._bucket.refill(now)
        if urgent and fill <= _HALF and tokens > _RESERVED:
            return 0.0
        gap = 0.0 if tokens > _PLENTY else _SHORT if tokens > _SCARCE else _LONG
        return gap if fill <= _HALF else gap + (fill - _HALF) / (1 - _HALF) * (_SLOWEST - gap)
