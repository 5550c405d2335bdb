"""A reader has a connection between `open` and `close`."""

from __future__ import annotations

import sqlite3

import pytest

from colony_jupyter.server.storage.loop_reader import LoopReader


def test_it_reads_between_open_and_close():
    reader = LoopReader()
    with pytest.raises(AssertionError):
        reader._rows("SELECT 1")
    connection = sqlite3.connect(":memory:")
    reader.open(connection)
    assert reader._rows("SELECT ?, ?", 1, "a").fetchall() == [(1, "a")]
    reader.close()
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")
    reader.close()
