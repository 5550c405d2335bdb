"""Text and JSON values are changed only where a server could not store them."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony_jupyter.wire.storable import encodable, json_bytes, storable, storable_json

TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def test_nul_and_surrogates_are_replaced():
    assert storable("PK\x03\x04\0 caf\udce9") == "PK\x03\x04\u2400 caf\ufffd"


@given(TEXT)
def test_every_text_becomes_storable(text):
    result = storable(text)
    assert b"\0" not in result.encode("utf-8")
    assert len(result) == len(text)


@given(JSON)
def test_every_json_value_becomes_storable(value):
    encoded = msgspec.json.encode(storable_json(value))
    assert "\\u0000" not in encoded.decode().replace("\\\\", "")


def test_a_value_without_such_characters_stays_the_same_object():
    value = [{"a": ["\\u000", 1.5, None]}]
    assert storable_json(value) is value


def test_text_deep_in_a_value_is_replaced():
    value = {"x\0": ("PK\0", [{"y": "\udce9"}]), "n": 3}
    assert storable_json(value) == {"x\u2400": ["PK\u2400", [{"y": "\ufffd"}]], "n": 3}


@pytest.mark.parametrize("value", [object(), {"a\0": object()}])
def test_what_is_not_json_raises(value):
    with pytest.raises((TypeError, ValueError)):
        storable_json(value)


@given(JSON)
def test_every_json_value_can_be_encoded(value):
    assert json_bytes(value).decode()


def test_encoding_replaces_surrogates_only():
    assert encodable("a\0\udce9") == "a\0\ufffd"
    assert json_bytes({"k\udce9": "a\0"}) == b'{"k\xef\xbf\xbd":"a\\u0000"}'
