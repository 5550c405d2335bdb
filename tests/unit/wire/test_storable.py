"""Text is changed only where a server could not store them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from colony_jupyter.wire.storable import encodable, storable

TEXT = st.text(st.characters(exclude_categories=()), max_size=20)


def test_nul_and_surrogates_are_replaced():
    assert storable("PK\x03\x04\0 caf\udce9") == "PK\x03\x04\u2400 caf\ufffd"


@given(TEXT)
def test_every_text_becomes_storable(text):
    result = storable(text)
    assert b"\0" not in result.encode("utf-8")
    assert len(result) == len(text)


def test_encoding_replaces_surrogates_only():
    assert encodable("a\0\udce9") == "a\0\ufffd"
