"""The envelope around every message (docs/protocol.md section 2)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from colony_jupyter.errors import ProtocolError
from colony_jupyter.wire.decoding import convert, decode
from colony_jupyter.wire.messages import Message, msgtype

if TYPE_CHECKING:
    from colony_jupyter.wire.identity import PrivateKey

ERROR_TYPE: Final = "error"


class Envelope(Struct, kw_only=True):
    """A request as it goes over the wire; ``payload`` is base64 text, and that text is what ``signature`` covers."""

    payloadtype: str = ""
    payload: str = ""
    signature: str = ""


class ReplyEnvelope(Struct, kw_only=True):
    """A reply or a frame as it goes over the wire."""

    payloadtype: str = ""
    payload: str = ""
    error: bool = False


class Refusal(Struct, kw_only=True):
    """The payload of an error reply."""

    status: int = 0
    message: str = ""


def seal(message: Message, key: PrivateKey | None) -> bytes:
    """Put a message into a signed envelope; without a key into an unsigned one, as ``versionmsg`` may be sent."""
    payload = base64.b64encode(msgspec.json.encode(message)).decode("ascii")
    signature = "" if key is None else key.sign(payload)
    return msgspec.json.encode(Envelope(payloadtype=msgtype(message), payload=payload, signature=signature))


def open_reply(body: bytes | str) -> tuple[str, Any | Refusal]:
    """Take a reply out of its envelope: its ``payloadtype`` and its parsed JSON, or the `Refusal` it holds.

    Raises:
        ProtocolError: if it cannot be read; an empty body is such a case (trap 16).
    """
    if not body:
        raise ProtocolError("The server answered with an empty body, as it does when it has no answer for the caller.")
    try:
        envelope = decode(body, ReplyEnvelope)
        value = msgspec.json.decode(base64.b64decode(envelope.payload))
        if envelope.error:
            return ERROR_TYPE, convert(value, Refusal)
    except (ValueError, RecursionError) as error:  # not JSON, not base64, not ASCII, not UTF-8, too deep
        raise ProtocolError(
            f"The server's answer cannot be read ({error}): is there a ColonyOS server at the address?"
        ) from error
    return envelope.payloadtype, value


def seal_reply(payloadtype: str, value: Any) -> bytes:
    """Put a reply into its envelope."""
    payload = base64.b64encode(msgspec.json.encode(value)).decode("ascii")
    return msgspec.json.encode(ReplyEnvelope(payloadtype=payloadtype, payload=payload))


def seal_refusal(status: int, message: str) -> bytes:
    """Put an error into its envelope."""
    payload = base64.b64encode(msgspec.json.encode(Refusal(status=status, message=message))).decode("ascii")
    return msgspec.json.encode(ReplyEnvelope(payloadtype=ERROR_TYPE, payload=payload, error=True))
