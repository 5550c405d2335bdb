"""What waits to be sent: bounded, since a kernel may print faster than a connection carries, or for hours unattended.

Text of streams is dropped from the middle and replaced by one line that states how much. Everything else is kept.
Neighbouring pieces of text leave as one message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.kernels.relay import framing
from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.gathering import Gathering
from colony_jupyter.kernels.relay.joining import joined
from colony_jupyter.kernels.relay.messages import compose, content_of, header_of, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable

IOPUB: Final = "iopub"
BOUND: Final = 32 * 2**20
"""Bytes of stream text that wait at most."""
LARGEST: Final = framing.LARGEST - 2**22
"""Bytes of one message of output; a larger one is replaced by a line, since no batch can hold it."""
BATCH: Final = 2**20
"""Bytes of the messages of one batch: a larger one would keep what follows it, such as an error, waiting for long."""
_FIRST: Final = 0.25  # of the bound: text that is kept from the beginning
_STREAM: Final = b"stream"


class Backlog:
    """Items in order, of which stream text may be dropped.

    Args:
        bound: bytes of stream text.
        key: the key that messages are signed with.
        new_id: gives ids for messages.
        batch: bytes of one batch.
        largest: bytes of one message of output.
    """

    def __init__(
        self,
        new_id: Callable[[], str],
        *,
        bound: int = BOUND,
        key: bytes = b"",
        batch: int = BATCH,
        largest: int = LARGEST,
    ) -> None:
        self.key = key
        self._new_id = new_id
        self._bound = bound
        self._batch = batch
        self._largest = largest
        self._items: list[Item] = []
        self._gathering = Gathering()
        self._text = 0  # bytes of stream text among them
        self._dropped = 0  # bytes that were dropped and are not reported yet
        self._place = 0  # of the report among the items
        self.is_text = True  # kept, since each message that comes in a flood asks for it
        """Whether all that waits is printed text; also if nothing waits."""

    def __len__(self) -> int:
        return len(self._items)

    @property
    def patience(self) -> float:
        """Seconds that what waits may wait for more; 0 if it is complete."""
        return self._gathering.patience if self._items else 0.0

    def expect(self, request: Item) -> None:
        """Note a request that is sent to the kernel: what waits may wait for the answer to it."""
        self._gathering.expect(request)

    def put(self, item: Item) -> None:
        """Add an item."""
        if item.name == IOPUB and item.size > self._largest:
            item = self._line(
                item, f"{item.size / 1e6:.0f} MB of output were dropped here: one message cannot be larger."
            )
        self._items.append(item)
        self._gathering.note(item)
        if _is_text(item):
            self._text += item.size
            if self._text > self._bound:
                self._drop()
        else:
            self.is_text = False

    def pop(self) -> list[Item]:
        """Return items for one batch, and forget them; empty if there are none."""
        size = count = 0
        while count < len(self._items) and (count == 0 or size < self._batch):
            size += self._items[count].size
            count += 1
        taken, self._items = self._items[:count], self._items[count:]
        self._text -= sum(item.size for item in taken if _is_text(item))
        self.is_text = self.is_text or all(map(_is_text, self._items))
        if self._dropped and self._place < count:
            taken[self._place] = self._report(taken[self._place])
        self._place -= count
        return joined(taken, self.key, _is_text)

    def _drop(self) -> None:
        """Drop the oldest text after the first part, down to half of the bound."""
        kept: list[Item] = []
        first, left = int(self._bound * _FIRST), self._text - self._bound // 2
        seen = 0
        for index, item in enumerate(self._items):
            is_report = self._dropped > 0 and index == self._place
            if not _is_text(item) or is_report:
                if is_report:
                    self._place = len(kept)
                kept.append(item)
                continue
            seen += item.size
            if left <= 0 or seen <= first:
                kept.append(item)
                continue
            left -= item.size
            if self._dropped == 0:
                self._place = len(kept)
                kept.append(item)  # becomes the report
            else:
                self._text -= item.size
            self._dropped += item.size
        self._items = kept

    def _report(self, item: Item) -> Item:
        """Return a line in the place of text that was dropped."""
        size, self._dropped = self._dropped, 0
        about = f"{size / 1e6:.1f} MB of output was dropped here: it came faster than the connection carries it."
        return self._line(item, about, content_of(item.frames).get("name", "stdout"))

    def _line(self, item: Item, about: str, name: str = "stderr") -> Item:
        """Return a line of text in the place of a message."""
        _, parts = parts_of(item.frames)
        header: dict[str, Any] = {**msgspec.json.decode(parts[0]), "msg_id": self._new_id(), "msg_type": "stream"}
        content = {"name": name, "text": f"\n[{about}]\n"}
        return Item(item.name, compose(self.key, [_STREAM], header, parts[1], content))


def _is_text(item: Item) -> bool:
    # The first frame of iopub is a topic that mostly names the type, which saves reading the header.
    return item.name == IOPUB and (item.frames[0].endswith(_STREAM) or header_of(item.frames).msg_type == "stream")
