"""A new database is never mixed with the log of another, and its start does not depend on its size."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3

import pytest

from colony_jupyter.errors import EmbeddedError
from colony_jupyter.server.server import DATABASE
from colony_jupyter.server.storage import schema
from colony_jupyter.wire import messages as m


def logs(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(("-wal", "-shm")))


async def test_the_log_of_a_database_that_was_moved_away_is_not_replayed(world, make_world, tmp_path):
    await world.submit()
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
        shutil.copy(tmp_path / name, crashed / name)  # as a kill of the process leaves them
    (crashed / DATABASE).rename(crashed / "colony.db.damaged")
    old = (crashed / f"{DATABASE}-wal").read_bytes()
    assert old
    new = make_world(crashed)
    await new.server.start()
    try:
        assert not new.server.colonies
        await new.colony("dev")
        await new.restart()
        assert list(new.server.colonies) == ["dev"]
    finally:
        await new.server.stop()
    with contextlib.closing(sqlite3.connect(crashed / DATABASE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    (kept,) = [path for path in crashed.iterdir() if path.name.endswith(".stale-wal")]
    assert kept.read_bytes() == old


def test_the_message_names_all_three_files(tmp_path):
    path = tmp_path / DATABASE
    path.write_text("something else altogether\n" * 10)
    with pytest.raises(EmbeddedError) as refused:
        schema.open_database(path, "normal")
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
        assert f"{name} " in str(refused.value)
    assert not logs(tmp_path)


async def test_a_newer_version_that_only_the_log_shows_is_refused(world, tmp_path):
    newer = tmp_path / "newer"
    newer.mkdir()
    world.server.store.writer.connection.execute("PRAGMA user_version=99")
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
        shutil.copy(tmp_path / name, newer / name)
    world.server.store.writer.connection.execute(f"PRAGMA user_version={len(schema.MIGRATIONS)}")
    assert int.from_bytes((newer / DATABASE).read_bytes()[60:64], "big") < 99
    before = (newer / DATABASE).read_bytes()
    with pytest.raises(EmbeddedError, match=r"newer version of colony_jupyter \(schema 99"):
        schema.open_database(newer / DATABASE, "normal")
    assert (newer / DATABASE).read_bytes() == before


async def _steps(world, monkeypatch):
    """Count steps of SQLite's machine during a start."""
    counted = []
    connect = schema._connect

    def counting(path, mode="rw"):
        connection = connect(path, mode)
        connection.set_progress_handler(lambda: counted.append(1), 50)
        return connection

    with monkeypatch.context() as patched:
        patched.setattr(schema, "_connect", counting)
        await world.restart()
    return len(counted)


async def test_the_start_is_not_slower_with_more_closed_processes(world, monkeypatch):
    await world.executor("one")

    async def close(number):
        for _ in range(number):
            pid = await world.submit()
            await world.assign("one")
            await world.call(m.CloseSuccessful(processid=pid), "one")

    await close(5)
    few = await _steps(world, monkeypatch)
    await close(300)
    many = await _steps(world, monkeypatch)
    assert many <= few + 3
    found = await world.call(m.GetColonyStatistics(colonyname="dev"), "ann")
    assert found["successfulprocesses"] == 305
