"""Which channels have a plot, and what the page is sent of it."""

from __future__ import annotations

from array import array

from colony_jupyter.notebook.model.changes import PlotChoice
from colony_jupyter.notebook.model.plots import Plots
from colony_jupyter.notebook.model.series import ENTRY, TIME, axis


def plots(**texts):
    made = Plots()
    for channel, lines in texts.items():
        for at, text in enumerate(lines):
            made.add(channel, text, 100.0 + at)
    return made


def test_a_channel_with_two_numbers_has_a_plot():
    made = plots(metrics=["1", "2"], one=["1"], words=["a", "b"], mixed=["a", "1", "2"])
    assert list(made.shown()) == ["metrics", "mixed"]
    assert made.wire() == {"plots": [("metrics", 2), ("mixed", 2)], "plot": None}


def test_the_points_as_the_page_reads_them():
    made = plots(metrics=['{"step": 5, "loss": 0.5}', '{"step": 6, "loss": 0.25}'])
    answer, buffers = made.answer("metrics", "", 0, 0)
    assert answer == {
        "size": 1,
        "bucket": 1,
        "x": "step",
        "left": 0,
        "lines": [
            {"key": "loss", "rank": 0, "closed": 2, "count": 2, "first": 0.5, "last": 0.25, "low": 0.25, "high": 0.5}
        ],
    }
    assert list(array("d", buffers[0])) == [5, 0.5, 6, 0.25]
    answer, buffers = made.answer("metrics", ENTRY, 1, 1)
    assert [line["key"] for line in answer["lines"]] == ["step", "loss"]
    assert list(array("d", buffers[1])) == [2, 0.25]
    assert made.answer("other", "", 0, 0)[0]["lines"] == []


def test_what_was_chosen_for_a_plot_alone():
    made = plots(metrics=['{"step": 1, "a": 1, "b": 2}'], other=["1", "2"])
    made.alone = PlotChoice("metrics", TIME, ("b", "none"))
    series = made.shown()["metrics"]
    assert list(made.shown()) == ["metrics"], "one point is enough where it is asked for"
    assert made.axis(series) == TIME
    assert made.keys(series) == ["b"]
    assert made.wire()["plot"] == {"channel": "metrics", "x": TIME, "keys": ("b", "none")}
    made.alone = PlotChoice("nothing")
    assert made.shown() == {}


def test_counters_are_no_lines_unless_they_are_all_there_is():
    made = plots(metrics=['{"step": 1, "epoch": 0, "loss": 2}'], steps=['{"step": 1}', '{"step": 2}'])
    made.add("metrics", '{"step": 2, "epoch": 0, "loss": 1}', 0.0)
    shown = made.shown()
    assert made.keys(shown["metrics"]) == ["loss"]
    assert made.keys(shown["steps"]) == ["step"]


def test_names_of_axes():
    assert [axis(word) for word in (None, "entry", "time", "epoch")] == ["", ENTRY, TIME, "epoch"]
