"""Joins neighbouring pieces of text: a loop that prints makes thousands of messages a second, each with a long header.

What a front end shows is the same, since it joins them itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.messages import DELIMITER, parts_of, signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LONGEST: Final = 2**18
"""Bytes of text of one message that are joined at most."""
_PARTS: Final = 4


class _Text(msgspec.Struct, forbid_unknown_fields=True):
    """Content of a message of a stream."""

    name: str
    text: str


_decoder: Final = msgspec.json.Decoder(_Text)


class _Run:
    """Neighbours that may be joined."""

    def __init__(self, item: Item, about: tuple[object, ...], text: str) -> None:
        self.first = item
        self.about = about
        self.texts = [text]
        self.size = item.size

    def item(self, key: bytes) -> Item:
        if len(self.texts) == 1:
            return self.first
        route, parts = parts_of(self.first.frames)
        name = self.about[0]
        parts = [*parts[:3], msgspec.json.encode({"name": name, "text": "".join(self.texts)})]
        return Item(self.first.name, [*route, DELIMITER, signature(key, parts), *parts])


def joined(items: Iterable[Item], key: bytes, is_text: Callable[[Item], bool]) -> list[Item]:
    """Return items in their order, with neighbouring text of one cell and stream in one message.

    Args:
        items: messages of a kernel.
        key: the key that they are signed with.
        is_text: whether an item is text of a stream.
    """
    found: list[Item] = []
    run: _Run | None = None
    for item in items:
        text = _read(item) if is_text(item) else None
        if run is not None and (text is None or text[0] != run.about or run.size > LONGEST):
            found.append(run.item(key))
            run = None
        if text is None:
            found.append(item)
        elif run is None:
            run = _Run(item, *text)
        else:
            run.texts.append(text[1])
            run.size += len(text[1])
    if run is not None:
        found.append(run.item(key))
    return found


def _read(item: Item) -> tuple[tuple[object, ...], str] | None:
    """Return what has to be the same for two messages to be joined, and the text; None for one that is left alone."""
    try:
        route, parts = parts_of(item.frames)
        content = _decoder.decode(parts[3])
    except ValueError:
        return None
    if len(parts) > _PARTS:
        return None
    return (content.name, parts[1], parts[2], *route), content.text
