"""Tables go through JSON and come back with index and dtypes."""

from __future__ import annotations

import datetime as dt
import decimal
import sys
import time

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal
from polars.testing import assert_frame_equal as assert_polars_equal

from colony_jupyter.errors import UsageError
from colony_jupyter.values.conversion import convert
from colony_jupyter.values.datatable import DataTable, revive

COLUMNS = {
    "int32": np.arange(3, dtype="int32"),
    "uint64": np.arange(3, dtype="uint64"),
    "large": [2**60, 1, 2],
    "float32": np.array([0.1, np.nan, 2.0], dtype="float32"),
    "whole": [1.0, 2.0, 3.0],
    "bool": [True, False, True],
    "text": ["a", None, "ö"],
    "string": pd.array(["a", None, "b"], dtype="string"),
    "arrow": pd.array([1, None, 3], dtype="int64[pyarrow]"),
    "moment": pd.to_datetime(["2024-01-01T01:02:03.000004", None, "2024-06-01"], format="ISO8601"),
    "nano": np.array(["2024-01-01T00:00:00.000000001", "NaT", "2024-01-01"], dtype="datetime64[ns]"),
    "zone": pd.to_datetime(["2024-01-01", None, "2024-06-01"]).tz_localize("Europe/Stockholm"),
    "span": pd.to_timedelta([1, None, 3], unit="s"),
    "long span": np.array([2**60, 1, 2], dtype="timedelta64[ns]"),
    "category": pd.Categorical(["x", "y", None], categories=["y", "x", "z"], ordered=True),
    "numbers": pd.Categorical([1, 2, 1]),
    "Int64": pd.array([1, None, 2**60], dtype="Int64"),
    "Float64": pd.array([1.5, None, 2.0], dtype="Float64"),
    "boolean": pd.array([True, None, False], dtype="boolean"),
    "period": pd.period_range("2024-01", periods=3, freq="M"),
    "object": pd.array([[1], {"a": 2}, None], dtype=object),
    "dates": pd.array([dt.date(2024, 1, 1), None, dt.date(2024, 1, 2)], dtype=object),
    "decimals": pd.array([decimal.Decimal("1.10"), None, decimal.Decimal(2)], dtype=object),
    "binary": pd.array([b"\x00", None, b""], dtype=object),
    "intervals": pd.arrays.IntervalArray.from_tuples([(0, 1), (1, 2), np.nan], closed="left"),
    "days": pd.interval_range(pd.Timestamp("2024-01-01", tz="Europe/Stockholm"), periods=3),
    "bins": pd.cut([1, 5, np.nan], [-np.inf, 3, np.inf]),
    "offset": pd.to_datetime(["2024-01-01T00:00+02:00", None, "2024-06-01T00:00+02:00"]),
}


def through_json(value):
    """Convert, then encode as a server does: keys sorted, whole floats written as integers."""
    converted = convert(value, "result", large="text")
    assert converted.complaint() == ""
    return revive(msgspec.json.decode(msgspec.json.encode(converted.value, order="sorted").replace(b".0,", b",")))


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_of_pandas_comes_back_with_its_dtype(name):
    series = pd.Series(COLUMNS[name], name=name)
    table = through_json({"found": [series]})["found"][0]
    assert_series_equal(table.to_pandas(), series)
    assert len(table.to_dicts()) == 3
    assert len(table.to_polars()) == 3


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(3),
        pd.RangeIndex(3, name="n"),
        pd.RangeIndex(5, 8),
        pd.Index(["a", "b", "c"], name="row"),
        pd.date_range("2024", periods=3, tz="UTC"),
        pd.CategoricalIndex(["x", "y", "x"]),
        pd.MultiIndex.from_tuples([("a", 1), ("b", 2), ("c", 3)], names=["x", None]),
        pd.MultiIndex.from_tuples([("a",), ("b",), ("c",)], names=["x"]),
    ],
    ids=str,
)
def test_an_index_comes_back(index):
    frame = pd.DataFrame(COLUMNS).set_index(index)
    assert_frame_equal(through_json(frame).to_pandas(), frame, check_freq=False)
    assert_series_equal(through_json(frame["text"]).to_pandas(), frame["text"], check_freq=False)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame(index=["a", "b"]),
        pd.DataFrame({"a": pd.Series([], dtype="datetime64[us]")}),
        pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)], names=["one", "two"])),
        pd.DataFrame([[1, 2]], columns=[0, 1]),
        pd.DataFrame([[1, 2]], columns=["same", "same"]),
        pd.DataFrame([[1, 2]], columns=pd.Index(["a", "b"], name="columns")),
    ],
    ids=lambda frame: str(list(frame.columns)),
)
def test_unusual_tables_come_back(frame):
    assert_frame_equal(through_json(frame).to_pandas(), frame, check_column_type=False, check_index_type=False)


POLARS = {
    "Int64": [1, None],
    "UInt8": pl.Series([1, 2], dtype=pl.UInt8),
    "Int8": pl.Series([1, None], dtype=pl.Int8),
    "Float32": pl.Series([0.5, None], dtype=pl.Float32),
    "Boolean": [True, None],
    "String": ["a", None],
    "Date": [dt.date(2024, 1, 1), None],
    "Time": [dt.time(1, 2), None],
    "Datetime": [dt.datetime(2024, 1, 1, 1, 2, 3, 4), None],  # noqa: DTZ001 - without a zone
    "zone": [dt.datetime(2024, 6, 1, tzinfo=dt.UTC), None],
    "Duration": [dt.timedelta(days=1), None],
    "Categorical": pl.Series(["a", None], dtype=pl.Categorical),
    "Enum": pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"])),
    "Decimal": [decimal.Decimal("1.10"), None],
    "Binary": [b"\x00", None],
    "List": [[1], [2, 3]],
}


