"""From the bytes of a request to the call it makes, as leniently as a real server (docs/protocol.md section 2)."""

from __future__ import annotations

import base64
import binascii
import contextlib
import functools
import re
import typing
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from colony_jupyter.server.errors import Refused
from colony_jupyter.wire.decoding import Undecodable, convert, decode
from colony_jupyter.wire.envelope import Envelope
from colony_jupyter.wire.identity import SignatureRefused, recover
from colony_jupyter.wire.messages import Message, SubscribeChannel, SubscribeProcess, SubscribeProcesses, msgtype
from colony_jupyter.wire.models import Int

if TYPE_CHECKING:
    from colony_jupyter.server.calls.registry import Handler

S = TypeVar("S", bound=msgspec.Struct)

_SCALARS: Final = (str, bool, Int, bytes | None)

_DEEPEST: Final = 400
"""Levels of lists and objects in a message. Answers and the store add some, and Python's own limit is 1000."""

_NAMED: Final = re.compile(rb'"msgtype"\s*:')
_LINE_BREAKS: Final = re.compile(r"[\r\n]")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def open_envelope(body: bytes | str) -> Envelope:
    """Read a request's envelope.

    Raises:
        Refused: if it is none. JSON null, at which a real server crashes, is none either (section 8).
    """
    exact = _read_exactly(body, Envelope)
    if exact is not None:
        return exact
    try:
        return decode(body, Envelope)
    except Undecodable as error:
        raise Refused(400, str(error)) from None


def payload_of(envelope: Envelope) -> bytes:
    """Decode the payload: line breaks do not count, and decoding stops quietly at the first bad character."""
    with contextlib.suppress(ValueError):  # most are as they should be, and quickly read
        return binascii.a2b_base64(envelope.payload, strict_mode=True)
    text = _LINE_BREAKS.sub("", envelope.payload)
    found = _BASE64.match(text)
    good = found[0] if found else ""
    return base64.b64decode(good[: len(good) // 4 * 4])


def signer_of(envelope: Envelope) -> str:
    """Return the id of the signer of a request.

    Raises:
        Refused: if the signature has not the right shape.
    """
    try:
        return recover(envelope.payload, envelope.signature)
    except SignatureRefused as error:
        raise Refused(403, str(error)) from None


def read_message(envelope: Envelope, handler: Handler) -> Message:
    """Read the message of an RPC call.

    Raises:
        Refused: if it is no JSON of the right shape, or of another message type.
    """
    if not handler.read:
        return handler.shape()
    return _read(
        envelope,
        handler.shape,
        Refused(400, f"Failed to {handler.doing}, invalid JSON"),
        Refused(400, f"Failed to {handler.doing}, msg.MsgType does not match payloadType"),
    )


SUBSCRIPTIONS: Final[dict[str, tuple[type[Message], Refused | None, Refused]]] = {
    "subscribechannelmsg": (
        SubscribeChannel,
        Refused(400, "Failed to subscribe to channel, invalid JSON"),
        Refused(400, "Failed to subscribe to channel, msg.MsgType does not match rpcMsg.PayloadType"),
    ),
    "subscribeprocessmsg": (
        SubscribeProcess,
        None,
        Refused(403, "Failed to subscribe to process, msg.msgType does not match rpcMsg.PayloadType"),
    ),
    "subscribeprocessesmsg": (
        SubscribeProcesses,
        None,
        Refused(403, "Failed to subscribe to processes, msg.msgType does not match rpcMsg.PayloadType"),
    ),
}
"""Messages of the WebSocket, with the refusals of bad JSON (None: not even answered) and of a wrong msgtype."""


class Unanswered(Exception):
    """A request on a WebSocket that a real server does not answer at all."""


def read_subscription(envelope: Envelope) -> Message:
    """Read the message of a subscription.

    Raises:
        Refused: if it is refused.
        Unanswered: if it is of a type that is not served here, or is not answered.
    """
    if envelope.payloadtype not in SUBSCRIPTIONS:
        raise Unanswered
    shape, invalid, mismatch = SUBSCRIPTIONS[envelope.payloadtype]
    try:
        return _read(envelope, shape, invalid or Refused(400, ""), mismatch)
    except Refused as refused:
        if refused is not mismatch and invalid is None:
            raise Unanswered from None
        raise


def _read(envelope: Envelope, shape: type[Message], invalid: Refused, mismatch: Refused) -> Message:
    payload = payload_of(envelope)
    # An absent msgtype is none, which the exact reader would accept as the right one.
    named = msgtype(shape) == envelope.payloadtype and _NAMED.search(payload)
    exact = _read_exactly(payload, shape) if named else None
    if exact is not None:
        return exact
    try:
        value = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise invalid from None
    if not isinstance(value, dict) or _too_deep(payload, value):
        raise invalid
    try:
        message = convert(value, shape)
    except Undecodable:
        raise invalid from None
    declared = next((member for name, member in reversed(value.items()) if name.casefold() == "msgtype"), "")
    if declared != envelope.payloadtype:
        raise mismatch
    return message


def _read_exactly(text: bytes | str, shape: type[S]) -> S | None:
    """Read JSON that has every member of a flat shape, once and rightly spelt, and no other; None if it has not.

    That is what clients send most, and what can be read without a check of each member.
    """
    decoder = _exact_decoder(shape)
    if decoder is None:
        return None
    try:
        found: S = decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return None
    return found


@functools.cache
def _exact_decoder(shape: type[S]) -> msgspec.json.Decoder[S] | None:
    hints = typing.get_type_hints(shape, include_extras=True)
    fields = [(each.name, hints[each.name]) for each in msgspec.structs.fields(shape)]
    if any(kind not in _SCALARS for _, kind in fields):
        return None
    # The same members again, but without defaults: one that is absent is zero, not what a maker would choose.
    exact = msgspec.defstruct(shape.__name__, fields, bases=(shape,), kw_only=True, forbid_unknown_fields=True)
    return msgspec.json.Decoder(exact)


def _too_deep(payload: bytes, value: Any) -> bool:
    if payload.count(b"[") + payload.count(b"{") <= _DEEPEST:
        return False
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True
