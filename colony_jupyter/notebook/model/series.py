"""The numbers of a channel, as lines to draw (pure).

An entry counts if it is a number or a JSON object that has numbers; each line of a longer text counts by itself, since
`Channel.write` joins lines. All numbers are stored. What is drawn is reduced: neighbouring points share a bucket,
and of each bucket the lowest and the highest point of each line are drawn, which is what a screen can show of them.
"""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.wire.decoding import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKETS: Final = 1024
"""There are at most twice as many buckets; then two neighbours become one."""

KEYS: Final = 24
"""Lines of one channel that are drawn, the first ones."""

COUNTERS: Final = ("step", "epoch")
"""Keys that count what the others belong to: the first that there is becomes the x axis."""

ENTRY: Final = "#entry"
TIME: Final = "#time"
"""Names of the x axes that are no keys."""

VALUE: Final = ""
"""Key of entries that are plain numbers."""

_FIRST: Final = frozenset("0123456789+-.{nNiI")
_NOTHING: Final = math.nan
_LARGEST: Final = 1e300
_SMALLEST: Final = 1e-300


class Summary(msgspec.Struct, frozen=True):
    """One line in figures.

    Attributes:
        count: number of its points.
        first: its first value.
        last: its last value.
        low: its lowest value.
        high: its highest value.
    """

    count: int
    first: float
    last: float
    low: float
    high: float


class Points(msgspec.Struct, frozen=True):
    """Points to draw.

    Attributes:
        size: entries in a bucket.
        bucket: number of the last bucket, which may still grow.
        lines: for each key x and y by turns, in the order of the entries.
        closed: for each key how many of its numbers belong to buckets before the last one.
    """

    size: int
    bucket: int
    lines: dict[str, array[float]]
    closed: dict[str, int]


def axis(word: str | None) -> str:
    """Return the x axis that a word means: ``entry``, ``time`` or a key; empty for None."""
    return {None: "", "entry": ENTRY, "time": TIME}.get(word, word or "")


def numbers_in(text: str) -> list[dict[str, float]]:
    """Read the numbers of an entry's text: one item for each line that has any, none if a line is something else."""
    if text[:1] not in _FIRST:
        return []
    one = _numbers(text)
    if one is not None:
        return [one]
    found = [_numbers(line) for line in text.splitlines() if line.strip()]
    return [numbers for numbers in found if numbers] if all(found) else []


def _numbers(text: str) -> dict[str, float] | None:
    if text[:1] != "{":
        try:
            value = float(text)
        except ValueError:
            return None
        number = _drawable(value)
        return {VALUE: number} if number is not None and "_" not in text else None
    try:
        value = read_json(text)
    except (ValueError, RecursionError):
        return None
    numbers = {key: number for key, each in value.items() if (number := _finite(each)) is not None}
    return numbers or None


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return _drawable(number)


def _drawable(number: float) -> float | None:
    """Return a number whose differences to others are finite and not lost; None for one that is too large."""
    size = abs(number)
    if size < _SMALLEST:
        return 0.0
    return number if size < _LARGEST else None


