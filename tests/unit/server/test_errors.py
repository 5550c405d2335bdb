"""Refusals: status and words, and the texts that the database of a real server does not take."""

from __future__ import annotations

import pytest

from colony_jupyter.server.errors import Refused, check_text, denied_member


def test_a_refusal_has_a_status_and_words():
    refused = Refused(403, "no")
    assert (refused.status, refused.message) == (403, "no")
    assert str(refused) == "(403, 'no')"


def test_the_refusal_of_a_stranger_names_the_colony():
    refused = denied_member("dev")
    assert (refused.status, refused.message) == (403, "Access denied, not a member of Colony with name <dev>")


def test_texts_with_nul_are_refused():
    check_text("a", "", "ä\n")
    with pytest.raises(Refused) as refused:
        check_text("a", "b\0")
    assert (refused.value.status, refused.value.message) == (400, 'pq: invalid byte sequence for encoding "UTF8": 0x00')
    with pytest.raises(Refused) as refused:
        check_text("\0", refused=(500, "words"))
    assert (refused.value.status, refused.value.message) == (500, "words")
