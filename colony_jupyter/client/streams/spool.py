"""Entries that wait for their consumer: in memory up to a bound, then in a temporary file.

The socket is always drained, whatever the consumer does, since a server drops what a slow reader leaves behind.
"""

from __future__ import annotations

import struct
import tempfile
from collections import deque
from typing import IO, TYPE_CHECKING, Final

import msgspec

from colony_jupyter.wire.models import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MEMORY: Final = 64 * 1024 * 1024
"""Bytes of entries that are kept in memory by default."""

_OVERHEAD: Final = 200
_LENGTH: Final = struct.Struct(">Q")


class Spool:
    """A queue of entries, first in, first out. It belongs to one event loop.

    Args:
        memory: bytes kept in memory; what is more goes to a file that has no name and is gone with the process.
    """

    def __init__(self, memory: int = MEMORY) -> None:
        self._memory = memory
        self._entries: deque[Entry] = deque()  # the oldest
        self._size = 0  # of them
        self._file: IO[bytes] | None = None  # the younger ones; None while it would be empty
        self._read_at = 0
        self._write_at = 0
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Entry).decode

    def put(self, entries: Sequence[Entry]) -> None:
        """Add entries at the end."""
        size = sum(map(_size, entries))
        if self._file is None and self._size + size <= self._memory:
            self._entries.extend(entries)
            self._size += size
            return
        for entry in entries:
            if self._file is None and self._size + _size(entry) <= self._memory:
                self._append(entry)
            else:
                self._spill(entry)

    def peek(self) -> Entry | None:
        """Return the oldest entry, which stays; None if there is none now."""
        if not self._entries and self._file is not None:
            self._refill(self._file)
        return self._entries[0] if self._entries else None

    def pop(self) -> Entry | None:
        """Remove and return the oldest entry; None if there is none now."""
        entry = self.peek()
        if entry is not None:
            self._entries.popleft()
            self._size -= _size(entry)
        return entry

    def pop_while(self, fits: Callable[[Entry], bool], *, count: int, size: int) -> list[Entry]:
        """Remove and return the oldest entries, as long as they fit; of those in memory only.

        Args:
            fits: returns whether an entry is to be removed.
            count: how many at most.
            size: bytes of payloads from which on it is enough.
        """
        entries, found = self._entries, []
        while entries and count > 0 and size > 0 and fits(entries[0]):
            entry = entries.popleft()
            found.append(entry)
            count -= 1
            size -= len(entry.payload)
            self._size -= _size(entry)
        return found

    def close(self) -> None:
        """Forget all that waits."""
        self._entries.clear()
        self._size = 0
        self._drop_file()

    def _append(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._size += _size(entry)

    def _spill(self, entry: Entry) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="colony-jupyter-")  # noqa: SIM115 - lives as long as it is needed
        data = self._encode(entry)
        self._file.seek(self._write_at)
        self._file.write(_LENGTH.pack(len(data)))
        self._file.write(data)
        self._write_at = self._file.tell()

    def _refill(self, file: IO[bytes]) -> None:
        """Read a quarter of the memory's worth back from the file, so that reading it is not one entry at a time."""
        file.seek(self._read_at)
        while self._read_at < self._write_at and (not self._entries or self._size < self._memory // 4):
            (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
            entry = self._decode(file.read(length))
            self._read_at += _LENGTH.size + length
            self._append(entry)
        if self._read_at == self._write_at:
            self._drop_file()

    def _drop_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._read_at = self._write_at = 0


def _size(entry: Entry) -> int:
    return len(entry.payload) + _OVERHEAD
