"""Handshakes that are forged, repeated for another process, or signed by another party."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from relay_log import PROCESS

from colony_jupyter.kernels.relay.handshake import (
    Hello,
    Refused,
    Welcome,
    read_hello,
    read_welcome,
    signed_hello,
    signed_welcome,
)
from colony_jupyter.wire.identity import PrivateKey


def key(seed: str) -> PrivateKey:
    return PrivateKey.generate(lambda _: hashlib.sha256(seed.encode()).digest())


CALLER, EXECUTOR, OTHER = key("caller"), key("executor"), key("other")
HELLO = Hello(sid="00" * 8, pub="aa" * 32, resume={"out": 3, "ctl": 1})
WELCOME = Welcome(sid="00" * 8, pub="bb" * 32, out="out.1", resume={"in": 2, "ctl": 0}, kernel="k1")


def changed(payload: bytes, **fields: object) -> bytes:
    return msgspec.json.encode({**msgspec.json.decode(payload), **fields})


def test_a_hello_of_the_initiator_is_accepted():
    payload = signed_hello(HELLO, PROCESS, CALLER)
    assert read_hello(payload, PROCESS, CALLER.id).resume == {"out": 3, "ctl": 1}


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(signed_hello(HELLO, PROCESS, OTHER), id="another signer"),
        pytest.param(signed_hello(HELLO, "q" * 64, CALLER), id="another process"),
        pytest.param(changed(signed_hello(HELLO, PROCESS, CALLER), resume={"out": 9}), id="another resume"),
        pytest.param(changed(signed_hello(HELLO, PROCESS, CALLER), pub="cc" * 32), id="another key"),
        pytest.param(changed(signed_hello(HELLO, PROCESS, CALLER), sig="00"), id="no signature"),
        pytest.param(changed(signed_hello(HELLO, PROCESS, CALLER), sid="zz"), id="no id"),
        pytest.param(changed(signed_hello(HELLO, PROCESS, CALLER), version=2), id="another version"),
        pytest.param(b"{", id="no JSON"),
    ],
)
def test_any_other_hello_is_refused(payload):
    with pytest.raises(Refused):
        read_hello(payload, PROCESS, CALLER.id)


def test_a_welcome_of_the_executor_is_accepted():
    payload = signed_welcome(WELCOME, PROCESS, HELLO, EXECUTOR)
    assert read_welcome(payload, PROCESS, HELLO, EXECUTOR.id, ()).kernel == "k1"
    assert read_welcome(payload, PROCESS, HELLO, EXECUTOR.id, {EXECUTOR.id}).out == "out.1"


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(signed_welcome(WELCOME, PROCESS, HELLO, OTHER), id="another signer"),
        pytest.param(
            signed_welcome(WELCOME, PROCESS, msgspec.structs.replace(HELLO, pub="dd" * 32), EXECUTOR),
            id="another key of the caller",
        ),
        pytest.param(changed(signed_welcome(WELCOME, PROCESS, HELLO, EXECUTOR), out="out.2"), id="another channel"),
        pytest.param(changed(signed_welcome(WELCOME, PROCESS, HELLO, EXECUTOR), resume={"in": 0}), id="resume"),
        pytest.param(changed(signed_welcome(WELCOME, PROCESS, HELLO, EXECUTOR), version=2), id="another version"),
    ],
)
def test_any_other_welcome_is_refused(payload):
    with pytest.raises(Refused):
        read_welcome(payload, PROCESS, HELLO, EXECUTOR.id, ())


def test_an_executor_that_is_not_trusted_is_refused():
    payload = signed_welcome(WELCOME, PROCESS, HELLO, EXECUTOR)
    with pytest.raises(Refused, match="trusted at the installation"):
        read_welcome(payload, PROCESS, HELLO, EXECUTOR.id, {OTHER.id})


def test_what_is_signed_is_no_payload_of_a_call():
    """Payloads of calls are base64 text, and a server stops at the first other character."""
    assert HELLO.text(PROCESS).startswith("|")
    assert WELCOME.text(PROCESS, HELLO).startswith("|")
