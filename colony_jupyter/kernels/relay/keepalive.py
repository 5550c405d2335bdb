"""When the caller asks its executor for a sign of life, and when the executor counts as lost.

An executor that has sent nothing for a while is pinged. One that does not answer a ping is asked for a new session by a
hello, and last by another one. Times are seconds of one clock.
"""

from __future__ import annotations

from typing import Final

_IDLE_PING: Final = 60.0
_BUSY_PING: Final = 15.0
_PONG: Final = 12.0
_WELCOME: Final = 8.0
"""For an executor to answer a hello that follows an unanswered ping; one that follows none has ``_PONG`` more."""
_FIRST_WELCOME: Final = 60.0
"""For an executor to answer the first hello of a process."""
_LAST_WELCOME: Final = 2.0
"""For the server to accept the last hello, and for the executor to answer it."""


class KeepAlive:
    """What an executor has not answered yet."""

    def __init__(self) -> None:
        self._pinged: float | None = None  # None while no ping is to be answered
        self._hello_at = 0.0
        self._is_last = False  # whether that hello was the last one

    def begin(self) -> None:
        """Note that a session begins, in which nothing was asked for."""
        self._pinged, self._is_last = None, False

    def restart(self, now: float) -> None:
        """Note that the executor has its time again: it has answered a former hello, or this program was cut off."""
        self._hello_at, self._is_last = now, False

    def wants_ping(self, now: float, heard: float, *, is_busy: bool) -> bool:
        """Whether to send a ping; counted as sent then.

        Args:
            now: the present time.
            heard: when the executor was heard last.
            is_busy: whether the caller waits for something.
        """
        if self._pinged is not None and heard > self._pinged:
            self._pinged = None
        if self._pinged is not None or now - heard <= (_BUSY_PING if is_busy else _IDLE_PING):
            return False
        self._pinged = now
        return True

    def wants_session(self, now: float) -> bool:
        """Whether a ping was not answered in time."""
        return self._pinged is not None and now - self._pinged > _PONG

    def hello(self, now: float, seconds: float, *, is_last: bool) -> None:
        """Note a hello that the server has accepted.

        Args:
            now: the present time.
            seconds: how long that took. Where the server was out of reach, the executor may have been cut off, too: it
                gets its time again.
            is_last: whether it is the last one.
        """
        self._hello_at, self._is_last = now, is_last and seconds < _LAST_WELCOME

    def wants_last_hello(self, now: float, heard: float, *, is_first: bool) -> bool:
        """Whether to send a last hello, since the one before was not answered in time.

        What is missing may be the caller's own connection. When the last hello has come back from the server, all that
        the server had before it has come, too.

        Args:
            now: the present time.
            heard: when the executor was heard last.
            is_first: whether the process has had no session yet.
        """
        asked = self._hello_at if self._pinged is None or heard > self._pinged else self._pinged
        longest = _FIRST_WELCOME if is_first else _PONG + _WELCOME
        return not self._is_last and now - self._hello_at > _WELCOME and now - asked > longest

    def is_lost(self, now: float, *, has_come_back: bool) -> bool:
        """Whether the executor counts as lost.

        Args:
            now: the present time.
            has_come_back: whether the latest hello has come back from the server.
        """
        return self._is_last and has_come_back and now - self._hello_at > _LAST_WELCOME
