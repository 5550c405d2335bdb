"""The plots of a pane: which channels have numbers, and what the page is sent of them (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.notebook.model.series import COUNTERS, Series, numbers_in

if TYPE_CHECKING:
    from colony_jupyter.notebook.model.changes import PlotChoice

LINE: Final = 2
"""Entries with numbers from which on a channel has a plot."""


class Plots:
    """The numbers of all channels of a process."""

    def __init__(self) -> None:
        self.alone: PlotChoice | None = None
        """What is plotted alone; None in a pane that shows entries, too."""

        self._series: dict[str, Series] = {}

    def add(self, channel: str, text: str, at: float) -> None:
        """Add the text of an entry that came at ``at`` (Unix seconds)."""
        for numbers in numbers_in(text):
            self._series.setdefault(channel, Series()).add(numbers, at)

    def shown(self) -> dict[str, Series]:
        """Return the channels that have a plot."""
        if self.alone is not None:
            channel = self.alone.channel
            return {channel: self._series[channel]} if channel in self._series else {}
        return {channel: series for channel, series in self._series.items() if len(series) >= LINE}

    def axis(self, series: Series) -> str:
        """Return the x axis of a plot unless another is chosen in the page."""
        return self.alone.x if self.alone is not None and self.alone.x else series.x

    def keys(self, series: Series) -> list[str]:
        """Return the lines that a plot has unless others are chosen in the page."""
        x = self.axis(series)
        if self.alone is not None and self.alone.keys:
            return [key for key in self.alone.keys if key in series.columns and key != x]
        keys = [key for key in series.keys if key != x]
        return [key for key in keys if key not in COUNTERS] or keys

    def missing(self, series: Series) -> list[str]:
        """Return the keys that were chosen and that no entry has had."""
        chosen = [*self.alone.keys, self.alone.x] if self.alone is not None else []
        return [key for key in chosen if key and not key.startswith("#") and key not in series.columns]

    def wire(self) -> dict[str, Any]:
        """Return what the head of a pane has of them (``Head`` in static/store.js)."""
        plots = [(channel, len(series)) for channel, series in self.shown().items()]
        return {"plots": plots, "plot": msgspec.to_builtins(self.alone)}

    def answer(self, channel: str, x: str, size: int, bucket: int) -> tuple[dict[str, Any], list[bytes]]:
        """Return the points of a channel as a page reads them (static/plot/curves.js).

        Args:
            channel: whose numbers.
            x: the axis; empty for the usual one.
            size: entries in a bucket of what the page has.
            bucket: number of the last bucket it has.

        Returns:
            A message, and the numbers of each line as 8-byte floats. No lines if the channel has no numbers.
        """
        series = self._series.get(channel)
        if series is None:
            return {"size": 0, "bucket": 0, "x": x, "left": 0, "lines": []}, []
        x = x or self.axis(series)
        points = series.points(x, size=size, bucket=bucket)
        lines = [
            {
                "key": key,
                "rank": series.rank(key),
                "closed": points.closed[key],
                **msgspec.to_builtins(series.summary(key)),
            }
            for key in points.lines
        ]
        answer = {"size": points.size, "bucket": points.bucket, "x": x, "left": series.left_out, "lines": lines}
        return answer, [line.tobytes() for line in points.lines.values()]
