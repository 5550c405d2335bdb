"""What all calls of the protocol have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from msgspec.structs import StructConfig


class Message(Struct, kw_only=True, tag_field="msgtype"):
    """What all calls have in common: the member ``msgtype``."""


def msgtype(message: Message | type[Message]) -> str:
    """Return the type of a message, as it stands in ``msgtype`` and in the envelope's ``payloadtype``."""
    config: StructConfig = message.__struct_config__
    return str(config.tag)
