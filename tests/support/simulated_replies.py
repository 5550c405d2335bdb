"""Replies of simulated servers in the form in which a client asks for them."""

from __future__ import annotations

from typing import Any

import msgspec


def in_shape(reply: Any, shape: Any) -> Any:
    """Return the reply; as the JSON of its items, if the client reads these later."""
    return [msgspec.Raw(msgspec.json.encode(item)) for item in reply] if shape == list[msgspec.Raw] else reply
