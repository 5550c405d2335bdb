"""Requests are read as leniently as on a real server: base64, letter case, absent members, message types."""

from __future__ import annotations

import base64
import json

import pytest

from colony_jupyter.server.api.decoding import (
    Unanswered,
    open_envelope,
    payload_of,
    read_message,
    read_subscription,
    signer_of,
)
from colony_jupyter.server.calls import HANDLERS
from colony_jupyter.server.errors import Refused
from colony_jupyter.wire import messages as m
from colony_jupyter.wire.envelope import Envelope, seal
from colony_jupyter.wire.identity import PrivateKey

KEY = PrivateKey("1" * 64)


def envelope(payload, kind=""):
    """Wrap the text of a message."""
    return Envelope(payloadtype=kind, payload=base64.b64encode(payload.encode()).decode())


def read(kind, payload):
    return read_message(envelope(payload, kind), HANDLERS[kind])


def refusal(work, *arguments):
    with pytest.raises(Refused) as refused:
        work(*arguments)
    return refused.value.status, refused.value.message


# Envelopes


@pytest.mark.parametrize(
    "body",
    [
        b'{"payloadtype":"t","payload":"p","signature":"s"}',
        '{"payloadtype":"t","payload":"p","signature":"s"}',
        b'{"PayloadType":"t","PAYLOAD":"p","Signature":"s","other":[1]}',
        b'{"payloadtype":"x","payloadtype":"t","payload":"p","signature":"s"}',
    ],
)
def test_an_envelope_is_read_in_any_letter_case_and_with_other_members(body):
    found = open_envelope(body)
    assert (found.payloadtype, found.payload, found.signature) == ("t", "p", "s")


def test_members_that_are_absent_or_null_are_empty():
    assert open_envelope(b'{"payload":null}') == Envelope()


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b'{"payload":1}', b"\xff\xfe"])
def test_what_is_no_envelope_is_refused(body):
    assert refusal(open_envelope, body)[0] == 400


def test_a_signature_is_of_its_signer():
    sealed = open_envelope(seal(m.GetVersion(), KEY))
    assert signer_of(sealed) == KEY.id


@pytest.mark.parametrize("signature", ["", "zz", "00" * 10, "ff" * 65])
def test_a_text_that_is_no_signature_is_refused(signature):
    status, _ = refusal(signer_of, Envelope(payload="x", signature=signature))
    assert status == 403


# Base64


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("eyJhIjoxfQ==", b'{"a":1}'),
        ("eyJh\r\nIjox\nfQ==", b'{"a":1}'),
        ("eyJhIjoxfQ", b'{"a":1'),  # the last quartet is not whole
        ("eyJhIjoxfX0K!rubbish", b'{"a":1}}\n'),
        ("", b""),
        ("!", b""),
        ("eyJh=x", b'{"a'),
    ],
)
def test_decoding_stops_quietly_at_the_first_bad_character(text, payload):
    assert payload_of(Envelope(payload=text)) == payload


# Messages


def test_a_message_is_read_in_any_letter_case_with_absent_members_zero():
    exact = read("getprocessesmsg", '{"msgtype":"getprocessesmsg","colonyname":"dev","count":5,"state":1}')
    assert (exact.colonyname, exact.count, exact.state, exact.label) == ("dev", 5, 1, "")
    assert read("getprocessesmsg", '{"MsgType":"getprocessesmsg","ColonyName":"dev","COUNT":5,"State":1}') == exact
    several = '{"count":1,"msgtype":"getprocessesmsg","colonyname":"dev","count":5,"state":1,"unknown":{}}'
    assert read("getprocessesmsg", several) == exact


def test_what_a_spec_leaves_out_is_zero_and_not_what_a_client_would_choose():
    """Trap 1: an absent limit of execution is one that has passed."""
    message = read("submitfuncspecmsg", '{"msgtype":"submitfuncspecmsg","spec":{"funcname":"f"}}')
    assert message.spec.maxexectime == 0


@pytest.mark.parametrize(
    "payload",
    ["", "null", "[]", "{", '{"msgtype":"getcolonymsg","colonyname":1}', '{"msgtype":"getcolonymsg","colonyname":[]}'],
)
def test_a_message_of_another_shape_is_refused(payload):
    assert refusal(read, "getcolonymsg", payload) == (400, "Failed to get colony, invalid JSON")


