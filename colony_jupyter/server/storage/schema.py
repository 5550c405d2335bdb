"""The database file of an embedded colony: made, recognised, brought up to date; what is not ours stays as it is."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from colony_jupyter.errors import EmbeddedError

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC: Final = b"SQLite format 3\0"
_HEADER: Final = 100
_APPLICATION_ID: Final = 0x434A5031  # "CJP1": whose file this is

MIGRATIONS: list[str] = [
    # 1: objects whole, as JSON, by kind and id; what there is many of in tables of its own. Objects have row numbers,
    # since without them whatever is beyond a quarter of a page takes another page: four times the file.
    """
    CREATE TABLE objects (kind TEXT NOT NULL, id TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (kind, id));
    CREATE TABLE entries (processid TEXT NOT NULL, channel TEXT NOT NULL, place INTEGER NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (processid, channel, place)) WITHOUT ROWID;
    CREATE TABLE logs (place INTEGER PRIMARY KEY, colonyname TEXT NOT NULL, processid TEXT NOT NULL,
        executorname TEXT NOT NULL, message TEXT NOT NULL, timestamp INTEGER NOT NULL);
    CREATE INDEX logs_by_process ON logs (processid, timestamp);
    CREATE INDEX logs_by_executor ON logs (colonyname, executorname, timestamp);
    """,
    # 2: closed processes in a table of their own, with what they are listed by; moved there by `Server.start`.
    """
    CREATE TABLE closed (id TEXT PRIMARY KEY, colonyname TEXT NOT NULL, state INTEGER NOT NULL, ended INTEGER NOT NULL,
        place INTEGER NOT NULL, submitted INTEGER NOT NULL, executortype TEXT NOT NULL, label TEXT NOT NULL,
        initiatorid TEXT NOT NULL, initiatorname TEXT NOT NULL, executorid TEXT NOT NULL, workflowid TEXT NOT NULL,
        data BLOB NOT NULL);
    CREATE INDEX closed_by_end ON closed (colonyname, state, ended DESC, place DESC, executortype, initiatorname, label,
        workflowid);
    CREATE TABLE attributes (id TEXT PRIMARY KEY, processid TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX attributes_by_process ON attributes (processid);
    """,
    # 3: the number of closed processes and their last place, maintained by triggers: counting them would make the
    # start longer with every process.
    """
    CREATE TABLE closed_counts (colonyname TEXT NOT NULL, state INTEGER NOT NULL, number INTEGER NOT NULL,
        last INTEGER NOT NULL, PRIMARY KEY (colonyname, state)) WITHOUT ROWID;
    INSERT INTO closed_counts SELECT colonyname, state, count(*), max(place) FROM closed GROUP BY colonyname, state;
    CREATE TRIGGER closed_added AFTER INSERT ON closed BEGIN
        INSERT INTO closed_counts VALUES (new.colonyname, new.state, 1, new.place)
        ON CONFLICT DO UPDATE SET number = number + 1, last = max(last, new.place);
    END;
    CREATE TRIGGER closed_removed AFTER DELETE ON closed BEGIN
        UPDATE closed_counts SET number = number - 1 WHERE colonyname = old.colonyname AND state = old.state;
    END;
    """,
]
"""What makes each schema version out of the one before; never changed once released, only added to."""

_WAL_BYTES: Final = 16 * 1024 * 1024


def open_database(path: Path, durability: Literal["normal", "full"]) -> sqlite3.Connection:
    """Open the file of a colony for writing; make it if there is none, migrate it if it is older.

    Args:
        path: the file.
        durability: ``normal``, or ``full`` to sync every commit to the disk.

    Raises:
        EmbeddedError: if it is damaged, of another program, or of a newer version; it is not touched then.
    """
    if not path.exists() or path.stat().st_size == 0:
        _make(path)
    _recognise(path)
    try:
        connection = _connect(path)
    except sqlite3.Error as error:
        raise unusable(path, error) from error
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        _configure(connection, durability)
        _migrate(connection)
    except sqlite3.Error as error:
        connection.close()
        raise _failure(path, error) from error
    return connection


def open_again(path: Path, durability: Literal["normal", "full"]) -> sqlite3.Connection:
    """Open the file of a colony, which `open_database` has opened, a second time for writing.

    Raises:
        EmbeddedError: if it cannot be opened.
    """
    try:
        connection = _connect(path)
        _configure(connection, durability)
    except sqlite3.Error as error:
        raise unusable(path, error) from error
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open the file of a colony, which is open for writing already, a second time.

    Raises:
        EmbeddedError: if it cannot be opened.
    """
    try:
        return _connect(path, "ro")
    except sqlite3.Error as error:
        raise unusable(path, error) from error


def damaged(path: Path, how: object) -> EmbeddedError:
    """Return the error for a damaged file."""
    return EmbeddedError(
        f"{path} is no database of the embedded colony, or is damaged ({how}). It was left as it is: to start with an "
        f"empty one, move {path.name}, {path.name}-wal and {path.name}-shm away together."
    )


def unusable(path: Path, why: object) -> EmbeddedError:
    """Return the error for a file that cannot be used at the moment, whatever its content."""
    return EmbeddedError(f"{path} cannot be used: {why}. Is the disk full, or the folder not yours to write to?")


def _failure(path: Path, error: sqlite3.Error) -> EmbeddedError:
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        return damaged(path, error)
    return unusable(path, error)


def _connect(path: Path, mode: str = "rw") -> sqlite3.Connection:
    # Threads take turns, for which `Writer` sees.
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    # Each page is checked when it is read. Checking the whole file at the start would take longer with every process.
    connection.execute("PRAGMA cell_size_check=ON")
    return connection


def _configure(connection: sqlite3.Connection, durability: Literal["normal", "full"]) -> None:
    connection.execute(f"PRAGMA synchronous={'FULL' if durability == 'full' else 'NORMAL'}")
    connection.execute(f"PRAGMA journal_size_limit={_WAL_BYTES}")


def _make(path: Path) -> None:
    """Make an empty database beside, complete, and put it in place: half of one is never seen."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        os.close(os.open(fresh, os.O_CREAT | os.O_WRONLY, 0o600))
        with contextlib.closing(_connect(fresh)) as connection:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # before anything is in it, or never
            connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
            _migrate(connection)
        _set_aside(path)
        fresh.replace(path)
    except (sqlite3.Error, OSError) as error:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise unusable(path, error) from error


def _set_aside(path: Path) -> None:
    """Rename a log that belonged to a database which was moved away: SQLite would replay it into the new one."""
    for suffix in ("-wal", "-shm"):
        stale = path.with_name(f"{path.name}{suffix}")
        if stale.exists():
            stale.replace(path.with_name(f"{path.name}.{secrets.token_hex(4)}.stale{suffix}"))


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date, all steps in one transaction."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version < len(MIGRATIONS):
        steps = "".join(MIGRATIONS[version:])
        try:
            connection.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version={len(MIGRATIONS)}; COMMIT;")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _recognise(path: Path) -> None:
    """Refuse a file that is not ours, newer or damaged, without writing to it."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
    except OSError as error:
        raise unusable(path, error) from error
    # Read by ourselves: SQLite, were it to open it, might roll back or move into it what another program has begun.
    if len(header) < _HEADER or not header.startswith(_MAGIC):
        raise damaged(path, "file is not a database")
    if int.from_bytes(header[68:72], "big") != _APPLICATION_ID:
        raise EmbeddedError(f"{path} belongs to another program. It was left as it is: use another data folder.")
    _refuse_newer(path, int.from_bytes(header[60:64], "big"))
    try:
        # Closing one that only reads leaves file and log as they are.
        with contextlib.closing(_connect(path, "ro")) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        raise _failure(path, error) from error
    _refuse_newer(path, version)


def _refuse_newer(path: Path, version: int) -> None:
    if version > len(MIGRATIONS):
        raise EmbeddedError(
            f"{path} was written by a newer version of colony_jupyter (schema {version}, this one knows "
            f"{len(MIGRATIONS)}). It was left as it is: upgrade, or use another data folder."
        )