@pytest.mark.parametrize("name", POLARS)
def test_a_column_of_polars_comes_back(name):
    frame = pl.DataFrame({name: POLARS[name]})
    table = through_json(frame)
    assert_polars_equal(table.to_polars(), frame)
    assert len(table.to_pandas()) == 2
    assert len(table.to_dicts()) == 2
    single = through_json(frame[name])
    assert single.to_polars().equals(frame[name])


def test_rows_are_dicts_with_the_index_first():
    frame = pd.DataFrame({"a": pd.Categorical(["x", "y"])}, index=[5, 6])
    assert through_json(frame).to_dicts() == [{"index": 5, "a": "x"}, {"index": 6, "a": "y"}]
    assert through_json(frame).to_polars().columns == ["index", "a"]


def test_columns_of_one_name_are_all_there_in_rows_and_in_polars():
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "a_1"], index=pd.Index([9], name="a"))
    table = through_json(frame)
    assert_frame_equal(table.to_pandas(), frame)
    assert table.to_dicts() == [{"a": 9, "a_2": 1, "a_3": 2, "a_1": 3}]
    assert table.to_polars().columns == ["a", "a_2", "a_3", "a_1"]


def test_names_of_columns_are_json_that_a_server_stores():
    frame = pd.DataFrame([[1, 2, 3, 4]], columns=[None, "a\0b", pd.Interval(0, 1), 2.5])
    names = [column["name"] for column in through_json(frame)["columns"]]
    assert names == [None, "a␀b", "(0, 1]", 2.5]
    assert through_json(pl.DataFrame({"a\0b": [1]})).to_polars().columns == ["a␀b"]


def test_bins_are_shown_as_pandas_shows_them():
    table = through_json(pd.DataFrame({"bin": pd.cut([1, 5], [0, 3, 6])}))
    assert table.to_dicts() == [{"bin": "(0, 3]"}, {"bin": "(3, 6]"}]
    assert table.to_polars()["bin"].to_list() == ["(0, 3]", "(3, 6]"]


def test_seconds_are_the_same_span_in_polars():
    spans = pd.Series(pd.to_timedelta([90, None], unit="s")).astype("timedelta64[s]")
    assert through_json(spans).to_polars().to_list() == [dt.timedelta(seconds=90), None]


def test_a_span_whose_digits_a_server_would_change_is_text():
    """Also in an argument, which may hold no such integer."""
    spans = pd.Series(np.array([2**60, 2**53], dtype="timedelta64[ns]"))
    converted = convert(spans, "args[0]", large="refuse")
    assert converted.complaint() == ""
    assert converted.value["columns"][0]["values"] == [str(2**60), 2**53]


def test_a_grid_has_as_many_rows_as_are_asked_for():
    table = through_json(pd.DataFrame({"a": [1, 2, 3], "b": pd.Categorical(["x", "y", "z"])}))
    assert table.grid(2) == (["a", "b"], [(1, "x"), (2, "y")])
    assert len(table.grid()[1]) == 3


def test_integers_of_128_bits_become_objects_in_pandas():
    table = through_json(pl.Series("n", [2**70, 1], dtype=pl.Int128))
    assert list(table.to_pandas()) == [str(2**70), 1]


def test_a_table_is_the_dict_that_arrived():
    form = {"colony_jupyter.table": 1, "kind": "series", "columns": []}
    table = revive({"a": [form, 1]})["a"][0]
    assert isinstance(table, DataTable)
    assert table == form


def test_what_is_no_table_is_left_and_refused():
    value = {"a": [1, {"b": []}], "columns": []}
    assert revive(value) is value
    with pytest.raises(UsageError, match="not a table"):
        DataTable(value)


def test_a_value_that_is_nested_too_deeply_for_a_search_is_left():
    value: object = {}
    for _ in range(5000):
        value = [{"a": value}]
    assert revive(value) is value


@pytest.mark.parametrize(("library", "method"), [("pandas", "to_pandas"), ("polars", "to_polars")])
def test_a_library_that_is_not_installed_is_named(library, method, monkeypatch):
    table = through_json(pd.Series([1]))
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UsageError, match=f"{library} is not installed.*pip install {library}"):
        getattr(table, method)()


def test_a_table_is_a_line_in_its_representation():
    frame = pd.DataFrame({f"column {number}": [1.5, 2.5] for number in range(12)})
    assert repr(through_json(frame[["column 0"]])) == "<DataTable of 2 rows: column 0>"
    assert repr(through_json(frame)).endswith("column 9, ...>")
    hostile = repr(through_json(pd.DataFrame({"\x1b[2J": [1], "b" * 5000: [2]})))
    assert hostile.isprintable()
    assert len(hostile) < 200
    malformed = {"colony_jupyter.table": 1, "columns": [3]}
    assert repr(DataTable(malformed)) == repr(malformed)


def test_ten_thousand_columns_of_one_name_take_no_time():
    columns = [{"name": "a", "dtype": "int64", "values": [number]} for number in range(10_000)]
    begun = time.thread_time()
    names, _ = DataTable({"colony_jupyter.table": 1, "kind": "dataframe", "columns": columns}).grid()
    assert (names[0], names[-1]) == ("a", "a_9999")
    assert time.thread_time() - begun < 2


def test_categories_of_categories_without_end_are_malformed():
    column = {"name": "a", "dtype": "category", "values": [0], "categories": {"dtype": "str", "values": ["x"]}}
    for _ in range(3000):
        column = {**column, "categories": column}
    with pytest.raises(UsageError, match="malformed"):
        DataTable({"colony_jupyter.table": 1, "kind": "dataframe", "columns": [column]}).grid()
