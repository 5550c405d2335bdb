"""The writer of the embedded colony: a change whose callback was called is on disk, also after a failure."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
import threading

import pytest

from colony_jupyter.server.storage import group_commit
from colony_jupyter.server.storage.group_commit import Unwritten, Writer
from colony_jupyter.server.storage.schema import open_again, open_database


class Book:
    """A writer with a table of numbers, and a second connection that reads the file."""

    def __init__(self, path, durability="normal") -> None:
        self.path = path
        self.durability = durability
        self.mended = 0
        self.writer = Writer(syncs=durability == "full", recover=self.recover)

    async def recover(self):
        self.mended += 1

    async def open(self):
        await self.writer.open(
            lambda: open_database(self.path, self.durability), lambda: open_again(self.path, self.durability)
        )
        self.beside = sqlite3.connect(self.path, isolation_level=None)

    async def close(self):
        self.beside.close()
        await self.writer.close()

    def add(self, number, size=10, *, slow=False):
        self.writer.execute("INSERT INTO logs VALUES (?, '', '', '', ?, 0)", number, "x" * size, slow=slow)

    def has(self, number):
        return self.beside.execute("SELECT 1 FROM logs WHERE place = ?", (number,)).fetchone() is not None

    def on_disk(self):
        return {number for (number,) in self.beside.execute("SELECT place FROM logs")}


@pytest.fixture(params=["normal", "full"])
async def book(request, tmp_path):
    made = Book(tmp_path / "colony.db", request.param)
    await made.open()
    yield made
    await made.close()


async def test_what_is_answered_is_on_disk(book):
    """Many at once, some cancelled, some large, some slow, with jobs and checkpoints between."""
    chance = random.Random(4)
    notified = []

    async def one(number):
        for turn in range(chance.randrange(4)):
            await asyncio.sleep(0 if turn else 0.001 * chance.randrange(300))
        size = chance.choice([*[10] * 50, 5000, group_commit._QUICK_BYTES])
        book.add(number, size, slow=chance.random() < 0.01)
        book.writer.after(lambda: notified.append((number, book.has(number))))
        await book.writer.commit()
        assert book.has(number)
        if number % 50 == 0:
            assert number in await book.writer.alone(book.on_disk_of_the_writer)

    def on_disk_of_the_writer():
        return {number for (number,) in book.writer.connection.execute("SELECT place FROM logs")}

    book.on_disk_of_the_writer = on_disk_of_the_writer
    tasks = [asyncio.create_task(one(number)) for number in range(300)]
    await asyncio.sleep(0.1)
    for task in tasks[::7]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(result) for result in results} <= {type(None), asyncio.CancelledError}
    assert all(there for _, there in notified)
    assert {number for number, _ in notified} == book.on_disk()
    assert not book.mended


async def test_a_group_waits_for_the_disk_only_if_asked_to(book):
    for connection in (book.writer.connection, book.writer._beside):
        (level,) = connection.execute("PRAGMA synchronous").fetchone()
        assert level == (2 if book.durability == "full" else 1)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    threads = set()
    write = book.writer._write

    def noting(group):
        threads.add(threading.current_thread())
        write(group)

    book.writer._write = noting
    book.add(1)
    await book.writer.commit()
    assert (threading.main_thread() in threads) == (book.durability == "normal")


async def test_the_log_of_the_database_stays_bounded(book, monkeypatch):
    monkeypatch.setattr(group_commit, "_CHECKPOINT_PAGES", 100)
    log = book.path.with_name("colony.db-wal")
    for number in range(3000):
        book.add(number, 2000)
        await book.writer.commit()
        if number % 200 == 0 and book.writer._checkpointing is not None:
            await book.writer._checkpointing  # a disk may be slow
    # Three thousand lines of 2 kB would fill a log of 57 MB.
    assert log.stat().st_size < 10_000_000
    assert len(book.on_disk()) == 3000


async def test_a_long_read_delays_no_write(book, monkeypatch):
    monkeypatch.setattr(group_commit, "_CHECKPOINT_PAGES", 50)
    with contextlib.closing(sqlite3.connect(book.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM logs").fetchone() == (0,)
        for number in range(300):
            book.add(number, 2000)
            await book.writer.commit()
        assert len(book.on_disk()) == 300
        assert reader.execute("SELECT count(*) FROM logs").fetchone() == (0,)


async def test_only_the_thread_waits_for_a_file_that_is_locked(book):
    with contextlib.closing(sqlite3.connect(book.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        book.add(1)
        waiting = asyncio.create_task(book.writer.commit())
        turns = 0
        async with asyncio.timeout(5):
            while turns < 50:  # the loop goes round
                await asyncio.sleep(0.001)
                turns += 1
        assert not waiting.done()
        other.execute("COMMIT")
        await asyncio.wait_for(waiting, 5)
    assert book.on_disk() == {1}
    assert not book.mended


async def test_what_cannot_be_written_fails_for_all_that_wait_and_is_repaired_before(book):
    book.add(1)
    await book.writer.commit()
    book.add(1)  # there is one already
    known = []
    recover = book.recover

    async def slowly():
        await asyncio.sleep(0.01)
        assert not known
        await recover()

    book.writer._recover = slowly

    async def wait():
        with pytest.raises(Unwritten, match="UNIQUE"):
            await book.writer.commit()
        known.append(True)

    async def later():
        while book.writer._writing is None:  # noqa: ASYNC110 - no event announces it
            await asyncio.sleep(0)
        await wait()  # it has executed nothing, but may report what it has read
        book.add(3)
        await book.writer.commit()

    book.add(2)
    await asyncio.gather(wait(), wait(), later())
    assert book.mended == 1
    assert book.on_disk() == {1, 3}


@contextlib.asynccontextmanager
async def held(book):
    """Hold the thread up before it writes; yields a function that lets it go on."""
    begun, go, write = threading.Event(), threading.Event(), book.writer._write

    def slowly(group):
        begun.set()
        assert go.wait(10)
        write(group)

    book.writer._write = slowly
    book.add(1, slow=True)  # so that the thread has it
    first = asyncio.create_task(book.writer.commit())
    assert await asyncio.to_thread(begun.wait, 10)
    try:
        yield first, go.set
    finally:
        go.set()
        await asyncio.gather(first, return_exceptions=True)


async def test_what_has_gathered_behind_a_group_that_fails_fails_too(book):
    book.beside.execute("INSERT INTO logs VALUES (1, '', '', '', '', 0)")  # what is written next is there already
    async with held(book) as (first, go_on):
        book.add(2)
        second = asyncio.create_task(book.writer.commit())
        await asyncio.sleep(0)
        go_on()
        for each in (first, second):
            with pytest.raises(Unwritten, match="UNIQUE"):
                await asyncio.wait_for(each, 5)
    assert book.on_disk() == {1}
    assert book.mended == 1


async def test_what_a_failed_call_has_queued_is_dropped_once_the_group_before_it_is_written(book):
    async with held(book) as (first, go_on):
        book.add(2)
        abandoning = asyncio.create_task(book.writer.abandon("a call failed"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not book.mended
        go_on()
        await asyncio.wait_for(abandoning, 5)
        await first
    assert (book.mended, book.on_disk()) == (1, {1})


async def test_the_log_is_moved_once_for_so_many_pages_and_the_thread_begins_it_anew(book, monkeypatch):
    monkeypatch.setattr(group_commit, "_CHECKPOINT_PAGES", 100)
    log = book.path.with_name("colony.db-wal")
    moved, checkpoint = [], book.writer._checkpoint

    async def counting():
        before = log.read_bytes()[16:24]  # salt of the log, which changes as it begins anew
        await checkpoint()
        moved.append(log.read_bytes()[16:24] != before)

    monkeypatch.setattr(book.writer, "_checkpoint", counting)
    for number in range(500):
        book.add(number)
        await book.writer.commit()
        if book.writer._checkpointing is not None:
            await book.writer._checkpointing
    assert 3 <= len(moved) <= 12  # for a thousand pages, about
    assert all(moved)


async def test_what_was_queued_before_the_end_is_written(tmp_path):
    book = Book(tmp_path / "colony.db")
    await book.open()
    for number in range(10):
        book.add(number)
    assert not book.on_disk()
    await book.writer.close()
    assert book.on_disk() == set(range(10))
    book.beside.close()


async def test_a_callback_that_fails_holds_up_neither_its_group_nor_the_others(book, caplog):
    ran = []
    book.add(1)
    book.writer.after(lambda: ran.append("first"))
    book.writer.after(lambda: ran.index("missing"))
    book.writer.after(lambda: ran.append("last"))
    with caplog.at_level("ERROR"):
        await asyncio.wait_for(book.writer.commit(), 5)
    assert ran == ["first", "last"]
    assert book.has(1)
    assert "A callback after a commit failed" in caplog.text
    book.add(2)
    await asyncio.wait_for(book.writer.commit(), 5)
    assert book.has(2)
    assert book.mended == 0
