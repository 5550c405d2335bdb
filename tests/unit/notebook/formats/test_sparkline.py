"""Plots in a terminal."""

from __future__ import annotations

from colony_jupyter.notebook.formats.sparkline import WIDTH, plot_lines, sparklines
from colony_jupyter.notebook.model.changes import PlotChoice
from colony_jupyter.notebook.model.plots import Plots
from colony_jupyter.notebook.model.series import Series


def test_a_line_of_bars_with_its_figures():
    series = Series()
    for at in range(8):
        series.add({"loss": 7.0 - at, "x": float(at)}, 0.0)
    assert sparklines(series, ["loss", "x"], "metrics") == [
        "loss  █▇▆▅▄▃▂▁  7 to 0 (lowest 0, highest 7, 8 points)",
        "x     ▁▂▃▄▅▆▇█  0 to 7 (lowest 0, highest 7, 8 points)",
    ]


def test_a_long_line_fits_and_ends_where_it_ends():
    series = Series()
    for at in range(10_000):
        series.add({"": float(at)}, 0.0)
    [line] = sparklines(series, [""], "metrics")
    name, bars, _ = line.split("  ")
    assert name == "metrics"
    assert len(bars) <= WIDTH
    assert (bars[0], bars[-1]) == ("▁", "█")


def test_a_line_without_change_and_one_point():
    plots = Plots()
    for _ in range(2):
        plots.add("steady", "5", 0.0)
    assert list(plot_lines(plots)) == ["steady  ▁▁  5 to 5 (lowest 5, highest 5, 2 points)"]
    one = Series()
    one.add({"a\x1b[2J": 1.0}, 0.0)
    assert sparklines(one, ["a\x1b[2J"], "") == ["a  ▁  1 to 1 (lowest 1, highest 1, 1 point)"]


def test_a_chosen_key_that_no_entry_has_is_named_with_those_there_are():
    plots = Plots()
    plots.alone = PlotChoice("metrics", "", ("accuracy",))
    plots.add("metrics", '{"step": 1, "loss": 5}', 0.0)
    assert list(plot_lines(plots)) == ["No entry has the key 'accuracy'. There are: step, loss."]
    plots.alone = PlotChoice("metrics", "epoch", ("loss",))
    assert list(plot_lines(plots))[-1] == "No entry has the key 'epoch'. There are: step, loss."
    plots.alone = PlotChoice("metrics", "#time", ("loss",))
    assert len(list(plot_lines(plots))) == 1
