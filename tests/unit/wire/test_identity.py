"""Every vector of the protocol's material, accepted and refused; and keys that do not get out."""

from __future__ import annotations

import copy
import json
import pickle
import secrets
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from colony_jupyter.errors import InvalidKey, SettingsError
from colony_jupyter.wire import identity
from colony_jupyter.wire.identity import PrivateKey, SignatureRefused, recover

VECTORS = json.loads((Path(__file__).parents[2] / "contract" / "vectors.json").read_text("utf-8"))
VALID, INVALID = VECTORS["valid"], VECTORS["invalid"]
# The last ones are other spellings of the first's signature; a signer writes one spelling only.
CANONICAL = [vector for vector in VALID if "variant" not in vector]


def what(vector):
    return vector.get("what") or vector.get("variant") or f"vector {vector['n']}"


@pytest.mark.parametrize("vector", VECTORS["hash"], ids=lambda vector: vector["text"] or "empty")
def test_hashes(vector):
    assert identity.sha3_hex(vector["text"]) == vector["sha3_256"]


@pytest.mark.parametrize("vector", VALID, ids=what)
def test_keys_and_ids(vector):
    key = PrivateKey(vector["prvkey"])
    assert (key.public_key, key.id) == (vector["pubkey"], vector["id"])
    assert PrivateKey(vector["prvkey"].upper()) == key


@pytest.mark.parametrize("vector", VALID, ids=what)
def test_accepted_signatures(vector):
    assert recover(vector["payload"], vector["signature"]) == vector["recovered_id"] == vector["id"]


@pytest.mark.parametrize("vector", CANONICAL, ids=what)
def test_signing_gives_the_very_signature(vector):
    """Nonces are by RFC 6979 on both sides, so the signature is the same to the digit."""
    assert PrivateKey(vector["prvkey"]).sign(vector["payload"]) == vector["signature"]
    assert int(vector["signature"][-2:], 16) == vector["recovery_id"]


@pytest.mark.parametrize("vector", [v for v in INVALID if v["refused_at"] == "signature"], ids=what)
def test_refused_signatures(vector):
    with pytest.raises(SignatureRefused):
        recover(vector["payload"], vector["signature"])


@pytest.mark.parametrize(
    "vector",
    [v for v in INVALID if v["message"].startswith(("Invalid signature length", "Failed verify"))],
    ids=what,
)
def test_texts_that_are_not_a_librarys_are_the_servers(vector):
    with pytest.raises(SignatureRefused) as refused:
        recover(vector["payload"], vector["signature"])
    assert str(refused.value) == vector["message"]


@pytest.mark.parametrize("vector", [v for v in INVALID if v["refused_at"] == "membership"], ids=what)
def test_signatures_of_another_key(vector):
    assert recover(vector["payload"], vector["signature"]) == vector["recovered_id"]


def test_every_vector_is_of_a_known_kind():
    assert {v["refused_at"] for v in INVALID} == {"signature", "membership"}
    assert len(CANONICAL) == 10


@pytest.mark.parametrize("vector", VECTORS["keys_refused"], ids=what)
def test_refused_keys_are_not_repeated(vector):
    with pytest.raises(InvalidKey) as refused:
        PrivateKey(vector["prvkey"])
    assert vector["prvkey"] not in "".join(traceback.format_exception(refused.value))
    assert isinstance(refused.value, SettingsError)


@pytest.mark.parametrize("text", ["", " " * 64, "ab " * 32, "é" * 64, "0x" + "ab" * 31, "ab" * 32 + "\0"])
def test_other_texts_that_are_no_key(text):
    with pytest.raises(InvalidKey):
        PrivateKey(text)


def test_white_space_around_a_key_is_no_part_of_it():
    assert PrivateKey(" " + VALID[0]["prvkey"] + "\n").id == VALID[0]["id"]


@pytest.mark.parametrize("signature", ["é" * 130, "ab " * 44, "  " + "ab" * 64, "ab" * 64 + "  ", "ab" * 66])
def test_blanks_and_foreign_digits_are_no_signature(signature):
    with pytest.raises(SignatureRefused):
        recover("text", signature)


def test_a_payload_with_a_lone_surrogate_has_an_identity():
    """JSON may hold one; it must not crash a server."""
    assert len(recover("\ud800", VALID[0]["signature"])) == 64


class TestSecrecy:
    TEXT = VALID[0]["prvkey"]

    @pytest.fixture
    def key(self):
        return PrivateKey(self.TEXT)

    def test_no_way_of_printing_shows_it(self, key):
        shown = [repr(key), str(key), f"{key}", f"{key!r:>80}", "%s" % key, repr([key]), repr({"key": key})]  # noqa: UP031 - one of the ways
        assert [text for text in shown if self.TEXT[:8] in text] == []
        assert key.id[:8] in repr(key)

    def test_it_is_not_pickled_or_copied(self, key):
        for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="not pickled"):
                attempt(key)

    def test_it_has_no_dict(self, key):
        assert not hasattr(key, "__dict__")

    def test_reveal_is_the_one_way_out(self, key):
        assert key.reveal() == self.TEXT


def test_equality_and_hash_go_by_id():
    one, same, other = PrivateKey("01" * 32), PrivateKey("01" * 32), PrivateKey("02" * 32)
    assert one == same
    assert hash(one) == hash(same)
    assert one not in (other, "01" * 32)


def test_generated_keys_are_fresh_and_bad_candidates_skipped():
    assert PrivateKey.generate(secrets.token_bytes) != PrivateKey.generate(secrets.token_bytes)
    candidates = iter([bytes(32), b"\xff" * 32, b"\x01" * 32])
    assert PrivateKey.generate(lambda _: next(candidates)) == PrivateKey("01" * 32)


def test_where_warnings_are_errors_the_interpreter_still_ends_well():
    """The binding's own warnings, made errors, crashed it at exit."""
    program = "from colony_jupyter.wire.identity import PrivateKey; PrivateKey('01' * 32); import requests"
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
