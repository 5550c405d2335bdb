"""An expression of a constant makes an equal constant."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path, PureWindowsPath
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from colony_jupyter.functions.literals import NoLiteralError, literal

KEYS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.binary(), st.floats(allow_nan=False))
OTHERS = st.one_of(
    st.dates(),
    st.times(timezones=st.just(dt.UTC) | st.none()),
    st.datetimes(timezones=st.just(dt.timezone(dt.timedelta(hours=-3, minutes=-30))) | st.none()),
    st.timedeltas(),
    st.decimals(allow_nan=False),
    st.fractions(),
    st.uuids(),
    st.builds(range, st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 9)),
    st.text("ab./", min_size=1).map(Path),
    st.text("ab./", min_size=1).map(PureWindowsPath),
    st.floats(allow_nan=False).map(np.float64),
    st.floats(allow_nan=False, width=32).map(np.float32),
    st.integers(-(2**63), 2**63 - 1).map(np.int64),
    st.booleans().map(np.bool_),
)
VALUES = st.recursive(
    KEYS | OTHERS | st.complex_numbers(allow_nan=False),
    lambda inner: st.one_of(
        st.lists(inner), st.lists(inner).map(tuple), st.dictionaries(KEYS, inner), st.sets(KEYS), st.frozensets(KEYS)
    ),
)


@given(VALUES)
@example(dt.time(fold=1))
@example(dt.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=dt.UTC))
def test_the_expression_makes_the_value_again(value):
    made = eval(literal(value), {})
    assert made == value
    assert repr(made) == repr(value) or isinstance(value, (set, frozenset, dict, list, tuple))


@pytest.mark.parametrize(
    "value", [object(), np.arange(3), np.datetime64("2026-01-01"), dt.datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")), int]
)
def test_what_an_expression_would_change_has_none(value):
    with pytest.raises(NoLiteralError):
        literal(value)


def test_what_contains_itself_has_no_expression():
    value: list[object] = []
    value.append(value)
    with pytest.raises(NoLiteralError):
        literal(value)
    assert math.isnan(eval(literal(math.nan), {}))
