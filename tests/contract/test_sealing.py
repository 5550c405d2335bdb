"""What is sent is what the transcripts name, and spoilt the way they name it."""

from __future__ import annotations

import base64
import json

import pytest
from colony_contract.cast import Cast, Place, Unbound
from colony_contract.sealing import ORDER, message_text, seal, spoil_payload, spoil_signature

from colony_jupyter.wire.identity import SignatureRefused, recover


@pytest.fixture
def cast():
    return Cast(Place("127.0.0.1", 1))


STEP = {"signer": "user", "msgtype": "getcolonymsg", "request": {"colonyname": "$colony"}}


def opened(text):
    envelope = json.loads(text)
    return envelope, json.loads(base64.b64decode(envelope["payload"]))


def test_a_plain_step(cast):
    envelope, message = opened(seal(STEP, cast))
    assert message == {"msgtype": "getcolonymsg", "colonyname": cast.value("colony")}
    assert envelope["payloadtype"] == "getcolonymsg"
    assert recover(envelope["payload"], envelope["signature"]) == cast.key("user").id


def test_keys_and_names_are_fresh_for_every_run(cast):
    other = Cast(Place("127.0.0.1", 1))
    assert cast.key("user") == cast.key("user") != other.key("user")
    assert cast.value("type") != other.value("type")


def test_a_role_of_the_server_without_its_key(cast):
    with pytest.raises(Unbound, match="COLONIES_SERVER_PRVKEY"):
        cast.key("server")


def test_longer_names_of_placeholders_win(cast):
    cast.bind("$p5", "five")
    cast.bind("$p5b", "five b")
    assert cast.fill({"a": ["$p5b-$p5", 5]}) == {"a": ["five b-five", 5]}
    assert cast.fill_text("$id:executor-a") == cast.key("executor-a").id


def test_raw_json_is_sent_as_it_is(cast):
    assert message_text({**STEP, "request": {"$raw_json": '{"colonyname":"$colony" }'}}, cast) == (
        f'{{"colonyname":"{cast.value("colony")}" }}'
    )


def test_repeated_text(cast):
    step = {**STEP, "request": {"pad": {"$repeat": "x", "n": 5}, "payload": {"$repeat": "x", "n": 3, "b64": True}}}
    assert json.loads(message_text(step, cast)) == {"msgtype": "getcolonymsg", "pad": "xxxxx", "payload": "eHh4"}


def test_a_counter_replaces_the_member(cast):
    _, message = opened(seal({**STEP, "request": {"sequence": 0}}, cast, sequence=7))
    assert message["sequence"] == 7


def test_the_step_may_name_another_msgtype(cast):
    assert json.loads(message_text({**STEP, "request": {"msgtype": "x"}}, cast))["msgtype"] == "x"


class TestEnvelope:
    def sealed(self, cast, **change):
        return seal({**STEP, "envelope": change}, cast)

    def test_raw(self, cast):
        assert self.sealed(cast, raw_body="[]") == "[]"

    def test_another_type_and_dropped_members(self, cast):
        assert json.loads(self.sealed(cast, payloadtype="x"))["payloadtype"] == "x"
        assert set(json.loads(self.sealed(cast, drop=["signature", "payload"]))) == {"payloadtype"}

    def test_capitals_extra_and_what_is_appended(self, cast):
        text = self.sealed(cast, capitals=True, extra=True, append="x")
        assert set(json.loads(text[:-1])) == {"PAYLOADTYPE", "PAYLOAD", "SIGNATURE", "extra"}
        assert text.endswith("}x")

    def test_a_signature_of_something_else(self, cast):
        for sign in ("decoded-payload", "before-change"):
            envelope, _ = opened(self.sealed(cast, sign=sign))
            assert recover(envelope["payload"], envelope["signature"]) != cast.key("user").id

    @pytest.mark.parametrize("how", ["unpadded", "not-base64", "empty", "newline", "trailing-garbage"])
    def test_a_spoilt_payload_is_still_signed_as_sent(self, cast, how):
        envelope = json.loads(self.sealed(cast, payload=how))
        assert recover(envelope["payload"], envelope["signature"]) == cast.key("user").id

    def test_an_unknown_change_is_an_error(self):
        with pytest.raises(ValueError, match="nonsense"):
            spoil_payload("", "nonsense")


R, S = "1" * 64, "2" * 64


@pytest.mark.parametrize(
    ("how", "made"),
    [
        ("uppercase", f"{R}{S}00"),
        ("0x-prefix", f"0x{R}{S}00"),
        ("one-byte-short", f"{R}{S}"),
        ("one-byte-long", f"{R}{S}0000"),
        ("odd-length", f"{R}{S}0"),
        ("not-hex", f"z{R[1:]}{S}00"),
        ("empty", ""),
        ("all-zero", "0" * 130),
        ("high-s", f"{R}{ORDER - int(S, 16):064x}01"),
        ("other-recovery-id", f"{R}{S}01"),
        ("recovery-id-plus-2", f"{R}{S}02"),
        ("recovery-id-plus-4", f"{R}{S}04"),
        ("recovery-id-plus-8", f"{R}{S}08"),
        ("recovery-id-plus-27", f"{R}{S}1b"),
        ("recovery-id-255", f"{R}{S}ff"),
        ("recovery-id-first", f"00{R}{S}"),
        ("r-zero", f"{'0' * 64}{S}00"),
        ("s-zero", f"{R}{'0' * 64}00"),
        ("r-is-order", f"{ORDER:064x}{S}00"),
        ("s-is-order", f"{R}{ORDER:064x}00"),
    ],
)
def test_spoilt_signatures(how, made):
    assert spoil_signature(f"{R}{S}00", how) == made


@pytest.mark.parametrize("how", ["high-s", "r-zero", "s-zero", "r-is-order", "s-is-order", "recovery-id-plus-8"])
def test_a_real_signature_spoilt_so_is_refused(cast, how):
    with pytest.raises(SignatureRefused):
        recover("text", spoil_signature(cast.key("user").sign("text"), how))
