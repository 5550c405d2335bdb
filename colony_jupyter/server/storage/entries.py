"""Entries of channels: on disk only, and read from there, so that memory and start do not grow with them."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import msgspec

from colony_jupyter.server.errors import Refused
from colony_jupyter.server.state.records import StoredEntry
from colony_jupyter.server.storage.loop_reader import LoopReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from colony_jupyter.server.storage.group_commit import Writer


class Entries(LoopReader):
    """The entries of all channels, by their places, which count arrivals from 1.

    The event loop itself reads them: by the primary key, in some ten microseconds and one more for each entry.

    Args:
        writer: writes to the file.
    """

    def __init__(self, writer: Writer) -> None:
        super().__init__()
        self._writer = writer
        self._decoder = msgspec.msgpack.Decoder(StoredEntry)

    def add(self, processid: str, channel: str, place: int, entry: StoredEntry) -> None:
        """Write an entry."""
        self._writer.execute(
            "INSERT INTO entries VALUES (?, ?, ?, ?)", processid, channel, place, msgspec.msgpack.encode(entry)
        )

    def delete(self, processid: str) -> None:
        """Delete the entries of a process."""
        self._writer.execute("DELETE FROM entries WHERE processid = ?", processid, slow=True)

    def read(self, processid: str, channel: str, first: int, last: int) -> Iterator[tuple[int, StoredEntry]]:
        """Yield entries that are on disk, with their places, in the order in which they arrived.

        Args:
            processid: their process.
            channel: their channel.
            first: place of the first one.
            last: place of the last one.

        Raises:
            Refused: if they cannot be read.
        """
        decode = self._decoder.decode
        try:
            rows = self._rows(
                "SELECT place, data FROM entries WHERE processid = ? AND channel = ? AND place BETWEEN ? AND ? "
                "ORDER BY place",
                *(processid, channel, first, last),
            )
            for place, data in rows:
                yield place, decode(data)
        except (sqlite3.Error, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refused(500, f"The colony's data could not be read: {error}") from error
