"""A plot as a picture: well-formed, bounded, and without anything that runs."""

from __future__ import annotations

from datetime import datetime
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony_jupyter.notebook.formats.plot_svg import POINTS, svg
from colony_jupyter.notebook.model.series import ENTRY, TIME, Series, numbers_in

SVG = "{http://www.w3.org/2000/svg}"


def filled(count, *keys):
    series = Series()
    for at in range(count):
        series.add({key: float((at * (1 + each)) % 17) for each, key in enumerate(keys)}, 1e9 + at)
    return series


def lines(picture):
    return [line.attrib["points"].split() for line in ET.fromstring(picture).iter(f"{SVG}polyline")]


def test_lines_within_the_picture():
    picture = svg(filled(40, "loss", "accuracy"), ENTRY, ["loss", "accuracy"], "metrics")
    drawn = lines(picture)
    assert [len(line) for line in drawn] == [40, 40]
    for x, y in (map(int, point.split(",")) for line in drawn for point in line):
        assert 70 <= x <= 626
        assert 8 <= y <= 178
    texts = [text.text for text in ET.fromstring(picture).iter(f"{SVG}text")]
    assert {"loss", "accuracy", "entry", "1", "40"} <= set(texts)


def test_at_most_five_hundred_points_of_a_line():
    [line] = lines(svg(filled(20_000, "loss"), TIME, ["loss"], "metrics"))
    assert POINTS * 0.8 < len(line) <= POINTS


@pytest.mark.parametrize(
    "key", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "\x1b[31m\u202e", "a" * 5000]
)
def test_names_are_text(key):
    series = Series()
    for at in range(3):
        series.add({key: at, "other": 1.0}, 0.0)
    picture = ET.fromstring(svg(series, ENTRY, [key, "other"], "metrics"))
    assert {element.tag for element in picture.iter()} == {f"{SVG}{tag}" for tag in ("svg", "path", "text", "polyline")}
    assert max(len(text.text or "") for text in picture.iter(f"{SVG}text")) <= 24
    assert not [name for element in picture.iter() for name in element.attrib if name.startswith("on")]


def test_entries_of_one_moment_are_in_the_middle_of_a_second():
    series = Series()
    for value in (1.0, 2.0):
        series.add({"": value}, 1.7e9)
    picture = svg(series, TIME, [""], "metrics")
    texts = [text.text for text in ET.fromstring(picture).iter(f"{SVG}text")]
    seconds = [datetime.fromtimestamp(at).astimezone() for at in (1.7e9 - 0.5, 1.7e9 + 0.5)]
    assert {f"{each:%H:%M:%S}" for each in seconds} <= set(texts)


def test_the_values_of_the_y_axis_are_round():
    series = Series()
    for value in (0.0218, 4.098):
        series.add({"": value}, 0.0)
    texts = [text.text for text in ET.fromstring(svg(series, ENTRY, [""], "m")).iter(f"{SVG}text")]
    assert texts[:4] == ["1", "2", "3", "4"]


@given(st.lists(st.floats(), min_size=1, max_size=3))
def test_any_range_has_a_few(values):
    series = Series()
    series.add({"": 1.0}, 0.0)
    for value in values:
        for numbers in numbers_in(str(value)):
            series.add(numbers, 0.0)
    picture = ET.fromstring(svg(series, ENTRY, [""], "m"))
    places = [float(path.attrib["d"].split()[1].split("h")[0]) for path in picture.iter(f"{SVG}path")]
    assert 1 <= len(places) <= 7
    assert all(8 <= place <= 178 for place in places)


def test_one_point_one_value_and_none():
    assert lines(svg(filled(1, "loss"), ENTRY, ["loss"], "m"))
    series = Series()
    for at in range(3):
        series.add({"": 5.0}, float(at))
    assert [len(line) for line in lines(svg(series, ENTRY, [""], "m"))] == [3]
    assert svg(series, "nothing", [""], "m") == ""
    assert svg(series, ENTRY, [], "m") == ""
