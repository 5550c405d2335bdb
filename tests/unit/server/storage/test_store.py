"""The file of a colony: objects and log lines come back, free pages are given back, damage is named."""

from __future__ import annotations

import pytest

from colony_jupyter.errors import EmbeddedError
from colony_jupyter.server.state.records import LogLine
from colony_jupyter.wire.models import Colony


def line(message, timestamp, processid="p", executorname="one"):
    return LogLine(
        processid=processid, colonyname="dev", executorname=executorname, message=message, timestamp=timestamp
    )


async def test_objects_come_back_in_their_order_also_after_a_change(store):
    for name in ("b", "a"):
        store.put("colony", name, Colony(colonyid="old", name=name))
    store.put("colony", "b", Colony(colonyid="new", name="b"))
    store.put("paused", "b", "b")
    await store.writer.commit()
    contents = await store.load()
    assert [(colony.name, colony.colonyid) for colony in contents.colonies] == [("b", "new"), ("a", "old")]
    assert (contents.paused, contents.processes, contents.last_archived) == (["b"], [], 0)
    store.delete("colony", "b")
    await store.writer.commit()
    assert [colony.name for colony in (await store.load()).colonies] == ["a"]


async def test_log_lines_are_read_by_process_or_executor_and_deleted_by_process_or_colony(store):
    for number in range(3):
        store.add_log(line(f"p{number}", number + 1))
    store.add_log(line("q", 9, "q", "two"))
    await store.writer.commit()

    async def read(**members):
        found = await store.logs(**{"colonyname": "dev", "count": 9, "since": 0, "latest": False, **members})
        return [each.message for each in found]

    assert await read(processid="p") == ["p0", "p1", "p2"]
    assert await read(processid="p", count=2, latest=True) == ["p1", "p2"]
    assert await read(processid="p", since=2) == ["p2"]
    assert await read(executorname="two") == ["q"]
    assert await read(colonyname="other", processid="p") == []
    store.delete_logs(processid="p")
    await store.writer.commit()
    assert await read(processid="p") == []
    store.delete_logs(colonyname="dev")
    await store.writer.commit()
    assert await read(processid="q") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [("step", ["step 1"]), ("%1", ["step 1"]), ("_tep", ["Step 2", "step 1"]), ("", ["Step 2", "step 1"]), ("x", [])],
)
async def test_a_search_gives_lines_with_the_text_the_oldest_first(store, text, found):
    for message, timestamp in (("step 1", 3), ("Step 2", 2), ("step 0, too old", 1)):
        store.add_log(line(message, timestamp))
    await store.writer.commit()
    assert [each.message for each in await store.search_logs("dev", text, 1, 9)] == found
    assert len(await store.search_logs("dev", text, 1, 1)) == min(1, len(found))


async def test_pages_that_are_free_are_given_back_to_the_disk(store, tmp_path):
    for number in range(300):
        store.add_log(line("x" * 10_000, number + 1))
    await store.writer.commit()
    await store.vacuum()
    pages = store.writer.connection.execute("PRAGMA page_count").fetchone()[0]
    store.delete_logs(processid="p")
    await store.writer.commit()
    await store.vacuum()
    assert store.writer.connection.execute("PRAGMA page_count").fetchone()[0] < pages / 4
    assert store.writer.connection.execute("PRAGMA freelist_count").fetchone()[0] == 0


@pytest.mark.parametrize("data", [b"no JSON", b'{"name":1}', b'"\xff"'])
async def test_an_object_that_cannot_be_read_is_named_as_damage(store, data):
    store.writer.execute("INSERT INTO objects VALUES ('colony', 'x', ?)", data)
    await store.writer.commit()
    with pytest.raises(EmbeddedError, match=r"colony\.db.*damaged"):
        await store.load()


async def test_a_file_without_one_of_its_tables_is_named(store):
    store.writer.execute("DROP TABLE objects")
    await store.writer.commit()
    with pytest.raises(EmbeddedError, match=r"colony\.db.*no such table: objects"):
        await store.load()
