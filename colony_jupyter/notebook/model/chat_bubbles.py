"""A chat's entries as bubbles: pieces of one answer grow together into one (pure but for the Markdown libraries)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.notebook.formats.markdown import Markdown
from colony_jupyter.notebook.formats.plain_text import clean, size
from colony_jupyter.notebook.model.rows import BYTES, FAULT, NOTE
from colony_jupyter.wire.models import END, ERROR, TURN

if TYPE_CHECKING:
    from colony_jupyter.notebook.model.rows import Row

LONGEST: Final = 400_000
"""Characters of a bubble that are shown; the log has the rest, and Download gives it."""


class Bubble:
    """One message: a person's, a (growing) answer, or a remark of ours.

    Attributes:
        number: 0, 1, 2, ... within the pane.
        kind: ``"data"``, `ERROR`, `NOTE` or `FAULT`.
        who: sender in words.
        mine: whether the person at the notebook sent it.
        at: time of its first piece, in Unix seconds.
        text: all pieces so far; of a displayed object, its text form.
        media: what is shown of a displayed object; None for text.
        row: number of the row that it came from, or begins with.
        open: whether more may come.
    """

    def __init__(self, number: int, row: Row) -> None:
        self.number = number
        self.kind = row.kind
        self.who = row.who
        self.mine = row.mine
        self.at = row.at
        self.text = "" if row.media is None else row.media.plain
        self.media = row.media
        self.row = row.number
        self.open = False
        self._markdown = Markdown()
        self._blocks: list[str] = []  # as the page has them
        self._rendered = -1  # length of the text they were made of

    def patch(self) -> dict[str, Any]:
        """Return what the page must change: everything from the first block that is not as it was."""
        patch: dict[str, Any] = self._base()
        if self.media is not None or self._is_plain:
            return self.whole()
        earlier = (
            self._blocks if self.open else []
        )  # once complete, a page gets all of it: whatever it missed is mended
        self._render()
        same = 0
        while same < min(len(earlier), len(self._blocks)) and earlier[same] == self._blocks[same]:
            same += 1
        return patch | {"from": same, "blocks": self._blocks[same:]}

    def whole(self) -> dict[str, Any]:
        """Return the bubble for a page that has nothing of it yet."""
        if self.media is not None:
            return self._base() | {"d": self.media.wire(), "row": self.row}
        if self._is_plain:
            return self._base() | {"x": self.text}
        # What the page has is remembered by `patch` alone: a snapshot may be for another page.
        blocks = self._blocks if self._rendered == len(self.text) else Markdown().blocks(self.text[:LONGEST])
        return self._base() | {"from": 0, "blocks": blocks}

    @property
    def _is_plain(self) -> bool:
        return self.mine or self.kind in (ERROR, NOTE, FAULT)

    def _base(self) -> dict[str, Any]:
        base: dict[str, Any] = {"n": self.number, "k": self.kind, "w": self.who, "t": round(self.at * 1000)}
        return base | ({"m": 1} if self.mine else {}) | ({"open": 1} if self.open else {})

    def _render(self) -> None:
        if self._rendered != len(self.text):
            self._blocks = self._markdown.blocks(self.text[:LONGEST])
            self._rendered = len(self.text)


class ChatBubbles:
    """The bubbles of one chat."""

    def __init__(self) -> None:
        self.bubbles: list[Bubble] = []
        self.reply_due = False
        """Whether an answer is awaited, or more of one."""

        self.turn = 0
        """Number of the person's latest message in the whole conversation, of which this may show the end only."""

        self._first = 0  # number of the first bubble of the latest process
        self._growing: dict[tuple[str, int], Bubble] = {}  # (sender's id, inreplyto) -> an answer that may go on
        self._changed: dict[int, Bubble] = {}

    def add(self, row: Row) -> None:
        """Add the row of an entry, or one of ours."""
        entry = row.entry
        if entry is None:
            self._new(row).text = row.text
            return
        if row.mine:
            if row.kind not in (END, TURN):
                self._new(row).text = clean(entry.text)
                self.turn = (entry.sequence + 1) // 2  # of ours are the odd numbers (docs/decisions.md)
                self.reply_due = row.kind != ERROR
            return
        if row.kind in (END, TURN):
            self._piece(row, (entry.senderid, entry.inreplyto))
            self._close(entry.senderid, entry.inreplyto)
        elif row.kind == ERROR:
            self._new(row).text = row.text
            self._close(entry.senderid, entry.inreplyto)
        else:
            self._piece(row, (entry.senderid, entry.inreplyto))

    def begin_anew(self) -> None:
        """Start the conversation with another process; the bubbles of the earlier one remain."""
        self._first = len(self.bubbles)

    def end_reply(self) -> None:
        """Nothing more of an answer is waited for."""
        self.reply_due = False
        for bubble in self._growing.values():
            bubble.open = False
            self._changed[bubble.number] = bubble
        self._growing.clear()

    def changes(self) -> list[dict[str, Any]]:
        """Return what changed since the last time, for the page."""
        changed, self._changed = self._changed, {}
        return [bubble.patch() for bubble in changed.values()]

    @property
    def is_answered(self) -> bool:
        """Whether the latest message of the conversation is an answer, and complete."""
        own = islice(reversed(self.bubbles), len(self.bubbles) - self._first)
        messages = (bubble for bubble in own if bubble.kind not in (NOTE, FAULT))
        latest = next(messages, None)
        return latest is not None and not latest.mine and not self.reply_due and not self._growing

    @property
    def growing(self) -> int:
        """Characters of the longest answer that still grows: what rendering it again costs."""
        return max((len(bubble.text) for bubble in self._growing.values()), default=0)

    def _piece(self, row: Row, key: tuple[str, int]) -> None:
        entry = row.entry
        if entry is None or not entry.payload:
            return
        bubble = self._growing.get(key)
        if bubble is not None and (bubble.media is not None or row.media is not None):
            # An object has a bubble to itself; the answer goes on below it.
            bubble.open = False
            self._changed[bubble.number] = bubble
            bubble = None
        if bubble is None:
            bubble = self._new(row)
            bubble.kind = "data"
            # An answer without inreplyto cannot be distinguished from the next one: it is a bubble of its own.
            if entry.inreplyto:
                bubble.open = True
                self._growing[key] = bubble
            else:
                self.reply_due = False
        if row.media is None:
            bubble.text += f"`{size(len(entry.payload))}`" if row.form == BYTES else entry.text
        self._changed[bubble.number] = bubble

    def _close(self, sender: str, inreplyto: int) -> None:
        keys = [key for key in self._growing if key[0] == sender and inreplyto in (0, key[1])]
        for key in keys:
            bubble = self._growing.pop(key)
            bubble.open = False
            self._changed[bubble.number] = bubble
        self.reply_due = False

    def _new(self, row: Row) -> Bubble:
        bubble = Bubble(len(self.bubbles), row)
        self.bubbles.append(bubble)
        self._changed[bubble.number] = bubble
        return bubble
