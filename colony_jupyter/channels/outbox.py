"""Writing to channels: sequence numbers, pacing, and joining text into few entries (docs/protocol.md section 5)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from colony_jupyter.wire.limits import APPEND_BURST, APPEND_RATE, MAX_PAYLOAD
from colony_jupyter.wire.storable import encodable
from colony_jupyter.wire.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Sequencer:
    """Numbers one writer's entries: the initiator's are odd, the executor's even, which distinguishes them.

    A sequence is used up when its entry is in the log, not before: an append that was given up leaves no gap.

    Args:
        initiator: whether the writer is the process's initiator.
    """

    def __init__(self, *, initiator: bool) -> None:
        self.following = 1 if initiator else 2
        """The next sequence."""
        self.foreign = 0
        """Entries of our own key that were there before: from another program, or from this one before a restart."""

    def attach(self, sequences: Sequence[int]) -> None:
        """Continue after the entries of our own key that the log holds already."""
        self.foreign = len(sequences)
        for sequence in sequences:
            self.skip(sequence)

    def skip(self, sequence: int) -> None:
        """Continue after a sequence that was used."""
        if sequence >= self.following:
            self.following = sequence + 1 + (sequence + 1 - self.following) % 2


class AppendLimiter:
    """The server's rate limit for appends, applied here too so that refusals are rare.

    Both parties and all channels of a process share the limit, so a refusal can still come: `refused` empties it.

    Args:
        now: the time, in seconds.
        rate: appends a second.
        burst: appends after a rest.
    """

    def __init__(self, now: float, rate: float = APPEND_RATE, burst: float = APPEND_BURST) -> None:
        self._bucket = TokenBucket(now, rate, burst)

    def wait(self, now: float) -> float:
        """Count one append; returns the seconds to wait before it is made."""
        self._bucket.refill(now)
        self._bucket.tokens -= 1
        return max(0.0, -self._bucket.tokens / self._bucket.rate)

    def refused(self, now: float) -> None:
        """Note a refusal: others have used the limit up."""
        self._bucket.tokens = min(self._bucket.refill(now), 0.0)


REFUSED_FIRST: Final = 0.02
"""Seconds to wait after the first refusal for rate: the time of two appends."""

REFUSED_LONGEST: Final = 0.5
"""Seconds that no wait after a refusal for rate exceeds."""


class TextBuffer:
    """Pieces of text on their way into few entries; each entry holds whole characters and answers one entry.

    An entry stays at the head until `pop`, unchanged by text that is added meanwhile: an append of it that was
    interrupted can be repeated.

    Args:
        interval: seconds a piece waits at most for others.
        full: characters that do not wait.
    """

    def __init__(self, interval: float = 0.05, full: int = 16_384) -> None:
        self._interval = interval
        self._full = full
        self._runs: list[tuple[int, list[str]]] = []  # neighbours that answer the same entry
        self._size = 0
        self._since: float | None = None
        self._ready: deque[tuple[int, bytes]] = deque()
        self._ready_size = 0

    def __len__(self) -> int:
        """Return how much waits: characters of text, and bytes of entries that are ready."""
        return self._size + self._ready_size

    @property
    def entries(self) -> int:
        """Number of entries that wait, those that are ready included."""
        return len(self._ready) + len(self._runs)

    def add(self, text: str, now: float, inreplyto: int = 0) -> None:
        """Add a piece."""
        if not text:
            return
        if not self._runs or self._runs[-1][0] != inreplyto:
            self._runs.append((inreplyto, []))
        self._runs[-1][1].append(text)
        self._size += len(text)
        self._since = now if self._since is None else self._since

    def due(self, now: float) -> float | None:
        """Return the seconds until the text should be sent; None if there is none."""
        if self._ready:
            return 0.0
        if self._since is None:
            return None
        if self._size >= self._full:
            return 0.0
        return max(0.0, self._since + self._interval - now)

    @property
    def ready(self) -> int:
        """Number of entries that `head` has formed and that were not appended yet."""
        return len(self._ready)

    def head(self, *, whole: bool = True) -> tuple[int, bytes] | None:
        """Return the next entry, as ``inreplyto`` and payload; None if there is none.

        Args:
            whole: whether all text is sent. Otherwise the beginning of a line waits for one more interval if complete
                lines are before it, so that entries end where lines do.
        """
        if not self._ready:
            rest = "" if whole else self._unfinished_line()
            for inreplyto, pieces in self._runs:
                data = encodable("".join(pieces)).encode("utf-8")
                self._ready.extend((inreplyto, part) for part in _cut(data, MAX_PAYLOAD))
            self._ready_size = sum(len(data) for _, data in self._ready)
            if rest and self._since is not None:
                self._runs, self._size = [(self._runs[-1][0], [rest])], len(rest)
                self._since += self._interval
            else:
                self._runs, self._size, self._since = [], 0, None
        return self._ready[0] if self._ready else None

    def _unfinished_line(self) -> str:
        """Remove what follows the last line break of the last run, and return it; empty if it has no line break."""
        if not self._runs:
            return ""
        inreplyto, pieces = self._runs[-1]
        text = "".join(pieces)
        end = text.rfind("\n") + 1
        if not 0 < end < len(text):
            return ""
        self._runs[-1] = (inreplyto, [text[:end]])
        return text[end:]

    def pop(self) -> None:
        """Drop the head, which was appended."""
        _, data = self._ready.popleft()
        self._ready_size -= len(data)

    def clear(self) -> None:
        """Drop everything."""
        self._ready.clear()
        self._runs, self._size, self._since, self._ready_size = [], 0, None, 0


def _cut(data: bytes, size: int) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        end = min(start + size, len(data))
        # Back to the beginning of a character: continuation bytes are 10xxxxxx.
        while end < len(data) and data[end] & 0xC0 == 0x80:  # noqa: PLR2004 - the bits of UTF-8
            end -= 1
        yield data[start:end]
        start = end
