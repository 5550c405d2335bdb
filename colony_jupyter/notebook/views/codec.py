"""Messages to the page, made small: most rows differ from the one before in their text only (pure).

A message travels as JSON in a binary buffer, for what is in a comm message's own content ipykernel walks through value
by value, which costs more than all the rest. ``static/store.js`` reads it (`unpacked`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STYLE: Final = ("k", "w", "c", "m", "f", "o")
"""What rows of one sender on one channel have in common."""

_RARE: Final = frozenset(("r", "all", "z", "d"))


def message(content: Mapping[str, Any]) -> bytes:
    """Return a message, the rows in it packed."""
    packable = {name: packed(content[name]) for name in ("rows", "replaced") if name in content}
    if packable:
        content = {**content, **packable}
    return msgspec.json.encode(content)


def packed(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Pack rows (`Row.wire`): styles are listed once, numbers are differences to those of the row before."""
    styles: dict[tuple[Any, ...], int] = {}
    small: list[list[Any]] = []
    number = at = sequence = 0
    for row in rows:
        style = styles.setdefault(tuple(map(row.get, _STYLE)), len(styles))
        own = row.get("s", 0)
        item: list[Any] = [row["n"] - number, row["t"] - at, style, own - sequence, row["x"]]
        if not _RARE.isdisjoint(row):
            item.append({name: row[name] for name in sorted(_RARE.intersection(row))})
        small.append(item)
        number, at, sequence = row["n"], row["t"], own
    return {"styles": [dict(zip(_STYLE, style, strict=True)) for style in styles], "rows": small}
