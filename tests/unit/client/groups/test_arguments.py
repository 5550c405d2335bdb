"""The calls that a map makes of its values."""

from __future__ import annotations

import inspect

import pandas as pd
import polars as pl
import pytest

from colony_jupyter.client.groups.arguments import columns, list_calls
from colony_jupyter.errors import UsageError


@pytest.mark.parametrize(
    ("iterables", "expected"),
    [
        ([[1, 2]], [((1,), {}), ((2,), {})]),
        ([range(2)], [((0,), {}), ((1,), {})]),
        ([[(1, "a"), (2, "b")]], [((1, "a"), {}), ((2, "b"), {})]),
        ([[[1, 2]]], [(([1, 2],), {})]),
        ([[1, 2], ["a", "b"]], [((1, "a"), {}), ((2, "b"), {})]),
        ([[{"a": 1}]], [(({"a": 1},), {})]),
        (
            [{"rate": [0.1, 0.2], "epochs": (1, 3)}],
            [
                ((), {"rate": 0.1, "epochs": 1}),
                ((), {"rate": 0.1, "epochs": 3}),
                ((), {"rate": 0.2, "epochs": 1}),
                ((), {"rate": 0.2, "epochs": 3}),
            ],
        ),
        ([[]], []),
        ([{"rate": []}], []),
    ],
)
def test_values_tuples_and_grids(iterables, expected):
    assert list_calls(iterables) == expected


@pytest.mark.parametrize(
    ("iterables", "words"),
    [
        ([], "map() needs the values"),
        ([3], "The values are the single value 3"),
        (["abc"], "use a list, [...]"),
        ([{"rate": 0.1}], "The values of 'rate' are the single value 0.1: use a list, {'rate': [0.1]}"),
        ([{1: [2]}], "1 is no name of an argument"),
        ([{"a": [1]}, [2]], "A grid, which is a mapping, stands alone"),
        ([pd.DataFrame({"a": [1]})], "The values are a DataFrame. For a call for each row"),
        ([pl.DataFrame({"a": [1]})], "frame.rows() of polars"),
        ([{"a": pd.DataFrame({"a": [1]})}], "The values of 'a' are a DataFrame"),
    ],
)
def test_what_is_no_list_of_values_is_refused(iterables, words):
    with pytest.raises(UsageError) as refused:
        list_calls(iterables)
    assert words in str(refused.value)


def test_columns_have_the_names_of_the_parameters():
    def train(rate, *rest, epochs=1):
        return rate, rest, epochs

    signature = inspect.signature(train)
    assert columns((0.1, 2, 3), {"epochs": 5}, signature) == {"rate": 0.1, "rest": (2, 3), "epochs": 5}
    assert columns((0.1, 2), {"epochs": 5}, None) == {"arg0": 0.1, "arg1": 2, "epochs": 5}
