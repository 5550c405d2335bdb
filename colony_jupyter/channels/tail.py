"""Where in a channel's log an entry of ours can be whose reply was lost (docs/protocol.md section 5).

Entries of one sender are in the order of their sequences, so a new entry of ours stands behind all earlier ones. A
lower bound of the index of the latest one is known without reading: the log only grows. The search starts there, so its
cost does not depend on the length of the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colony_jupyter.wire.models import Entry

LONGEST_PAGE: Final = 500
"""Entries of one page at most: a full log of large entries would not fit one reply."""

_FIRST_PAGE: Final = 16


class Pages:
    """Position and page size of a reading that may be cut at any page and goes on where it was.

    Args:
        start: index of the first entry to read.
        limit: entries of the first page.
    """

    def __init__(self, start: int = 0, limit: int = LONGEST_PAGE) -> None:
        self.start = start
        self.limit = limit
        self._was_cut = False

    def cut(self) -> None:
        """Note that a page did not arrive: the next one is smaller, as a bad link carries only so many bytes."""
        self._was_cut = True
        self.limit = max(1, self.limit // 2)

    def advance(self, read: int) -> bool:
        """Note that a page arrived; returns whether it was the last one."""
        self.start += read
        ended = read < self.limit
        if not self._was_cut:
            self.limit = min(LONGEST_PAGE, self.limit * 2)
        return ended


class Tail:
    """What is known of the entries of one sender in a log.

    Args:
        me: id of the sender.
    """

    def __init__(self, me: str) -> None:
        self.me = me
        self.latest: int | None = None
        """Sequence of the latest entry known to be in the log; None if none is known."""
        self.index = 0
        """Lower bound of its index."""
        self.end = 0
        """Lower bound of the number of entries in the log."""
        self.count = 0
        """Entries of the sender known to be in the log."""

    def confirm(self, sequence: int) -> None:
        """Note an entry that was appended."""
        index = self.end
        self.note(sequence, index)
        self.end = index + 1

    def note(self, sequence: int, index: int) -> None:
        """Note an entry at an index, or behind it."""
        self.count += 1
        if self.latest is None or sequence >= self.latest:
            self.latest, self.index = sequence, index
        self.end = max(self.end, index + 1)

    def extend(self, end: int) -> None:
        """Note how many entries the log holds at least."""
        self.end = max(self.end, end)

    def restart(self) -> None:
        """Forget everything: the log was replaced by another one."""
        self.latest, self.index, self.end, self.count = None, 0, 0, 0


class Search:
    """The search for one entry, fed with pages of the log.

    Args:
        tail: what is known of the sender's entries; it learns from what is read.
        sequence: sequence of the entry.
        payload: its payload.
        inreplyto: its inreplyto.
    """

    def __init__(self, tail: Tail, sequence: int, payload: bytes, inreplyto: int) -> None:
        self._tail = tail
        self._wanted = (sequence, payload, inreplyto)
        self.lost = 0
        """Entries of ours that are gone with an earlier log; known once the search has ended."""
        self._before = 0
        self._seen = 0
        self._is_new_log = False
        if tail.latest is not None and sequence <= tail.latest:
            # Inserted before the latest one, as by `channel_append` with sequences of the caller's choice.
            start, self._is_anchored = 0, True
        elif tail.latest is None:
            start = max(0, tail.end - 1)
            self._is_anchored = not start
        else:
            start, self._is_anchored = tail.index, False
        self.pages = Pages(start, _FIRST_PAGE)

    def feed(self, page: Sequence[Entry]) -> bool | None:
        """Read one page, from `pages.start` on; returns whether the entry is there, None if more is to be read."""
        tail, begin = self._tail, self.pages.start
        self._is_anchored = self._is_anchored or (tail.latest is None and bool(page))
        found: int | None = None
        for index, entry in enumerate(page, begin):
            if entry.senderid != tail.me:
                continue
            if (entry.sequence, entry.payload or b"", entry.inreplyto) == self._wanted:
                found = index
                break
            if self._is_new_log:
                tail.note(entry.sequence, index)
                self._seen += 1
            if entry.sequence == tail.latest:
                self._is_anchored = True
                tail.index = index
        ended = self.pages.advance(len(page))
        if found is not None and (self._is_anchored or not ended):
            tail.end = found  # exact: the caller confirms the entry, which then is the next one
            return self._stop(found=True)
        if not ended:
            return None
        if not self._is_anchored:
            # The entry that stood here is gone: the log is another one, as after a restart of the server.
            self._before = tail.count
            tail.restart()
            self._is_new_log = self._is_anchored = True
            self.pages = Pages(0, _FIRST_PAGE)
            return None
        tail.extend(self.pages.start)
        return self._stop(found=False)

    def _stop(self, *, found: bool) -> bool:
        if self._is_new_log:
            self.lost = max(0, self._before - self._seen)
        return found
