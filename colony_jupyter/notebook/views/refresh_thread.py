"""Background thread that sends the pending updates of all views to where they are shown.

Updates are collected for a moment (one message per entry loses entries and time, docs/decisions.md), then written at
once, those of all views together: they can go into one message, and a page that shows ten of them is drawn once for
all. The thread starts with the first update and ends when nothing is pending.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

INTERVAL: Final = 0.08
"""Seconds between two batches."""

_log: Final = logging.getLogger(__name__)


class Sink(Protocol):
    """Something that has updates to write."""

    def flush(self) -> float | None:
        """Write the updates; return the seconds after which to be called again in any case, or None."""


class RefreshThread:
    """Calls `Sink.flush` of those that have updates.

    Args:
        interval: seconds between two rounds of calls.
    """

    def __init__(self, interval: float = INTERVAL) -> None:
        self._interval = interval
        self._condition = threading.Condition()
        self._due: dict[Sink, float] = {}  # when to call each, by time.monotonic
        self._last = float("-inf")  # when the last round began
        self._thread: threading.Thread | None = None  # None while there is nothing to do
        self._endings: dict[Callable[[], None], None] = {}  # what ends the present round; for its thread only

    def wake(self, sink: Sink, after: float = 0.0) -> None:
        """Call a sink in the next round that begins in ``after`` seconds or later."""
        with self._condition:
            at = max(time.monotonic() + after, self._last + self._interval)
            if at >= self._due.get(sink, float("inf")):
                return
            self._due[sink] = at
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="colony-panes", daemon=True)
                self._thread.start()
            else:
                self._condition.notify()

    def forget(self, sink: Sink) -> None:
        """Do not call a sink again until it is woken again."""
        with self._condition:
            self._due.pop(sink, None)
            self._condition.notify()

    def at_end(self, action: Callable[[], None]) -> None:
        """Do something when the round in which this is called has called all sinks; at once outside of a round."""
        if threading.current_thread() is self._thread:
            self._endings[action] = None
        else:
            action()

    def _run(self) -> None:
        while (ready := self._wait()) is not None:
            for sink in ready:
                again = _logged(sink.flush)
                if again is not None:
                    self.wake(sink, again)
            endings, self._endings = self._endings, {}
            for action in endings:
                _logged(action)

    def _wait(self) -> list[Sink] | None:
        """Wait for the next round; return the views to call, or None when none is left and the thread is to end."""
        with self._condition:
            while True:
                now = time.monotonic()
                following = self._last + self._interval
                if now >= following:
                    if ready := [sink for sink, at in self._due.items() if at <= now]:
                        for sink in ready:
                            del self._due[sink]
                        self._last = now
                        return ready
                    if not self._due:
                        self._thread = None
                        return None
                # Who was called just now may have more in a moment: until the next round the thread stays.
                self._condition.wait(max(following, min(self._due.values(), default=following)) - now)


def _logged(action: Callable[[], float | None]) -> float | None:
    try:
        return action()
    except Exception:  # noqa: BLE001 - logged: one view that cannot be written must not stop the others
        _log.exception("A pane could not be refreshed.")
        return None


SHARED: Final = RefreshThread()
"""The one all views use."""
