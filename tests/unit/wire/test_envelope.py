"""Envelopes, made and opened (docs/protocol.md section 2)."""

from __future__ import annotations

import base64
import json

import pytest

from colony_jupyter.errors import ProtocolError, UsageError
from colony_jupyter.wire.envelope import ERROR_TYPE, Refusal, open_reply, seal, seal_refusal, seal_reply
from colony_jupyter.wire.identity import PrivateKey, recover
from colony_jupyter.wire.messages import ChannelAppend, GetColony, GetVersion

KEY = PrivateKey("01" * 32)


def reply(payload, /, **members):
    encoded = base64.b64encode(payload).decode() if isinstance(payload, bytes) else payload
    return json.dumps({"payloadtype": "getcolonymsg", "payload": encoded, "error": False, **members}).encode()


class TestSeal:
    def test_the_members_and_the_message(self):
        envelope = json.loads(seal(GetColony(colonyname="dev"), KEY))
        assert set(envelope) == {"payloadtype", "payload", "signature"}
        assert envelope["payloadtype"] == "getcolonymsg"
        assert json.loads(base64.b64decode(envelope["payload"])) == {"msgtype": "getcolonymsg", "colonyname": "dev"}

    def test_the_base64_text_is_what_is_signed(self):
        envelope = json.loads(seal(GetColony(colonyname="dev"), KEY))
        assert recover(envelope["payload"], envelope["signature"]) == KEY.id

    def test_without_a_key_it_is_unsigned(self):
        assert json.loads(seal(GetVersion(), None))["signature"] == ""

    def test_a_text_without_a_utf8_form_is_refused(self):
        with pytest.raises(UsageError, match=r"getcolonymsg has the character '\\udce9', which has no UTF-8 form"):
            seal(GetColony(colonyname="caf\udce9"), KEY)

    def test_bytes_go_as_padded_base64(self):
        envelope = json.loads(seal(ChannelAppend(processid="p", name="n", payload=b"\xff\xfe>"), KEY))
        assert json.loads(base64.b64decode(envelope["payload"]))["payload"] == "//4+"


class TestOpenReply:
    def test_an_answer(self):
        assert open_reply(seal_reply("getcolonymsg", {"name": "dev"})) == ("getcolonymsg", {"name": "dev"})

    def test_a_frame_as_text(self):
        assert open_reply(seal_reply("subscribechannelmsg", []).decode()) == ("subscribechannelmsg", [])

    def test_a_refusal(self):
        refusal = Refusal(status=404, message="Channel not found")
        assert open_reply(seal_refusal(404, "Channel not found")) == (ERROR_TYPE, refusal)

    def test_indented_and_escaped_json_reads_alike(self):
        assert open_reply(reply(b'{\n  "a": "\\u003c"\n}')) == ("getcolonymsg", {"a": "<"})

    def test_null_is_an_answer(self):
        assert open_reply(reply(b"null")) == ("getcolonymsg", None)

    def test_members_in_other_letter_case_and_unknown_ones(self):
        body = json.dumps({"PayloadType": "x", "PAYLOAD": "e30=", "Error": False, "more": 1})
        assert open_reply(body) == ("x", {})

    def test_an_empty_body_raises_an_error_that_explains_it(self):
        with pytest.raises(ProtocolError, match="empty body"):
            open_reply(b"")

    @pytest.mark.parametrize(
        "body",
        [
            b"404 page not found",
            b"<html></html>",
            b"null",
            b"[]",
            b"{",
            b"\xff\xfe",
            reply("not base64!"),
            reply("e30"),
            reply(b"{"),
            reply(b"\xff"),
            reply(b"{}", payload=5),
            reply(b"[]", error=True),
            reply(b'{"status": "x"}', error=True),
            reply("\u00e9"),
            reply(b"[" * 100_000 + b"]" * 100_000),
        ],
        ids=lambda body: body[:40].decode("utf-8", "replace"),
    )
    def test_what_cannot_be_read_is_an_error_of_its_own(self, body):
        with pytest.raises(ProtocolError, match="ColonyOS server"):
            open_reply(body)


def test_the_servers_side_writes_the_shape_of_the_protocol():
    assert json.loads(seal_reply("x", {"a": None})) == {
        "payloadtype": "x",
        "payload": "eyJhIjpudWxsfQ==",
        "error": False,
    }
    refused = json.loads(seal_refusal(403, "no"))
    assert (refused["payloadtype"], refused["error"]) == ("error", True)
    assert json.loads(base64.b64decode(refused["payload"])) == {"status": 403, "message": "no"}
