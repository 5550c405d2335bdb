"""Names that other SDKs of ColonyOS have for what an entry has under another name."""

from __future__ import annotations

from typing import Final

_NAMES: Final = {
    "msgtype": "use `type`",
    "payload_type": "use `type`",
    "payloadtype": "use `type`",
    "payload_as_string": "use `text`, without parentheses",
    "payload_bytes": "use `payload`, which is bytes",
    "in_reply_to": "use `inreplyto`",
    "inReplyTo": "use `inreplyto`",
    "sender_id": "use `senderid`",
    "senderId": "use `senderid`",
}


def missing_attribute(name: str) -> str:
    """Explain that an entry has no such attribute, and under which name it has it."""
    hint = _NAMES.get(name)
    return f"An entry has no '{name}': {hint}." if hint else f"'Entry' object has no attribute '{name}'"
