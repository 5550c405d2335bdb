"""Bytes that a caller's function writes into the pipe: a message, or a ValueError."""

from __future__ import annotations

import contextlib

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from colony_jupyter.executor.callers.protocol import (
    LENGTH,
    Raised,
    Request,
    Returned,
    decode_from_child,
    encode,
)

NUMBERS = st.integers(0, 2**63 - 1)
REQUESTS = st.builds(
    Request,
    number=NUMBERS,
    verb=st.sampled_from(["send", "write", "flush", "ask", "read", "open", "next", "close", "log"]),
    channel=st.text(),
    payload=st.binary(),
    kind=st.text(),
    inreplyto=NUMBERS,
    timeout=st.none() | st.floats(allow_nan=False),
)
MESSAGES = REQUESTS | st.builds(Returned, st.binary(), st.lists(st.text())) | st.builds(Raised, st.lists(st.text()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(MESSAGES)
def test_a_message_is_read_as_it_was_written(message):
    data = encode(message)
    assert LENGTH.unpack(data[: LENGTH.size]) == (len(data) - LENGTH.size,)
    assert decode_from_child(data[LENGTH.size :]) == message


@given(st.binary() | JSON.map(msgspec.msgpack.encode))
def test_other_bytes_are_refused_with_a_value_error(data):
    with contextlib.suppress(ValueError):
        assert isinstance(decode_from_child(data), (Request, Returned, Raised))


@given(st.sampled_from(["request", "returned", "raised"]), st.dictionaries(st.text(), JSON))
def test_other_fields_are_refused_with_a_value_error(tag, fields):
    with contextlib.suppress(ValueError):
        decode_from_child(msgspec.msgpack.encode({**fields, "type": tag}))
