"""A plot in a terminal: each line as a row of bars of eight heights, with its figures (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from colony_jupyter.notebook.formats.plain_text import one_line
from colony_jupyter.notebook.model.series import ENTRY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from colony_jupyter.notebook.model.plots import Plots
    from colony_jupyter.notebook.model.series import Series

WIDTH: Final = 40
"""Bars of a line at most."""

_BARS: Final = "▁▂▃▄▅▆▇█"
_NAME: Final = 24


def plot_lines(plots: Plots) -> Iterator[str]:
    """Draw all plots of a process."""
    for channel, series in plots.shown().items():
        yield from sparklines(series, plots.keys(series), channel)
        if missing := plots.missing(series):
            names = ", ".join(one_line(key or channel, _NAME) for key in series.keys)
            yield f"No entry has the key '{one_line(missing[0], _NAME)}'. There are: {names}."


def sparklines(series: Series, keys: Sequence[str], name: str) -> list[str]:
    """Draw lines of a channel, one as each line of text.

    Args:
        series: the numbers of the channel.
        keys: the lines to draw.
        name: what entries that are plain numbers are called.
    """
    labels = [one_line(key or name, _NAME) for key in keys]
    width = max(map(len, labels), default=0)
    return [f"{label.ljust(width)}  {_line(series, key)}" for label, key in zip(labels, keys, strict=True)]


def _line(series: Series, key: str) -> str:
    figures = series.summary(key)
    values = [value for _, value in series.thinned(key, ENTRY, 2 * WIDTH)]
    # Of each pair one bar is left: the later one, which ends where the line ends.
    every = -(-len(values) // WIDTH)
    values = values[::-1][::every][::-1]
    span = figures.high - figures.low
    heights = [round((value - figures.low) / span * (len(_BARS) - 1)) if span else 0 for value in values]
    bars = "".join(_BARS[height] for height in heights)
    return (
        f"{bars}  {figures.first:.4g} to {figures.last:.4g} (lowest {figures.low:.4g}, highest {figures.high:.4g}, "
        f"{figures.count:,} {'point' if figures.count == 1 else 'points'})"
    )
