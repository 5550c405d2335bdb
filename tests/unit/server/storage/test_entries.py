"""Entries on disk: they come back by process, channel and place; damage is named."""

from __future__ import annotations

import pytest

from colony_jupyter.server.errors import Refused
from colony_jupyter.server.state.records import StoredEntry


def sequences(store, processid, channel, first=1, last=9):
    return [(place, entry.sequence) for place, entry in store.entries.read(processid, channel, first, last)]


async def test_entries_come_back_by_process_and_channel_in_the_order_of_arrival(store):
    for place, sequence in enumerate((3, 1), 1):
        store.entries.add("p", "c", place, StoredEntry(sequence, 0, place, "ann", b"\xff", "kind"))
    store.entries.add("p", "d", 1, StoredEntry(9, 4, 5, "ann", None))
    store.entries.add("q", "c", 1, StoredEntry(7, 0, 1, "ann", b""))
    await store.writer.commit()
    assert sequences(store, "p", "c") == [(1, 3), (2, 1)]
    assert sequences(store, "p", "c", 2) == [(2, 1)]
    assert sequences(store, "p", "c", 1, 1) == [(1, 3)]
    assert list(store.entries.read("p", "d", 1, 9)) == [(1, StoredEntry(9, 4, 5, "ann", None))]
    store.entries.delete("p")
    await store.writer.commit()
    assert sequences(store, "p", "c") == []
    assert sequences(store, "q", "c") == [(1, 7)]


async def test_what_is_not_committed_yet_is_not_read(store):
    store.entries.add("p", "c", 1, StoredEntry(1, 0, 1, "ann", b""))
    assert sequences(store, "p", "c") == []
    await store.writer.commit()
    assert sequences(store, "p", "c") == [(1, 1)]


async def test_an_entry_that_cannot_be_read_is_refused_with_the_reason(store):
    store.writer.execute("INSERT INTO entries VALUES ('p', 'c', 1, ?)", b"no entry")
    await store.writer.commit()
    with pytest.raises(Refused, match="The colony's data could not be read: ") as refused:
        sequences(store, "p", "c")
    assert refused.value.status == 500
    store.writer.execute("DROP TABLE entries")
    await store.writer.commit()
    with pytest.raises(Refused, match="no such table: entries"):
        sequences(store, "p", "c")
