"""Gaps in the numbering of senders: the only sign of entries that were dropped between nodes (docs/protocol.md 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colony_jupyter.wire.models import Entry

_FEWEST: Final = 3
"""Entries of a sender from which on its numbering is known to be regular."""


@dataclass(slots=True)
class _Sender:
    smallest: int
    largest: int
    latest: int  # in the order of arrival
    count: int = 1
    step: int = 0  # the smallest difference between an entry and the next; 0 while there is none

    def note(self, sequence: int) -> None:
        step = sequence - self.latest
        if step > 0 and (step < self.step or not self.step):
            self.step = step
        if sequence > self.largest:
            self.largest = sequence
        elif sequence < self.smallest:
            self.smallest = sequence
        self.latest = sequence
        self.count += 1

    def missing(self) -> int:
        span = self.largest - self.smallest
        if self.count < _FEWEST or not self.step or span % self.step:
            return 0
        missing = span // self.step + 1 - self.count
        # A sender may number as it likes, as by the time: where more is missing than there is, it does not count.
        return missing if 0 < missing <= self.count else 0


class Numbering:
    """The sequences of a channel's senders, each of which numbers its own entries, as a rule at equal distances."""

    def __init__(self) -> None:
        self._senders: dict[str, _Sender] = {}

    def note(self, entries: Iterable[Entry]) -> None:
        """Note entries in the order of their arrival, each once."""
        for entry in entries:
            sender = self._senders.get(entry.senderid)
            if sender is None:
                self._senders[entry.senderid] = _Sender(entry.sequence, entry.sequence, entry.sequence)
            else:
                sender.note(entry.sequence)

    def missing(self) -> int:
        """Return how many numbers are missing between the smallest and the largest of the senders."""
        return sum(sender.missing() for sender in self._senders.values())
