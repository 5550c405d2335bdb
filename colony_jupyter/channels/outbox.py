"""Writing to channels: sequence numbers, pacing, and joining text into few entries (docs/protocol.md section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from colony_jupyter.wire.limits import APPEND_BURST, APPEND_RATE, MAX_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Sequencer:
    """Numbers one writer's entries: the initiator's are odd, the executor's even, so that a reader tells them apart.

    Args:
        initiator: whether the writer is the process's initiator.
    """

    def __init__(self, *, initiator: bool) -> None:
        self._next = 1 if initiator else 2
        self.foreign = 0
        """Entries of our own key that were there before: somebody else writes with it, or we did before a restart."""

    def attach(self, sequences: Sequence[int]) -> None:
        """Go on after the entries of our own key that the log holds already."""
        self.foreign = len(sequences)
        for sequence in sequences:
            self.skip(sequence)

    def skip(self, sequence: int) -> None:
        """Go on after a sequence that was used."""
        if sequence >= self._next:
            self._next = sequence + 1 + (sequence + 1 - self._next) % 2

    def next(self) -> int:
        """Give the next sequence."""
        sequence, self._next = self._next, self._next + 2
        return sequence


class Bucket:
    """The server's allowance of appends, kept here too so that it is seldom asked in vain.

    It is shared by both parties and all channels of a process, so a refusal can still come: `refused` empties it.

    Args:
        now: the time, in seconds.
        rate: appends a second.
        burst: appends after a rest.
    """

    def __init__(self, now: float, rate: float = APPEND_RATE, burst: float = APPEND_BURST) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def wait(self, now: float) -> float:
        """Take one append; the seconds to wait before it is made."""
        self._refill(now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def refused(self, now: float) -> None:
        """Learn from a refusal that others have used the allowance."""
        self._refill(now)
        self._tokens = min(self._tokens, 0.0)

    def _refill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now


REFUSED_FIRST: Final = 0.02
"""Seconds to wait after the first refusal for rate; two appends' worth."""

REFUSED_LONGEST: Final = 0.5


class TextBuffer:
    """Pieces of text on their way into few entries; each entry holds whole characters.

    Args:
        interval: seconds a piece waits at most for others.
        full: characters that do not wait.
    """

    def __init__(self, interval: float = 0.05, full: int = 16_384) -> None:
        self._interval = interval
        self._full = full
        self._pieces: list[str] = []
        self._size = 0
        self._since: float | None = None

    def __len__(self) -> int:
        """Characters that wait."""
        return self._size

    def add(self, text: str, now: float) -> None:
        """Add a piece."""
        if text:
            self._pieces.append(text)
            self._size += len(text)
            self._since = now if self._since is None else self._since

    def due(self, now: float) -> float | None:
        """Seconds until the text should go; None if there is none."""
        if self._since is None:
            return None
        if self._size >= self._full:
            return 0.0
        return max(0.0, self._since + self._interval - now)

    def take(self) -> list[bytes]:
        """Give all that waits, as payloads within the size of one entry."""
        text = "".join(self._pieces)
        self._pieces, self._size, self._since = [], 0, None
        return list(_cut(text.encode("utf-8", "replace"), MAX_PAYLOAD))


def _cut(data: bytes, size: int) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        end = min(start + size, len(data))
        # Back to the beginning of a character: continuation bytes are 10xxxxxx.
        while end < len(data) and data[end] & 0xC0 == 0x80:  # noqa: PLR2004 - the bits of UTF-8
            end -= 1
        yield data[start:end]
        start = end
