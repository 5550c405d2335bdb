"""Reading a channel without a WebSocket: whether to, how often, and when to try a WebSocket again (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SHORTEST: Final = 0.25
"""Seconds between two reads of a log while entries arrive."""
_LONGEST: Final = 2.0
"""Seconds between two reads of a log in which nothing new arrives."""
_FACTOR: Final = 1.4
_FIRST_RETRY: Final = 5.0
_LAST_RETRY: Final = 60.0
_UNOPENED: Final = 3
"""Failures to connect after which the log is read."""
_READS: Final = 2
"""Reads of the log, each after failures, that show that only WebSockets fail."""


class Polling:
    """Begins once WebSockets fail while calls get through, and ends when a WebSocket works.

    One refusal by what answers in the place of the server suffices. A connection that cannot be made, and one over
    which nothing arrives, may also be an outage: they count once the log could be read after each of several failures.

    Args:
        shortest: gives the seconds that must be between two reads, since many streams share the server.
    """

    def __init__(self, shortest: Callable[[], float]) -> None:
        self._shortest = shortest
        self.is_on = False
        """Whether the log is polled."""
        self.reason = ""
        """Why WebSockets fail, as a clause; empty as long as they work."""
        self._unopened = 0
        self._reads = 0  # of the log, after failures
        self._pause = SHORTEST
        self._retry = _FIRST_RETRY

    def not_opened(self, reason: str, *, is_refused: bool) -> bool:
        """Note that a WebSocket could not be opened; returns whether the log is to be read now.

        Args:
            reason: why, as a clause.
            is_refused: whether it was refused; otherwise there may be no connection at all.
        """
        self._unopened += 1
        self.reason = reason
        if is_refused:
            self._reads = _READS
        return not self.is_on and (is_refused or self._unopened % _UNOPENED == 0)

    def silent(self) -> None:
        """Note that nothing arrived over a WebSocket although the log has entries."""
        self.reason = "a WebSocket opens, but nothing arrives over it"

    def log_read(self) -> bool:
        """Note that the log was read while no WebSocket is open; returns whether polling begins with that."""
        if not self.reason or self.is_on:
            return False
        self._reads += 1
        self.is_on = self._reads >= _READS
        return self.is_on

    def works(self) -> None:
        """Note that a WebSocket works."""
        self.is_on = False
        self._retry = _FIRST_RETRY
        self._clear()

    def log_lost(self) -> None:
        """Note that calls do not get through either: failures of WebSockets until now prove nothing."""
        if not self.is_on:
            self._clear()

    def pause(self, *, arrived: bool) -> float:
        """Return the seconds until the log is read again.

        Args:
            arrived: whether the latest read brought new entries.
        """
        self._pause = SHORTEST if arrived else min(self._pause * _FACTOR, _LONGEST)
        return max(self._pause, self._shortest())

    def retry(self) -> float:
        """Return the seconds until a WebSocket is tried again."""
        retry, self._retry = self._retry, min(self._retry * 2, _LAST_RETRY)
        return retry

    def _clear(self) -> None:
        self.reason, self._unopened, self._reads = "", 0, 0
