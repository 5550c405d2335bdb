"""How many calls may be under way at once, by how the server answers (pure)."""

from __future__ import annotations

from typing import Final

WIDEST: Final = 8
"""Calls at once; more did not make a real server faster."""


class Pace:
    """A number of calls at once that halves when the server or a gateway asks to wait, and grows back by one a round.

    A next call begins when one is answered, so that a slow server is called slowly.

    Args:
        widest: calls at once at most.
    """

    def __init__(self, widest: int = WIDEST) -> None:
        self._widest = float(widest)
        self._width = float(widest)
        self._not_before = float("-inf")

    @property
    def width(self) -> int:
        """Calls that may be under way at once."""
        return int(self._width)

    def answered(self) -> None:
        """Note an answer."""
        self._width = min(self._widest, self._width + 1 / self._width)

    def slow_down(self, now: float, seconds: float) -> None:
        """Note that a call was not taken, and that no other may begin within so many seconds.

        Calls that were under way together are refused together: they count once.
        """
        if now >= self._not_before:
            self._width = max(1.0, self._width / 2)
        self._not_before = max(self._not_before, now + seconds)

    def wait(self, now: float) -> float:
        """Return the seconds until the next call may begin."""
        return max(0.0, self._not_before - now)
