"""The one thread that brings news of all views to where they are shown.

News are gathered for a moment (DISPLAY.md: a message for each entry loses entries and time), then written at once.
The thread starts with the first news and ends when there is nothing left to wait for.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final, Protocol

INTERVAL: Final = 0.08
"""Seconds between two batches of one view."""

_log: Final = logging.getLogger(__name__)


class Sink(Protocol):
    """Something that has news to write."""

    def flush(self) -> float | None:
        """Write the news; give the seconds after which to be called again in any case, or None."""


class Flusher:
    """Calls the `Sink.flush` of those who have news.

    Args:
        interval: seconds between two calls of one sink.
    """

    def __init__(self, interval: float = INTERVAL) -> None:
        self._interval = interval
        self._condition = threading.Condition()
        self._due: dict[Sink, float] = {}  # when to call whom, by time.monotonic
        self._last: dict[Sink, float] = {}  # when who was called last
        self._thread: threading.Thread | None = None  # None while there is nothing to do

    def wake(self, sink: Sink, after: float = 0.0) -> None:
        """Call a sink soon: ``after`` seconds, and not before its interval is over."""
        with self._condition:
            now = time.monotonic()
            at = max(now + after, self._last.get(sink, now - self._interval) + self._interval)
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
            self._last.pop(sink, None)
            self._condition.notify()

    def _run(self) -> None:
        while (ready := self._wait()) is not None:
            for sink in ready:
                try:
                    again = sink.flush()
                except Exception:  # noqa: BLE001 - logged, see below
                    # One view that cannot be written must not stop the others.
                    _log.exception("A pane could not be refreshed.")
                    continue
                if again is not None:
                    self.wake(sink, again)

    def _wait(self) -> list[Sink] | None:
        """Wait for the next sinks to call; None when there are none, and the thread is to end."""
        with self._condition:
            while True:
                now = time.monotonic()
                ready = [sink for sink, at in self._due.items() if at <= now]
                if ready:
                    for sink in ready:
                        del self._due[sink]
                        self._last[sink] = now
                    return ready
                # Who was called within the last interval may be again soon: the thread stays for a little while.
                self._last = {
                    sink: at for sink, at in self._last.items() if now - at < self._interval or sink in self._due
                }
                wakeups = [*self._due.values(), *(at + self._interval for at in self._last.values())]
                if not wakeups:
                    self._thread = None
                    return None
                self._condition.wait(min(wakeups) - now)


SHARED: Final = Flusher()
"""The one all views use."""
