"""Whatever is converted can be encoded, stored by a server and read again."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pandas as pd
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pandas.testing import assert_frame_equal

from colony_jupyter.values.conversion import convert
from colony_jupyter.values.datatable import revive
from colony_jupyter.wire.limits import EXACT_INTEGER

TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
NUMBERS = st.integers() | st.floats()
ANY = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT | st.binary(max_size=8) | st.dates() | st.decimals() | st.uuids(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(TEXT | st.integers(), inner, max_size=4)
        | st.frozensets(st.integers() | TEXT, max_size=4)
    ),
    max_leaves=20,
)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-EXACT_INTEGER, EXACT_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20).filter(str.isprintable),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def leaves(value):
    if isinstance(value, dict):
        yield from value
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    else:
        yield value


@given(ANY)
def test_every_value_becomes_json_that_a_server_keeps(value):
    converted = convert(value, "result", large="text")
    form = msgspec.json.decode(msgspec.json.encode(converted.value))
    assert form == converted.value
    for leaf in leaves(form):
        assert not isinstance(leaf, int) or -EXACT_INTEGER <= leaf <= EXACT_INTEGER
        assert not isinstance(leaf, str) or "\0" not in leaf
    assert all("another key" in fault.problem for fault in converted.faults)


@given(ANY)
def test_a_converted_value_needs_no_further_change(value):
    once = convert(value, "result", large="text").value
    again = convert(once, "result", large="text")
    assert again.value == once
    assert (again.nonfinite, again.large, again.faults) == (0, 0, ())


@given(PLAIN)
def test_plain_json_is_the_same_object(value):
    assert convert(value, "result", large="refuse").value is value


@given(ANY)
def test_every_payload_can_be_encoded(value):
    assert msgspec.json.encode(convert(value, "payload", large="keep").value).decode()


@given(arrays(np.float64, array_shapes(max_dims=3)))
def test_an_array_has_the_form_of_its_nested_list(array):
    converted = convert(array, "result", large="text")
    assert converted == convert(array.tolist(), "result", large="text")
    assert converted.nonfinite == int(np.count_nonzero(~np.isfinite(array)))


COLUMN = st.one_of(
    st.lists(st.floats(allow_infinity=False) | st.just(math.nan), min_size=3, max_size=3),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.lists(st.text(st.characters(exclude_categories=("C",)), max_size=5), min_size=3, max_size=3),
)


@settings(max_examples=examples(50))
@given(st.dictionaries(st.text("abcdef", min_size=1), COLUMN, min_size=1, max_size=4))
def test_a_table_comes_back_as_it_was(columns):
    frame = pd.DataFrame(columns)
    sent = msgspec.json.encode(convert(frame, "result", large="text").value, order="sorted")
    assert_frame_equal(revive(msgspec.json.decode(sent)).to_pandas(), frame)
