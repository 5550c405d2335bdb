"""Messages to the page, made small: most rows differ from the one before in their text only (pure).

A message travels as JSON in a binary buffer, for what is in a comm message's own content ipykernel walks through value
by value, which costs more than all the rest. ``static/store.js`` reads it (`unpacked`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LOOK: Final = ("k", "w", "c", "m", "f", "o")
"""What rows of one sender on one channel have in common."""

_RARE: Final = ("r", "all", "z")


def message(content: Mapping[str, Any]) -> bytes:
    """Give a message, the rows in it packed."""
    if "rows" in content:
        content = {**content, "rows": packed(content["rows"])}
    return msgspec.json.encode(content)


def packed(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Pack rows (`Row.wire`): looks are listed once, numbers are differences to those of the row before."""
    looks: dict[tuple[Any, ...], int] = {}
    small: list[list[Any]] = []
    number = at = sequence = 0
    for row in rows:
        look = looks.setdefault(tuple(row.get(name) for name in _LOOK), len(looks))
        own = row.get("s", 0)
        item: list[Any] = [row["n"] - number, row["t"] - at, look, own - sequence, row["x"]]
        if rare := {name: row[name] for name in _RARE if name in row}:
            item.append(rare)
        small.append(item)
        number, at, sequence = row["n"], row["t"], own
    return {"looks": [dict(zip(_LOOK, look, strict=True)) for look in looks], "rows": small}
