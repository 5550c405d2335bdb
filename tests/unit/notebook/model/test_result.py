"""The end of a process as a page, a terminal and a transcript show it."""

from __future__ import annotations

import base64

import msgspec
import pytest

from colony_jupyter.notebook.model.result import ROWS, SHORT_ROWS, result_of
from colony_jupyter.values.frames import MARK
from colony_jupyter.wire.models import ProcessState


def form(*columns, index=None):
    found = {MARK: 1, "kind": "dataframe", "columns": list(columns)}
    return found if index is None else {**found, "index": [index]}


def column(name, *values, dtype="float64"):
    return {"name": name, "dtype": dtype, "values": list(values)}


@pytest.fixture
def ended(make):
    def ended(value):
        return result_of(msgspec.structs.replace(make.record(ProcessState.SUCCESS), output=[value]))

    return ended


def test_a_running_process_has_no_result(make):
    assert result_of(make.record(ProcessState.RUNNING)) is None


def test_a_dataframe_is_a_table(ended):
    result = ended(form(column("loss", 0.5, None), index=column("step", 0, 1, dtype="int64")))
    assert result.table == (["step", "loss"], [["0", "0.5"], ["1", "null"]])
    assert result.wire() == {
        "state": "SUCCESS",
        "label": "Output",
        "x": "2 rows",
        "columns": ["step", "loss"],
        "rows": [["0", "0.5"], ["1", "null"]],
    }
    assert result.line.splitlines() == ["Output: 2 rows", "step  loss", "0     0.5", "1     null"]


def test_a_list_of_objects_is_a_table(ended):
    assert ended([{"a": 1}, {"a": 2, "b": "x"}]).table == (["a", "b"], [["1", ""], ["2", "x"]])


def test_categories_stand_in_the_place_of_their_codes(ended):
    colours = column("colour", 1, 0, None, dtype="category") | {"categories": column(None, "red", "blue")}
    assert ended(form(colours)).table == (["colour"], [["blue"], ["red"], ["null"]])


PICTURE = {"image/png": base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(2000)).decode(), "text/plain": "<Figure>"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([PICTURE, form(column("loss", 0.5))], ["<[image/png, 2.0 kB] <Figure>>", "<DataTable of 1 row: loss>"]),
        ({"loss": 0.5, "plot": PICTURE}, {"loss": 0.5, "plot": "<[image/png, 2.0 kB] <Figure>>"}),
        ([[1, {"a": [form(column("a", 1))]}], 2], [[1, {"a": ["<DataTable of 1 row: a>"]}], 2]),
        ({"a": {"text/html": "<script>alert(1)</script>"}}, {"a": "<[cannot be shown: text/html (25 characters)]>"}),
    ],
)
def test_pictures_and_tables_within_an_output_are_a_line_each(ended, value, text):
    result = ended(value)
    assert result.table is None
    assert msgspec.json.decode(result.more or result.text) == text


def test_an_output_that_is_nested_deeply_is_shown(ended):
    value = []
    for _ in range(300):
        value = [value]
    assert ended(value).text.startswith("[")


def test_a_long_table_names_what_is_left_out(ended):
    result = ended(form(column("x", *range(100_000))))
    assert result.text == f"the first {ROWS} of 100,000 rows"
    assert len(result.table[1]) == ROWS
    assert len(result.line.splitlines()) == SHORT_ROWS + 3
    assert result.line.endswith(f"… {100_000 - SHORT_ROWS:,} rows more")


@pytest.mark.parametrize(
    "columns",
    [
        [1],
        [{"name": "x"}],
        [{"name": "x", "values": 3}],
        [{"name": "x", "values": [1]}, {"name": "y", "values": [1, 2]}],
        [{"name": "x", "values": [5], "categories": {"values": ["a"]}}],
        [],
    ],
)
def test_a_malformed_table_is_shown_as_json(ended, columns):
    result = ended({MARK: 1, "columns": columns})
    assert result.table is None
    assert MARK in (result.more or result.text)


def test_a_table_cannot_break_out(ended):
    result = ended(form(column("a\x1b[2J\nb", "x\x1b]0;t\x07\ny")))
    assert "\x1b" not in result.line
    assert result.line.splitlines() == ["Output: 1 row", "a b", "x y"]
