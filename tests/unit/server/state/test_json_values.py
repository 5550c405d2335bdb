"""JSON values change as they do on a ColonyOS server; the examples were read from a real one."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony_jupyter.server.state.json_values import restored

SEEN = [
    (1.0, "1"),
    (-0.0, "0"),
    (1285704473650888702, "1285704473650888700"),
    (2**53 + 1, "9007199254740992"),
    (2**63, "9223372036854776000"),
    (10**20, "100000000000000000000"),
    (-(2**63), "-9223372036854776000"),
    (1e-7, "1e-07"),
    (1e300, "1e+300"),
    (1e21, "1e+21"),
    (123456.5, "123456.5"),
    (True, "true"),
    ({"z": 1, "a": {"y": 2.0, "x": [-0.0, None]}}, '{"a": {"x": [0, null], "y": 2}, "z": 1}'),
]


@pytest.mark.parametrize(("value", "text"), SEEN)
def test_values_change_as_a_real_server_changes_them(value, text):
    assert json.dumps(restored(value)) == text


_numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
_values = st.recursive(
    st.none() | st.booleans() | _numbers | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(_values)
def test_the_result_is_stable(value):
    once = restored(value)
    assert json.dumps(restored(once)) == json.dumps(once)


@given(_values)
def test_keys_are_sorted_and_values_are_the_same_floats(value):
    _compare(value, restored(value))


def _compare(before, after):
    if isinstance(before, dict):
        assert list(after) == sorted(before)
        for name, member in before.items():
            _compare(member, after[name])
    elif isinstance(before, list):
        assert len(before) == len(after)
        for one, other in zip(before, after, strict=True):
            _compare(one, other)
    elif isinstance(before, (int, float)) and not isinstance(before, bool):
        assert float(after) == float(before)
        if float(before).is_integer() and abs(float(before)) < 1e21:
            assert type(after) is int
        if after == 0:
            assert math.copysign(1, after) == 1
    else:
        assert after is before


@given(st.integers(-(2**53), 2**53))
def test_integers_that_a_float_holds_are_unchanged(number):
    assert restored(number) == number
    assert type(restored(number)) is int
