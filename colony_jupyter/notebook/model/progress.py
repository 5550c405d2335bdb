"""Progress that entries report (pure).

Understood are ``3/10`` (also inside a sentence: ``Processing step 3/10``), ``30%``, ``{"progress": 0.3}`` and
``{"current": 3, "total": 10, "message": "..."}``.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any, Final

import msgspec

LONGEST: Final = 300
"""Characters; a longer text reports something, not progress."""

# Neither part may belong to a date, a path, a decimal or a longer fraction.
_FRACTION: Final = re.compile(r"(?<![\w./,:-])(\d{1,12})\s?/\s?(\d{1,12})(?![\w/]|[.,]\d)")
_PERCENT: Final = re.compile(r"(?<![\w.,-])(\d{1,3}(?:\.\d{1,6})?)\s?%(?!\w)")
# "CPU 93%" is no progress: a percentage counts at the start of a text, or beside a word that means progress.
_ABOUT: Final = re.compile(
    r"progress|done|complete|finish|process|(?:down|up)?load|step|epoch|train|comput", re.IGNORECASE
)
_WINDOW: Final = 30
_BAR: Final = 30
_PERCENTS: Final = 100.0
_SHORTEST: Final = 0.2  # seconds; a backlog that was written at once has no rate


class Progress(msgspec.Struct, frozen=True):
    """How far something is.

    Attributes:
        fraction: 0.0 to 1.0.
        current: how many of ``total``; None when only a fraction is known.
        total: of how many, more than 0; None likewise.
        message: text that the sender added; may be empty.
    """

    fraction: float
    current: float | None = None
    total: float | None = None
    message: str = ""

    @property
    def label(self) -> str:
        """``"3/10"`` or ``"30 %"``."""
        if self.current is not None and self.total is not None:
            return f"{self.current:g}/{self.total:g}"
        return f"{self.fraction * _PERCENTS:.0f} %"

    @property
    def bar(self) -> str:
        """One line of text with a bar: ``"3/10 ▕███░░░░░░░▏ 30 %"``."""
        full = round(self.fraction * _BAR)
        percent = f"{self.fraction * _PERCENTS:.0f} %"
        drawn = f"▕{'█' * full}{'░' * (_BAR - full)}▏ {percent}"
        return drawn if self.label == percent else f"{self.label} {drawn}"


def parse(text: str) -> Progress | None:
    """Read the progress a text reports; None when it reports none."""
    if len(text) > LONGEST:
        return None
    text = text.strip()
    if text.startswith("{"):
        return _from_json(text)
    if "/" not in text and "%" not in text:  # most texts: the patterns below try each digit
        return None
    found = _FRACTION.search(text)
    if found:
        current, total = int(found[1]), int(found[2])
        return Progress(current / total, current, total) if total > 0 and current <= total else None
    found = _PERCENT.search(text)
    if found and (found.start() <= 1 or _ABOUT.search(text)):
        value = float(found[1])
        return Progress(value / _PERCENTS) if value <= _PERCENTS else None
    return None


def _from_json(text: str) -> Progress | None:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    message = value.get("message", "")
    message = message if isinstance(message, str) else ""
    current, total = _number(value.get("current")), _number(value.get("total"))
    if current is not None and total is not None:
        return Progress(current / total, current, total, message) if total > 0 and 0 <= current <= total else None
    share = _number(value.get("progress"))
    if share is None or not 0 <= share <= _PERCENTS:
        return None
    return Progress(share if share <= 1 else share / _PERCENTS, message=message)


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


class Meter:
    """Rate and remaining time of a progress that is reported bit by bit. Times are handed in, in seconds."""

    def __init__(self) -> None:
        self.latest: Progress | None = None
        # (time, steps done) of the latest reports; steps are fractions where no total is known.
        self._reports: deque[tuple[float, float]] = deque(maxlen=_WINDOW)

    def report(self, progress: Progress, at: float) -> None:
        """Record what was reported at the time ``at``."""
        done = self._done(progress)
        earlier = self.latest
        if earlier is not None and (done < self._reports[-1][1] or progress.total != earlier.total):
            self._reports.clear()  # something new began
        self.latest = progress
        if not self._reports or self._reports[-1][1] != done:
            self._reports.append((at, done))

    @property
    def rate(self) -> float | None:
        """Steps a second (of the whole, where no total is known); None until it is known."""
        if len(self._reports) <= 1:
            return None
        (first, done_first), (last, done_last) = self._reports[0], self._reports[-1]
        return (done_last - done_first) / (last - first) if last - first >= _SHORTEST else None

    @property
    def left(self) -> float | None:
        """Seconds that remain at this rate; None where that is unknown."""
        rate = self.rate
        if not rate or self.latest is None:
            return None
        return ((self.latest.total or 1.0) - self._reports[-1][1]) / rate

    @staticmethod
    def _done(progress: Progress) -> float:
        return progress.fraction if progress.current is None else progress.current
