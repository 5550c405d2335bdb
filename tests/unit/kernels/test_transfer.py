"""Values as bytes and back, and what cannot be moved."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

from colony_jupyter.kernels import transfer
from colony_jupyter.kernels.transfer import Receiving, decode, encode, pieces


@pytest.mark.parametrize(
    "value", [None, True, 1, 2**70, 1.5, "text", [1, [2.5, None]], {"a": {"b": [True, "x"]}}, b"\x00\xff", []]
)
def test_plain_values_arrive_as_they_were(value):
    back = decode(*encode(value))
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3), np.array([], "int8"), np.array(["a", "bc"])])
def test_arrays_arrive_as_they_were(array):
    kind, data = encode(array)
    back = decode(kind, data)
    assert kind == "npy"
    assert back.dtype == array.dtype
    assert (back == array).all()
    assert back.shape == array.shape


def test_a_number_of_numpy_is_a_number():
    assert decode(*encode(np.float64(1.5))) == 1.5


FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"], "t": pd.to_datetime(["2026-01-01"] * 3)}, index=[5, 6, 7])


@pytest.mark.parametrize("table", [FRAME, FRAME.iloc[:0], FRAME["a"], FRAME["a"].rename(None)])
def test_tables_of_pandas_arrive_as_they_were(table):
    kind, data = encode(table)
    assert kind.startswith("arrow:pandas.")
    testing = pd.testing
    check = testing.assert_frame_equal if isinstance(table, pd.DataFrame) else testing.assert_series_equal
    check(decode(kind, data), table)


def test_tables_of_polars_arrive_as_they_were():
    frame = pl.DataFrame({"a": [1, None], "d": [dt.date(2026, 1, 1), None]})
    assert decode(*encode(frame)).equals(frame)
    assert decode(*encode(frame["a"])).equals(frame["a"])


def test_without_pyarrow_a_table_is_json(monkeypatch):
    monkeypatch.setattr(transfer, "_module", _module_without_arrow)
    kind, data = encode(FRAME[["a"]].reset_index(drop=True))
    assert kind == "table:pandas.DataFrame"
    pd.testing.assert_frame_equal(decode(kind, data), FRAME[["a"]].reset_index(drop=True))


def _module_without_arrow(name, _=""):
    import importlib

    if name.startswith("pyarrow"):
        raise TypeError("pyarrow is not installed there, and the value needs it")
    return importlib.import_module(name)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({1}, "'x' is a set"),
        ((1, 2), "'x' is a tuple"),
        ({"a": [object()]}, "'x['a'][0]' is a object"),
        ({1: 2}, "a key of 'x' is a int"),
        (np.array([object()]), "would need pickle"),
        (pd.DataFrame({"a": [1, "x"]}), "Arrow cannot hold"),
    ],
)
def test_other_values_are_refused_with_their_place(value, sentence):
    with pytest.raises(TypeError) as caught:
        encode(value, "x")
    assert sentence in str(caught.value)


def test_an_unknown_kind_is_refused():
    with pytest.raises(TypeError, match="not known"):
        decode("pickle", b"")


def test_bytes_are_cut_and_joined(monkeypatch):
    monkeypatch.setattr(transfer, "PIECE", 4)
    receiving = Receiving("bytes", 10)
    assert [receiving.feed(piece) for piece in pieces(b"0123456789")] == [False, False, True]
    assert receiving.value() == b"0123456789"


@pytest.mark.parametrize("name", [None, "x", 0, ("a", 1), pd.Timestamp("2026-01-01")])
def test_a_series_keeps_its_name(name):
    assert decode(*encode(pd.Series([1, 2], name=name))).name == name


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.ma.masked_array([1, 2], [0, 1]), "whose mask would be lost"),
        (pd.DataFrame({"a": [1 + 2j]}), "a column that Arrow cannot hold"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "Duplicate column names"),
        ((deep := []).append(deep) or deep, "contains itself"),
    ],
)
def test_what_would_be_changed_or_cannot_be_moved_is_refused_with_its_name(value, words):
    with pytest.raises(TypeError, match=f"'thing' .*{words}"):
        encode(value, "thing")
