"""Reading the log of a process by calls: which lines of a reply are new, and when the next call is due (pure).

Log lines have no ids. A server lists those after a time (nanoseconds, strictly after), oldest first, at most 500 in a
reply; lines of one time come in any order. A line has the time of its arrival at the server, and is listed once it is
stored: lines of a short time before the newest one can still appear. So each call asks again for what may have changed,
and skips lines that are known, equal ones by their number.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Final

from colony_jupyter.wire.limits import MAX_LOGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colony_jupyter.wire.models import Log

LATE: Final = 2.0
"""Seconds after which a line is listed at the latest, counted from its time and from the end of its process."""
_LATE_NS: Final = int(LATE * 1e9)

SHORTEST: Final = 0.5
"""Seconds between two calls while lines arrive."""
LONGEST: Final = 2.0
"""Seconds between two calls while none arrive."""
_FACTOR: Final = 1.4


class LogReader:
    """Decides what to ask for, and finds the new lines of each reply.

    Times are seconds of any clock that does not go back; timestamps of lines are the server's nanoseconds.

    Args:
        waits_if_empty: whether a log without lines is also read until `LATE` after the end of the process.
    """

    def __init__(self, *, waits_if_empty: bool = True) -> None:
        self.is_over = False
        """Whether the process has ended and no more lines can appear."""
        self.stuck_at = 0
        """Timestamp that more lines have than a reply holds, so that some cannot be read; 0 for none."""
        self.received = 0
        self._waits_if_empty = waits_if_empty
        self._known: dict[int, Counter[tuple[str, str]]] = {}  # lines after the horizon, by their timestamps
        self._horizon = 0  # no lines up to this timestamp can appear any more
        self._newest = 0
        self._seen: deque[tuple[float, int]] = deque()  # when each newest timestamp was received
        self._cursor: int | None = None  # where the next page begins; None at the beginning of a pass
        self._sent = float("-inf")  # when the pass began
        self._due = float("-inf")
        self._pause = SHORTEST
        self._closed: float | None = None  # when the process ended; None while it has not

    @property
    def since(self) -> int:
        """The timestamp after which lines are to be asked for."""
        return self._horizon if self._cursor is None else self._cursor

    def wait(self, now: float) -> float:
        """Return the seconds until the next call is due."""
        return 0.0 if self._cursor is not None else max(0.0, self._due - now)

    def closed(self, now: float, ago: float = 0.0) -> None:
        """Note that the process has ended.

        Args:
            now: the present time.
            ago: seconds since its end.
        """
        if self._closed is None:
            self._closed = now - ago
            self._due = now

    def add(self, lines: Sequence[Log], sent: float, now: float, count: int = MAX_LOGS) -> list[Log]:
        """Apply a reply and return the lines that are new, in the reply's order.

        Args:
            lines: the lines of the reply.
            sent: when the call was made.
            now: when the reply arrived.
            count: how many lines a reply holds at most.
        """
        if self._cursor is None:
            self._sent = sent
        new = self._new(lines)
        self.received += len(new)
        if lines and lines[-1].timestamp > self._newest:
            self._newest = lines[-1].timestamp
            self._seen.append((now, self._newest))
        # The server's clock had passed the newest time when it answered, so earlier lines have been listed.
        self._forget_until(self._newest - _LATE_NS)
        if len(lines) >= count:
            self._turn_page(lines)
        else:
            self._complete(now, has_new=bool(new) or self._cursor is not None)
        return new

    def _new(self, lines: Sequence[Log]) -> list[Log]:
        new = []
        listed: Counter[tuple[int, str, str]] = Counter()
        for line in lines:
            text = (line.executorname, line.message)
            key = (line.timestamp, *text)
            listed[key] += 1
            known = self._known.setdefault(line.timestamp, Counter())
            if listed[key] > known[text]:
                known[text] += 1
                new.append(line)
        return new

    def _turn_page(self, lines: Sequence[Log]) -> None:
        # The page may end between lines of one time, so that time is asked for again.
        cursor = lines[-1].timestamp - 1
        if cursor <= self.since and lines[0].timestamp == lines[-1].timestamp:
            self.stuck_at = lines[-1].timestamp
        self._cursor = cursor

    def _complete(self, now: float, *, has_new: bool) -> None:
        """End a pass: what was received `LATE` before it began cannot change any more."""
        self._cursor = None
        while self._seen and self._seen[0][0] <= self._sent - LATE:
            self._forget_until(self._seen.popleft()[1])
        self._pause = SHORTEST if has_new else min(self._pause * _FACTOR, LONGEST)
        self._due = now + self._pause
        if self._closed is None:
            return
        last = self._closed if self.received == 0 and not self._waits_if_empty else self._closed + LATE
        self.is_over = self._sent >= last
        if self._sent < self._closed:
            self._due = now
        else:
            self._due = max(now, min(self._due, last))

    def _forget_until(self, timestamp: int) -> None:
        """Note that no more lines can appear up to a timestamp."""
        if timestamp > self._horizon:
            self._horizon = timestamp
            self._known = {at: texts for at, texts in self._known.items() if at > timestamp}
