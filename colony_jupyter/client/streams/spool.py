"""Entries that wait for their consumer: in memory up to a bound, then in a temporary file.

The socket is always drained, whatever the consumer does, since a server drops what a slow reader leaves behind.
"""

from __future__ import annotations

import struct
import tempfile
import threading
from collections import deque
from typing import IO, TYPE_CHECKING, Final

import msgspec

from colony_jupyter.wire.models import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable

MEMORY: Final = 64 * 1024 * 1024
"""Bytes of entries that are kept in memory by default."""

_OVERHEAD: Final = 200
_LENGTH: Final = struct.Struct(">Q")


class Spool:
    """A queue of entries, first in, first out; put on one thread, taken on any.

    Args:
        memory: bytes kept in memory; what is more goes to a file that has no name and is gone with the process.
    """

    def __init__(self, memory: int = MEMORY) -> None:
        self._memory = memory
        self._lock = threading.Lock()
        self._head: deque[Entry] = deque()  # the oldest entries
        self._head_size = 0
        self._file: IO[bytes] | None = None  # younger than all of the head; None while it would be empty
        self._read_at = 0
        self._write_at = 0
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Entry).decode

    def put(self, entries: Iterable[Entry]) -> None:
        """Add entries at the end."""
        with self._lock:
            for entry in entries:
                if self._file is None and self._head_size + _size(entry) <= self._memory:
                    self._head.append(entry)
                    self._head_size += _size(entry)
                else:
                    self._spill(entry)

    def pop(self) -> Entry | None:
        """Take the oldest entry; None if there is none now."""
        with self._lock:
            if not self._head and self._file is not None:
                self._refill(self._file)
            if not self._head:
                return None
            entry = self._head.popleft()
            self._head_size -= _size(entry)
            return entry

    def close(self) -> None:
        """Forget all that waits."""
        with self._lock:
            self._head.clear()
            self._head_size = 0
            self._drop_file()

    def _spill(self, entry: Entry) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="colony-jupyter-")  # noqa: SIM115 - lives as long as it is needed
        data = self._encode(entry)
        self._file.seek(self._write_at)
        self._file.write(_LENGTH.pack(len(data)))
        self._file.write(data)
        self._write_at = self._file.tell()

    def _refill(self, file: IO[bytes]) -> None:
        """Take a quarter of the memory's worth back from the file, so that reading it is not one entry at a time."""
        file.seek(self._read_at)
        while self._read_at < self._write_at and (not self._head or self._head_size < self._memory // 4):
            (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
            entry = self._decode(file.read(length))
            self._read_at += _LENGTH.size + length
            self._head.append(entry)
            self._head_size += _size(entry)
        if self._read_at == self._write_at:
            self._drop_file()

    def _drop_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._read_at = self._write_at = 0


def _size(entry: Entry) -> int:
    return len(entry.payload) + _OVERHEAD
