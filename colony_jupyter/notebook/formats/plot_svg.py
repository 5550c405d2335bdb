"""A plot as a picture that a saved notebook shows: SVG without scripts, styles or anything from elsewhere (pure)."""

from __future__ import annotations

import math
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Final

from colony_jupyter.notebook.formats.plain_text import one_line
from colony_jupyter.notebook.model.series import ENTRY, TIME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colony_jupyter.notebook.model.series import Series

POINTS: Final = 500
"""Points of a line at most."""

COLOURS: Final = (
    "#1e88e5",
    "#ef6c00",
    "#43a047",
    "#ab47bc",
    "#e53935",
    "#00897b",
    "#8d6e63",
    "#ec407a",
    "#78909c",
    "#9e9d24",
)
"""Those of static/pane.css, which are seen on light and on dark ground."""

_WIDTH: Final = 640
_HEIGHT: Final = 200
_LEFT: Final = 70
_RIGHT: Final = 14
_TOP: Final = 8
_BELOW: Final = 22
_LEGEND: Final = 18
_INK: Final = "#888"
_NAME: Final = 24


def svg(series: Series, x: str, keys: Sequence[str], name: str, points: int = POINTS) -> str:
    """Draw lines of a channel.

    Args:
        series: the numbers of the channel.
        x: the axis.
        keys: the lines to draw.
        name: what entries that are plain numbers are called.
        points: points of a line at most.

    Returns:
        An SVG document; empty if there is no point.
    """
    lines = {key: series.thinned(key, x, points) for key in keys}
    drawn = [point for line in lines.values() for point in line]
    if not drawn:
        return ""
    left, right = _wide(min(at for at, _ in drawn), max(at for at, _ in drawn), 0.5 if x == TIME else None)
    low, high = _wide(min(value for _, value in drawn), max(value for _, value in drawn))
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BELOW

    def place(point: tuple[float, float]) -> str:
        across = _LEFT + (point[0] - left) / (right - left) * width
        down = _TOP + (high - point[1]) / (high - low) * height
        return f"{across:.0f},{down:.0f}"

    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT + _LEGEND}"'
    font = f'font-family="sans-serif" font-size="11" fill="{_INK}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>']
    for value in _ticks(low, high):
        y = _TOP + (high - value) / (high - low) * height
        parts.append(f'<path d="M{_LEFT} {y:.0f}h{width}" stroke="{_INK}" stroke-opacity=".3"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.0f}" text-anchor="end">{value:.4g}</text>')
    for value, anchor, at in ((left, "start", _LEFT), (right, "end", _WIDTH - _RIGHT)):
        text = f"{datetime.fromtimestamp(value).astimezone():%H:%M:%S}" if x == TIME else f"{value:.6g}"
        parts.append(f'<text x="{at}" y="{_HEIGHT - 8}" text-anchor="{anchor}">{text}</text>')
    axis = escape(one_line(x.removeprefix("#") if x in (ENTRY, TIME) else x, _NAME))
    middle = _LEFT + width / 2
    parts.append(f'<text x="{middle:.0f}" y="{_HEIGHT - 8}" text-anchor="middle">{axis}</text>')
    room = width / len(lines)
    for at, (key, line) in enumerate(lines.items()):
        rank = series.rank(key)
        colour = COLOURS[rank % len(COLOURS)]
        pen = f'fill="none" stroke="{colour}" stroke-width="1.5" stroke-linecap="round"'
        dashes = "" if rank < len(COLOURS) else ' stroke-dasharray="5 3"'
        shape = " ".join(map(place, line if len(line) > 1 else line * 2))
        parts.append(f'<polyline points="{shape}" {pen}{dashes}/>')
        label = escape(one_line(key or name, max(3, min(_NAME, int(room / 7)))))
        parts.append(f'<text x="{_LEFT + at * room:.0f}" y="{_HEIGHT + 8}" fill="{colour}">{label}</text>')
    return "".join([*parts, "</svg>"])


def _ticks(low: float, high: float) -> list[float]:
    """Return about five round numbers of a range: multiples of 1, 2 or 5 times a power of ten."""
    rough = high / 5 - low / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [at * step for at in range(first, last + 1)]


def _wide(low: float, high: float, half: float | None = None) -> tuple[float, float]:
    """Return a range that is wider than nothing: by ``half`` to each side where it is not, else by a tenth."""
    if high - low > abs(high) * 1e-12:
        return low, high
    half = half or abs(high) * 0.1 or 1.0
    return (low - half, high + half) if math.isfinite(half) else (low, low + 1)