class Series:
    """All lines of one channel."""

    def __init__(self) -> None:
        self.times = array("d")
        """When each entry came, in Unix seconds."""

        self.columns: dict[str, array[float]] = {}
        """The values of each key, one for each entry; NaN where an entry has none."""

        self.left_out = 0
        """Number of keys that are not drawn (`KEYS`)."""

        self.size = 1
        """Number of entries in a bucket."""

        self._extremes: dict[str, list[tuple[int, int]]] = {}  # lowest and highest point of each bucket; -1 for none
        self._summaries: dict[str, Summary] = {}
        self._strangers: set[str] = set()

    def __len__(self) -> int:
        return len(self.times)

    @property
    def keys(self) -> list[str]:
        """The keys, in the order in which they came."""
        return list(self.columns)

    def rank(self, key: str) -> int:
        """Return the number of a line's colour: counters, which are rarely drawn, come last."""
        return sorted(self.columns, key=COUNTERS.__contains__).index(key)

    @property
    def x(self) -> str:
        """The x axis unless another is chosen: a counter if there is one, else the number of the entry."""
        return next((key for key in COUNTERS if key in self.columns and len(self.columns) > 1), ENTRY)

    def add(self, numbers: dict[str, float], at: float) -> None:
        """Add the numbers of an entry that came at ``at`` (Unix seconds)."""
        index = len(self.times)
        self.times.append(at)
        for key in numbers:
            if key not in self.columns:
                self._begin(key, index)
        bucket = index // self.size
        for key, column in self.columns.items():
            value = numbers.get(key, _NOTHING)
            column.append(value)
            extremes = self._extremes[key]
            if len(extremes) == bucket:
                extremes.append((-1, -1))
            if value == value:  # noqa: PLR0124 - false for NaN, and faster than asking for it
                extremes[bucket] = self._merged(column, extremes[bucket], (index, index))
                self._summaries[key] = _counted(self._summaries.get(key), value)
        if bucket == 2 * BUCKETS - 1 and (index + 1) % self.size == 0:
            self._halve()

    def _begin(self, key: str, index: int) -> None:
        if len(self.columns) == KEYS:
            self._strangers.add(key)
            self.left_out = len(self._strangers)
            return
        self.columns[key] = array("d", [_NOTHING]) * index
        self._extremes[key] = [(-1, -1)] * (index // self.size + (index % self.size > 0))

    def _halve(self) -> None:
        self.size *= 2
        for key, extremes in self._extremes.items():
            column = self.columns[key]
            pairs = zip(extremes[::2], extremes[1::2], strict=True)
            self._extremes[key] = [self._merged(column, one, other) for one, other in pairs]

    @staticmethod
    def _merged(column: array[float], one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
        """Return the lowest and the highest point of two stretches, the earlier one of equals."""
        if one[0] < 0 or other[0] < 0:
            return other if one[0] < 0 else one
        low = one[0] if column[one[0]] <= column[other[0]] else other[0]
        high = one[1] if column[one[1]] >= column[other[1]] else other[1]
        return low, high

    def summary(self, key: str) -> Summary:
        """Return the figures of a line.

        Raises:
            KeyError: if there is no such key.
        """
        return self._summaries[key]

    def points(self, x: str = ENTRY, *, size: int = 0, bucket: int = 0) -> Points:
        """Return what is to be drawn.

        Args:
            x: the axis: `ENTRY`, `TIME` or a key. Entries without that key are not drawn.
            size: entries in a bucket of the points that the page has already.
            bucket: number of the last bucket it has, which is given again. Everything is given if ``size`` is not that
                of this object any more.
        """
        bucket = bucket if size == self.size else 0
        last = max(0, len(self.times) - 1) // self.size
        lines: dict[str, array[float]] = {}
        closed: dict[str, int] = {}
        for key in self.columns:
            if key == x:
                continue
            line = array("d")
            for each in range(bucket, last + 1):
                if each == last:
                    closed[key] = len(line)
                for index in self._drawn(key, each):
                    at = self._x(x, index)
                    if at == at:  # noqa: PLR0124 - as above
                        line.append(at)
                        line.append(self.columns[key][index])
            lines[key] = line
        return Points(self.size, last, lines, closed)

    def thinned(self, key: str, x: str, most: int) -> list[tuple[float, float]]:
        """Return at most ``most`` points of a line, the lowest and the highest of each of ``most`` / 2 stretches."""
        column = self.columns[key]
        drawn = [each for each in self._indices(key) if (at := self._x(x, each)) == at]
        width = max(1, math.ceil(len(drawn) / max(1, most // 2)))
        if len(drawn) <= most:
            chosen = drawn
        else:
            chosen = []
            for first in range(0, len(drawn), width):
                part = drawn[first : first + width]
                chosen += sorted({min(part, key=column.__getitem__), max(part, key=column.__getitem__)})
        return [(self._x(x, index), column[index]) for index in chosen]

    def _indices(self, key: str) -> Iterator[int]:
        for bucket in range(len(self._extremes[key])):
            yield from self._drawn(key, bucket)

    def _drawn(self, key: str, bucket: int) -> tuple[int, ...]:
        extremes = self._extremes[key]
        low, high = extremes[bucket] if bucket < len(extremes) else (-1, -1)
        if low < 0:
            return ()
        return (low,) if low == high else (min(low, high), max(low, high))

    def _x(self, x: str, index: int) -> float:
        if x == ENTRY:
            return index + 1.0
        if x == TIME:
            return self.times[index]
        column = self.columns.get(x)
        return _NOTHING if column is None else column[index]


def _counted(summary: Summary | None, value: float) -> Summary:
    if summary is None:
        return Summary(1, value, value, value, value)
    return Summary(summary.count + 1, summary.first, value, min(summary.low, value), max(summary.high, value))
