"""Reading and writing messages of any content."""

from __future__ import annotations

import base64
import json
from contextlib import suppress

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from colony_jupyter.errors import ProtocolError
from colony_jupyter.wire.decoding import Undecodable, _rule, convert, decode
from colony_jupyter.wire.envelope import Refusal, open_reply, seal, seal_refusal, seal_reply
from colony_jupyter.wire.identity import PrivateKey, recover
from colony_jupyter.wire.messages import CALLS, ChannelAppend, SubmitFunctionSpec
from colony_jupyter.wire.models import Conditions, Entry, FunctionSpec, ProcessRecord, moment

KEY = PrivateKey("01" * 32)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
integers = st.integers(-(2**63), 2**63 - 1)
values = st.recursive(
    st.none() | st.booleans() | integers | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
specs = st.builds(
    FunctionSpec,
    funcname=texts,
    args=st.lists(values, max_size=4),
    kwargs=st.dictionaries(texts, values, max_size=4),
    priority=integers,
    maxexectime=integers,
    conditions=st.builds(Conditions, executornames=st.none() | st.lists(texts, max_size=3), executortype=texts),
    env=st.dictionaries(texts, texts, max_size=3),
    channels=st.lists(texts, max_size=3),
)


def in_any_case(draw_from):
    """Change the letter case of the names of members, at the top."""

    def changed(value, flips):
        return {
            "".join(c.upper() if flip else c for c, flip in zip(name, flips * len(name), strict=False)): member
            for name, member in value.items()
        }

    return st.builds(changed, draw_from, st.lists(st.booleans(), min_size=1, max_size=8))


@given(specs)
def test_a_spec_comes_back_as_it_was_sent(spec):
    message = SubmitFunctionSpec(spec=spec)
    assert decode(msgspec.json.encode(message), SubmitFunctionSpec) == message


@given(st.builds(ChannelAppend, processid=texts, name=texts, sequence=integers, payload=st.binary(), payloadtype=texts))
def test_an_append_comes_back_as_it_was_sent(message):
    envelope = json.loads(seal(message, KEY))
    assert recover(envelope["payload"], envelope["signature"]) == KEY.id
    assert decode(base64.b64decode(envelope["payload"]), ChannelAppend) == message


@given(
    in_any_case(
        st.fixed_dictionaries(
            {"sequence": integers, "payload": st.binary().map(lambda b: base64.b64encode(b).decode())}
        )
    ),
    st.dictionaries(texts.map(lambda name: "x-" + name), values, max_size=3),
)
def test_letter_case_and_unknown_members_change_nothing(members, unknown):
    read = convert({**unknown, **members}, Entry)
    exact = convert({name.lower(): value for name, value in members.items()}, Entry)
    assert read == exact


entry_members = st.fixed_dictionaries(
    {},
    optional={
        "sequence": integers | st.none() | st.floats(0, 100).map(round),
        "inreplyto": integers | st.none(),
        "timestamp": texts | st.none(),
        "senderid": texts | st.none(),
        "payload": st.binary().map(lambda data: base64.encodebytes(data).decode()) | st.none() | st.just([1, None, 2]),
        "type": texts | st.none(),
        "error": texts,
        "other": values,
    },
)


@given(st.lists(in_any_case(entry_members) | entry_members, max_size=4))
def test_what_is_read_without_the_rules_is_read_as_by_them(objects):
    by_rules = msgspec.convert(_rule(list[Entry])(objects), list[Entry])
    assert convert(objects, list[Entry]) == by_rules
    assert decode(json.dumps(objects), list[Entry]) == by_rules
    assert decode(msgspec.json.encode(objects), list[Entry]) == by_rules


@given(values, st.sampled_from([*CALLS.values(), FunctionSpec, ProcessRecord, list[Entry]]))
def test_any_json_is_read_or_refused(value, shape):
    try:
        read = convert(value, shape)
    except Undecodable:
        return
    assert convert(json.loads(msgspec.json.encode(read)), shape) == read


@given(st.binary() | texts, st.sampled_from([*CALLS.values(), FunctionSpec]))
def test_any_bytes_are_read_or_refused(data, shape):
    with suppress(Undecodable):
        assert isinstance(decode(data, shape), shape)


@given(texts, values)
def test_replies_come_back(payloadtype, value):
    assert open_reply(seal_reply(payloadtype, value)) == (payloadtype, value)


@given(st.integers(100, 599), texts)
def test_refusals_come_back(status, message):
    assert open_reply(seal_refusal(status, message)) == ("error", Refusal(status=status, message=message))


@given(
    st.binary()
    | st.text()
    | st.dictionaries(st.sampled_from(["payload", "error", "payloadtype"]), values).map(json.dumps)
)
def test_any_answer_is_read_or_a_protocol_error(body):
    with suppress(ProtocolError):
        payloadtype, _ = open_reply(body)
        assert isinstance(payloadtype, str)


@given(st.datetimes(), st.integers(0, 999))
def test_moments_have_what_a_datetime_can_hold(when, nanoseconds):
    read = moment(f"{when.isoformat(timespec='microseconds')}{nanoseconds:03d}Z")
    if (when.year, when.month, when.day) != (1, 1, 1):
        assert read is not None
        assert read.replace(tzinfo=None) == when
