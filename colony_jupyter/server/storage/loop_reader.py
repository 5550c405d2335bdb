"""A connection on which the event loop itself reads: short reads by indexes, for which a thread would cost more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3


class LoopReader:
    """Reads what is on disk, between `open` and `close`."""

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None  # before `open` and after `close`

    def open(self, connection: sqlite3.Connection) -> None:
        """Read by a connection of its own."""
        self._connection = connection

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _rows(self, query: str, *values: Any) -> sqlite3.Cursor:
        assert self._connection is not None  # noqa: S101 - nothing reads before `open`
        return self._connection.execute(query, values)