@pytest.mark.parametrize("number", ["1.5", '"1"', "true", "[1]", "9223372036854775808"])
def test_what_is_no_whole_number_is_refused(number):
    payload = f'{{"msgtype":"getprocessesmsg","colonyname":"dev","count":{number},"state":1}}'
    assert refusal(read, "getprocessesmsg", payload) == (400, "Failed to get processes, invalid JSON")


@pytest.mark.parametrize(
    "payload", ["{}", '{"msgtype":"getusersmsg"}', '{"msgtype":"x","MSGTYPE":""}', '{"msgtype":null}']
)
def test_a_message_of_another_type_is_refused(payload):
    assert refusal(read, "getcolonymsg", payload) == (
        400,
        "Failed to get colony, msg.MsgType does not match payloadType",
    )


def test_the_last_of_several_message_types_counts():
    assert read("getcolonymsg", '{"msgtype":"x","MsgType":"getcolonymsg"}') == m.GetColony()


def test_the_message_of_the_server_info_is_not_examined():
    assert read("getserverinfomsg", "no JSON") == m.GetServerInfo()


@pytest.mark.parametrize(("levels", "taken"), [(300, True), (500, False)])
def test_a_message_that_is_nested_too_deeply_is_refused(levels, taken):
    payload = f'{{"msgtype":"closesuccessfulmsg","processid":"p","out":{"[" * levels}{"]" * levels}}}'
    if taken:
        assert read("closesuccessfulmsg", payload).processid == "p"
    else:
        assert refusal(read, "closesuccessfulmsg", payload) == (
            400,
            "Failed to close process as successful, invalid JSON",
        )


def test_many_lists_beside_each_other_are_not_too_deep():
    payload = json.dumps({"msgtype": "closesuccessfulmsg", "out": [[], {}, ["x"]] * 300})
    assert len(read("closesuccessfulmsg", payload).output) == 900


# Payloads of channel entries


@pytest.mark.parametrize(
    ("payload", "found"),
    [('"aGk="', b"hi"), ('"aG\\nk\\r\\n="', b"hi"), ("[104,105]", b"hi"), ("null", None), ('""', b""), ("[]", b"")],
)
@pytest.mark.parametrize("name", ["payload", "PayLoad"])
def test_the_payload_of_an_entry_is_base64_or_a_list_of_bytes_or_null(name, payload, found):
    assert read("channelappendmsg", f'{{"msgtype":"channelappendmsg","{name}":{payload}}}').payload == found


@pytest.mark.parametrize("payload", ['"aGk"', '"a-_="', "[256]", "[-1]", '["a"]', "1", "{}"])
def test_what_is_no_payload_is_refused(payload):
    text = f'{{"msgtype":"channelappendmsg","payload":{payload}}}'
    assert refusal(read, "channelappendmsg", text) == (400, "Failed to append to channel, invalid JSON")


# Subscriptions


@pytest.mark.parametrize(
    ("kind", "payload", "ending"),
    [
        ("getcolonymsg", '{"msgtype":"getcolonymsg"}', None),
        ("nosuchmsg", "{}", None),
        ("subscribechannelmsg", "{", (400, "Failed to subscribe to channel, invalid JSON")),
        ("subscribeprocessmsg", "{", None),
        ("subscribeprocessesmsg", "{", None),
        (
            "subscribechannelmsg",
            "{}",
            (400, "Failed to subscribe to channel, msg.MsgType does not match rpcMsg.PayloadType"),
        ),
        (
            "subscribeprocessmsg",
            "{}",
            (403, "Failed to subscribe to process, msg.msgType does not match rpcMsg.PayloadType"),
        ),
        (
            "subscribeprocessesmsg",
            "{}",
            (403, "Failed to subscribe to processes, msg.msgType does not match rpcMsg.PayloadType"),
        ),
    ],
)
def test_a_bad_subscription_is_refused_or_not_even_answered(kind, payload, ending):
    if ending is None:
        with pytest.raises(Unanswered):
            read_subscription(envelope(payload, kind))
    else:
        assert refusal(read_subscription, envelope(payload, kind)) == ending


def test_a_subscription_is_read_in_any_letter_case():
    payload = '{"MsgType":"subscribechannelmsg","ProcessId":"p","name":"c","TIMEOUT":3}'
    expected = m.SubscribeChannel(processid="p", name="c", timeout=3)
    assert read_subscription(envelope(payload, "subscribechannelmsg")) == expected
