"""Numbers of a channel: what is read as one, what is drawn of many."""

from __future__ import annotations

import math

import pytest

from colony_jupyter.notebook.model.series import BUCKETS, ENTRY, KEYS, TIME, VALUE, Series, Summary, numbers_in


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0.5", [{VALUE: 0.5}]),
        (" 7\n", []),  # begins with no digit; nothing that sends numbers writes so
        ("-1e-3\n", [{VALUE: -0.001}]),
        ('{"loss": 0.5, "step": 3}', [{"loss": 0.5, "step": 3.0}]),
        ('{"loss": 0.5, "note": "good", "done": true, "nested": {"a": 1}}', [{"loss": 0.5}]),
        ("1\n2\n3\n", [{VALUE: 1.0}, {VALUE: 2.0}, {VALUE: 3.0}]),
        ('{"a": 1}\n{"a": 2}', [{"a": 1.0}, {"a": 2.0}]),
        ("1\ntwo", []),
        ("Processing step 1/10", []),
        ("10 of 20", []),
        ("1_000", []),
        ("nan", []),
        ("inf", []),
        ('{"loss": null}', []),
        ('{"loss": NaN}', []),
        ('{"step": 3, "loss": NaN, "acc": 0.5}', [{"step": 3, "acc": 0.5}]),
        ('{"step": 3, NaN}', []),
        ('{"loss": 1' + "0" * 400 + "}", []),
        ("{", []),
        ("", []),
        ("{" * 5000, []),
        ("\ud800", []),
        ('{"\ud800": 1}', []),
    ],
)
def test_numbers_of_a_text(text, numbers):
    assert numbers_in(text) == numbers


def filled(values, key="loss"):
    series = Series()
    for at, value in enumerate(values):
        series.add({key: value}, 100.0 + at)
    return series


def test_few_points_are_drawn_as_they_are():
    points = filled([3.0, 1.0, 2.0]).points()
    assert list(points.lines["loss"]) == [1, 3, 2, 1, 3, 2]
    assert (points.size, points.bucket, points.closed) == (1, 2, {"loss": 4})


def test_axes():
    series = Series()
    for step in range(3):
        series.add({"step": step * 10.0, "loss": step + 0.5}, 100.0 + step)
    series.add({"loss": 9.0}, 103.0)
    assert series.x == "step"
    assert list(series.points("step").lines["loss"]) == [0, 0.5, 10, 1.5, 20, 2.5]
    assert "step" not in series.points("step").lines
    assert list(series.points(ENTRY).lines["step"]) == [1, 0, 2, 10, 3, 20]
    assert list(series.points(TIME).lines["loss"])[:2] == [100, 0.5]
    assert filled([1.0, 2.0]).x == ENTRY
    assert filled([1.0, 2.0], "step").x == ENTRY, "nothing would be left to draw"


def test_a_key_that_comes_late_and_one_that_misses():
    series = filled([1.0, 2.0])
    series.add({"loss": 3.0, "accuracy": 0.5}, 102.0)
    series.add({"accuracy": 0.6}, 103.0)
    lines = series.points().lines
    assert list(lines["loss"]) == [1, 1, 2, 2, 3, 3]
    assert list(lines["accuracy"]) == [3, 0.5, 4, 0.6]
    assert series.summary("accuracy") == Summary(2, 0.5, 0.6, 0.5, 0.6)
    with pytest.raises(KeyError):
        series.summary("other")


def test_many_points_have_every_extreme():
    values = [math.sin(at / 3000) for at in range(100_000)]
    values[54_321] = 7.0
    values[77_777] = -7.0
    series = filled(values)
    ys = list(series.points().lines["loss"])[1::2]
    assert BUCKETS <= len(ys) <= 4 * BUCKETS
    assert (max(ys), min(ys)) == (7.0, -7.0)
    assert series.summary("loss") == Summary(100_000, values[0], values[-1], -7.0, 7.0)


def test_points_are_given_from_the_last_bucket_on():
    series = filled(range(10))
    held = series.points()
    line = held.lines["loss"]
    for value in (7.0, 99.0, 3.0):
        series.add({"loss": value}, 200.0)
    news = series.points(size=held.size, bucket=held.bucket)
    line = line[: held.closed["loss"]] + news.lines["loss"]
    assert line == series.points().lines["loss"]


def test_thinned_to_a_number_of_points():
    series = filled([float(at % 100) for at in range(50_000)])
    thin = series.thinned("loss", ENTRY, 500)
    assert len(thin) <= 500
    assert {0.0, 99.0} <= {y for _, y in thin}
    assert [x for x, _ in thin] == sorted(x for x, _ in thin)
    assert filled([1.0, 2.0]).thinned("loss", TIME, 500) == [(100.0, 1.0), (101.0, 2.0)]


def test_too_many_keys_are_counted():
    series = Series()
    for _ in range(2):
        series.add({f"k{at}": 1.0 for at in range(KEYS + 3)}, 0.0)
    assert len(series.keys) == KEYS
    assert series.left_out == 3
