"""The envelope around every message (docs/protocol.md section 2)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from colony_jupyter.errors import ProtocolError, UsageError
from colony_jupyter.wire.decoding import convert, decode, decode_exactly
from colony_jupyter.wire.messages import Message, msgtype

if TYPE_CHECKING:
    from colony_jupyter.wire.identity import PrivateKey

ERROR_TYPE: Final = "error"


class Envelope(Struct, kw_only=True):
    """A request as it goes over the wire; ``payload`` is base64 text, and that text is what ``signature`` covers."""

    payloadtype: str = ""
    payload: str = ""
    signature: str = ""


class ReplyEnvelope(Struct, kw_only=True, forbid_unknown_fields=True):
    """A reply or a frame as it goes over the wire; ``payload`` is JSON, in base64 on the wire."""

    payloadtype: str = ""
    payload: bytes = b""
    error: bool = False


class Refusal(Struct, kw_only=True):
    """The payload of an error reply."""

    status: int = 0
    message: str = ""


def seal(message: Message, key: PrivateKey | None) -> bytes:
    """Put a message into a signed envelope; without a key into an unsigned one, as ``versionmsg`` may be sent.

    Raises:
        UsageError: for a text with a lone surrogate, which has no UTF-8 form.
    """
    try:
        encoded = msgspec.json.encode(message)
    except UnicodeEncodeError as error:
        found = error.object[error.start : error.end]
        raise UsageError(
            f"A text of the call {msgtype(message)} has the character {found!r}, which has no UTF-8 form: leave it out."
        ) from None
    payload = base64.b64encode(encoded).decode("ascii")
    signature = "" if key is None else key.sign(payload)
    return msgspec.json.encode(Envelope(payloadtype=msgtype(message), payload=payload, signature=signature))


def open_reply(body: bytes | str, shape: Any = object) -> tuple[str, Any | Refusal]:
    """Unwrap a reply from its envelope: its ``payloadtype`` and what is in it, or the `Refusal` it holds.

    Args:
        body: the reply, or a frame.
        shape: the type that it is read as; `object` for the JSON value as it is.

    Raises:
        ProtocolError: if it is no reply; an empty body is such a case (trap 16).
        Undecodable: if it is one, of another shape.
    """
    if not body:
        raise ProtocolError("The server answered with an empty body, as it does when it has no answer for the caller.")
    try:
        envelope = decode(body, ReplyEnvelope)
        if envelope.error:
            return ERROR_TYPE, decode(envelope.payload, Refusal)
        exact = decode_exactly(envelope.payload, shape)
        value = msgspec.json.decode(envelope.payload) if exact is None else None
    except (ValueError, RecursionError) as error:  # not JSON, not base64, not ASCII, not UTF-8, too deep
        raise ProtocolError(
            f"The server's answer cannot be read ({error}): is there a ColonyOS server at the address?"
        ) from error
    return envelope.payloadtype, convert(value, shape) if exact is None else exact


def seal_reply(payloadtype: str, value: Any) -> bytes:
    """Put a reply into its envelope."""
    return msgspec.json.encode(ReplyEnvelope(payloadtype=payloadtype, payload=msgspec.json.encode(value)))


def seal_refusal(status: int, message: str) -> bytes:
    """Put an error into its envelope."""
    payload = msgspec.json.encode(Refusal(status=status, message=message))
    return msgspec.json.encode(ReplyEnvelope(payloadtype=ERROR_TYPE, payload=payload, error=True))
