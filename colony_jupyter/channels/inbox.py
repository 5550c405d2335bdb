"""What has been received of one channel, and whether anything is missing.

A server counts entries by their place in its log (``afterseq`` is an index, trap 2), but the log is sorted again when a
sender's sequences do not grow, so that an entry may be inserted before a place that was read already (trap 23).
Counting finds such entries: who holds N entries and asks for the log from index N-1 on gets one entry and those that
are new. Fewer new ones than that, and the others were inserted further up; no known one at all, and the log is not the
one it was.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from colony_jupyter.wire.models import Entry


class Verdict(enum.Enum):
    """What a part of the log implies about the entries before it."""

    COMPLETE = "complete"
    INSERTED = "inserted"
    """Entries were inserted further up: the whole log must be read."""
    REPLACED = "replaced"
    """The log is another one: the server lost it."""


class Inbox:
    """Every entry once, however often and in how many parts the log arrives."""

    def __init__(self, *, repeats: int = 0) -> None:
        self._places: dict[tuple[str, int, str], int] = {}  # key of an entry -> how many came before it
        self.repeats = repeats

    def __len__(self) -> int:
        """How many different entries were received; the index from which the log is new, as far as is known."""
        return len(self._places)

    @property
    def resume_at(self) -> int:
        """The ``afterseq`` to ask for: one entry back, which shows whether the log is still the same."""
        return max(len(self._places) - 1, 0)

    def add(self, entries: Iterable[Entry]) -> list[Entry]:
        """Record entries, and return those that are new in the order they came."""
        new = []
        places = self._places
        for entry in entries:
            key = (entry.senderid, entry.sequence, entry.timestamp)  # `Entry.key`, of thousands at a time
            if key in places:
                self.repeats += 1
            else:
                places[key] = len(places)
                new.append(entry)
        return new

    def judge(self, tail: Sequence[Entry], known: int) -> Verdict:
        """Judge the log from index ``known - 1`` on, asked for when ``known`` entries were here; before `add`.

        Entries that came by another way since it was asked for count as new.
        """
        if known == 0:
            return Verdict.COMPLETE
        new = sum(1 for entry in tail if self._places.get(entry.key, known) >= known)
        if new == len(tail):
            return Verdict.REPLACED
        return Verdict.COMPLETE if new == len(tail) - 1 else Verdict.INSERTED
