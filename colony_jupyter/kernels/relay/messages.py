"""The little that the relay reads and writes of Jupyter's messages: type, parent, signature."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

VERSION: Final = "5.3"
"""Version of Jupyter's protocol of messages."""
DELIMITER: Final = b"<IDS|MSG>"
_PARTS: Final = 4


class Header(msgspec.Struct):
    """Of a message's header, what is needed here."""

    msg_type: str = ""
    msg_id: str = ""
    session: str = ""


def parts_of(frames: Sequence[bytes]) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """Return the frames before the delimiter, and the header, parent, metadata, content and buffers after signature.

    Raises:
        ValueError: for what is no message of Jupyter's.
    """
    at = list(frames).index(DELIMITER)
    parts = frames[at + 2 :]
    if len(parts) < _PARTS:
        raise ValueError("a message is too short")
    return frames[:at], parts


def header_of(frames: Sequence[bytes]) -> Header:
    """Return the header of a message; an empty one if it cannot be read."""
    try:
        return msgspec.json.decode(parts_of(frames)[1][0], type=Header)
    except ValueError:
        return Header()


def parent_of(frames: Sequence[bytes]) -> Header:
    """Return the header of the message that this one answers; an empty one if there is none."""
    try:
        return msgspec.json.decode(parts_of(frames)[1][1], type=Header)
    except ValueError:
        return Header()


def read(part: bytes) -> dict[str, Any]:
    """Return the object of one part of a message.

    Kernels also write what JSON has no text for, as Python's own module does: half of a surrogate pair, bytes of a file
    name that are no UTF-8, NaN.

    Raises:
        ValueError: if it is none.
    """
    try:
        return msgspec.json.decode(part, type=dict[str, Any])
    except msgspec.ValidationError:
        raise
    except ValueError:
        found = json.loads(part.decode("utf-8", "replace"))
    if not isinstance(found, dict):
        raise ValueError("a part of a message is no object")  # noqa: TRY004 - of what was read, not of an argument
    return found


def content_of(frames: Sequence[bytes]) -> dict[str, Any]:
    """Return the content of a message; empty if it cannot be read."""
    try:
        return read(parts_of(frames)[1][3])
    except ValueError:
        return {}


def new_header(kind: str, *, session: str, number: str, at: datetime) -> dict[str, str]:
    """Return the header of a message of this program.

    Args:
        kind: its type, such as ``stream``.
        session: id of this program's session.
        number: id of the message.
        at: the time.
    """
    return {
        "msg_id": number,
        "msg_type": kind,
        "session": session,
        "username": "colony_jupyter",
        "date": at.isoformat(),
        "version": VERSION,
    }


def compose(
    key: bytes,
    route: Sequence[bytes],
    header: Mapping[str, Any],
    parent: bytes,
    content: Mapping[str, Any],
    metadata: Mapping[str, Any] | None = None,
) -> list[bytes]:
    """Return the frames of a message, signed as Jupyter signs it.

    Args:
        key: the connection file's key.
        route: the frames before the delimiter.
        header: its header.
        parent: header of the message that it answers, as it arrived.
        content: its content.
        metadata: its metadata.
    """
    encode: Callable[[object], bytes] = msgspec.json.encode
    parts = [encode(header), parent, encode(metadata or {}), encode(content)]
    return [*route, DELIMITER, signature(key, parts), *parts]


def signature(key: bytes, parts: Sequence[bytes]) -> bytes:
    """Return the signature of the four parts of a message; empty without a key."""
    if not key:
        return b""
    signing = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts[:_PARTS]:
        signing.update(part)
    return signing.hexdigest().encode()
