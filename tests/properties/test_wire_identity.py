"""Signatures of any key over any text."""

from __future__ import annotations

import traceback
from contextlib import suppress

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from colony_jupyter.errors import InvalidKey
from colony_jupyter.wire.identity import PrivateKey, SignatureRefused, recover

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
keys = st.integers(1, ORDER - 1).map(lambda number: PrivateKey(f"{number:064x}"))
payloads = st.text(st.characters(codec="utf-8"))


@given(keys, payloads)
def test_who_signed_is_recovered(key, payload):
    signature = key.sign(payload)
    assert recover(payload, signature) == recover(payload, signature.upper()) == key.id
    assert len(signature) == 130
    assert int(signature[64:128], 16) <= ORDER // 2


@given(keys, payloads, payloads)
def test_another_text_has_another_identity(key, payload, other):
    assume(payload != other)
    with suppress(SignatureRefused):
        assert recover(other, key.sign(payload)) != key.id


@given(keys, payloads, st.integers(0, 129), st.sampled_from("0123456789abcdef"))
def test_another_digit_is_never_still_the_signer(key, payload, at, digit):
    """But for the flag v+4, which means the same."""
    signature = key.sign(payload)
    changed = signature[:at] + digit + signature[at + 1 :]
    assume(changed != signature)
    with suppress(SignatureRefused):
        assert recover(payload, changed) != key.id or int(changed[-2:], 16) == int(signature[-2:], 16) + 4


@given(st.text(), st.text())
@example("", "\ud800" * 130)
@example("\ud800", "00" * 65)
def test_any_text_is_an_id_or_refused(payload, signature):
    with suppress(SignatureRefused):
        assert len(recover(payload, signature)) == 64


@given(st.text(st.characters(codec="utf-8"), min_size=8))
def test_any_text_is_a_key_or_refused_without_being_repeated(text):
    with suppress(InvalidKey):
        assert PrivateKey(text).reveal() == text.strip().lower()
        return
    with pytest.raises(InvalidKey) as refused:
        PrivateKey(text)
    said = "".join(traceback.format_exception(refused.value))
    assert text not in said or not text.strip()


@given(st.text("0123456789abcdefABCDEF", min_size=64, max_size=64))
def test_64_hex_digits_are_a_key_exactly_within_the_order(text):
    try:
        PrivateKey(text)
        accepted = True
    except InvalidKey:
        accepted = False
    assert accepted == (0 < int(text, 16) < ORDER)
