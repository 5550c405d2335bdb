"""What survives: a SQLite file, written by one thread in groups; nobody is answered before his group is on disk.

Objects are kept whole, as msgpack, under kind and id; entries and log lines in tables of their own, since there are
many. With ``synchronous=NORMAL`` in WAL mode a crash of the process loses nothing that was committed; ``full`` adds a
sync per group, against power cuts.
"""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import msgspec

from colony_jupyter.errors import EmbeddedError
from colony_jupyter.server.channels import StoredEntry
from colony_jupyter.server.state import LogLine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

T = TypeVar("T")

_APPLICATION_ID: Final = 0x434A5031  # "CJP1": whose file this is
_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE objects (kind TEXT NOT NULL, id TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE entries (processid TEXT NOT NULL, channel TEXT NOT NULL, place INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (processid, channel, place)) WITHOUT ROWID;
CREATE TABLE logs (place INTEGER PRIMARY KEY, colonyname TEXT NOT NULL, processid TEXT NOT NULL,
    executorname TEXT NOT NULL, message TEXT NOT NULL, timestamp INTEGER NOT NULL);
CREATE INDEX logs_by_process ON logs (processid, timestamp);
CREATE INDEX logs_by_executor ON logs (colonyname, executorname, timestamp);
"""

_Statement = tuple[str, tuple[Any, ...]]


class Store:
    """The file of one embedded colony.

    Args:
        path: the file.
        durability: ``normal``, or ``full`` to sync every group.
    """

    def __init__(self, path: Path, durability: Literal["normal", "full"]) -> None:
        self._path = path
        self._durability = durability
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="colony-store")
        self._connection: sqlite3.Connection | None = None  # None before `open` and after `close`
        self._group: list[_Statement] = []  # since the last group was handed to the thread
        self._waiting: asyncio.Future[None] | None = None  # for the group that gathers now
        self._writer: asyncio.Task[None] | None = None

    # life

    async def open(self) -> None:
        """Open the file, making or migrating it.

        Raises:
            EmbeddedError: if it is damaged, of another program, or of a newer version; it is not touched then.
        """
        await self._in_thread(self._open)

    async def close(self) -> None:
        """Write what is left and close the file."""
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)
        await self._in_thread(self._close)
        self._thread.shutdown()

    def _open(self) -> None:
        try:
            connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        except sqlite3.DatabaseError as error:
            raise EmbeddedError(
                f"{self._path} is no database of the embedded colony, or is damaged ({error}). It was left as it is: "
                "move it away to start with an empty one."
            ) from error
        if tables and application != _APPLICATION_ID:
            connection.close()
            raise EmbeddedError(
                f"{self._path} belongs to another program. It was left as it is: use another data folder."
            )
        if version > _VERSION:
            connection.close()
            raise EmbeddedError(
                f"{self._path} was written by a newer version of colony_jupyter (schema {version}, this one knows "
                f"{_VERSION}). It was left as it is: upgrade, or use another data folder."
            )
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={'FULL' if self._durability == 'full' else 'NORMAL'}")
            if not tables:
                connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
                connection.executescript(
                    f"BEGIN; {_SCHEMA} PRAGMA application_id={_APPLICATION_ID}; PRAGMA user_version={_VERSION}; COMMIT;"
                )
            broken = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.DatabaseError as error:
            connection.close()
            raise EmbeddedError(f"{self._path} cannot be used: {error}.") from error
        if broken != "ok":
            connection.close()
            raise EmbeddedError(
                f"{self._path} is damaged ({broken}). It was left as it is: move it away to start with an empty one."
            )
        self._connection = connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _in_thread(self, work: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # writing

    def put(self, kind: str, key: str, value: Any) -> None:
        """Keep an object."""
        self._say("INSERT OR REPLACE INTO objects VALUES (?, ?, ?)", kind, key, msgspec.msgpack.encode(value))

    def delete(self, kind: str, key: str) -> None:
        """Keep an object no longer."""
        self._say("DELETE FROM objects WHERE kind = ? AND id = ?", kind, key)

    def add_entry(self, processid: str, channel: str, place: int, entry: StoredEntry) -> None:
        """Keep a channel entry; ``place`` counts arrivals."""
        self._say("INSERT INTO entries VALUES (?, ?, ?, ?)", processid, channel, place, msgspec.msgpack.encode(entry))

    def delete_entries(self, processid: str) -> None:
        """Keep the entries of a process no longer."""
        self._say("DELETE FROM entries WHERE processid = ?", processid)

    def add_log(self, line: LogLine) -> None:
        """Keep a log line."""
        self._say(
            "INSERT INTO logs (colonyname, processid, executorname, message, timestamp) VALUES (?, ?, ?, ?, ?)",
            line.colonyname,
            line.processid,
            line.executorname,
            line.message,
            line.timestamp,
        )

    def delete_logs(self, *, colonyname: str = "", processid: str = "") -> None:
        """Keep the log lines of a colony, or of a process, no longer."""
        if processid:
            self._say("DELETE FROM logs WHERE processid = ?", processid)
        else:
            self._say("DELETE FROM logs WHERE colonyname = ?", colonyname)

    async def commit(self) -> None:
        """Wait until everything said so far is on disk.

        Raises:
            sqlite3.Error: if it cannot be written; nothing of the group is then.
        """
        if not self._group and self._waiting is None:
            return
        loop = asyncio.get_running_loop()
        if self._waiting is None:
            self._waiting = loop.create_future()
        waiting = self._waiting
        if self._writer is None:
            self._writer = loop.create_task(self._write_groups())
        await asyncio.shield(waiting)

    def forget_unwritten(self) -> None:
        """Drop what was said since the last group; who waits for it is told."""
        self._group = []
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.set_exception(sqlite3.OperationalError("an earlier change could not be written"))
            waiting.exception()

    def _say(self, statement: str, *values: Any) -> None:
        self._group.append((statement, values))

    async def _write_groups(self) -> None:
        """Write group after group; while one is written, the next gathers."""
        try:
            while self._waiting is not None:
                group, self._group = self._group, []
                waiting, self._waiting = self._waiting, None
                try:
                    await self._in_thread(lambda group=group: self._write(group))
                except sqlite3.Error as error:
                    waiting.set_exception(error)
                    waiting.exception()  # looked at, in case everybody who waited has gone
                else:
                    waiting.set_result(None)
        finally:
            self._writer = None

    def _write(self, group: list[_Statement]) -> None:
        connection = self._connection
        assert connection is not None  # noqa: S101 - nobody writes before `open`
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement, values in group:
                connection.execute(statement, values)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    # reading

    async def objects(self, kind: str, shape: type[T]) -> list[T]:
        """Read all objects of a kind."""
        rows = await self._rows("SELECT data FROM objects WHERE kind = ?", kind)
        return [msgspec.msgpack.decode(data, type=shape) for (data,) in rows]

    async def entries(self, processid: str) -> dict[str, list[StoredEntry]]:
        """Read the entries of a process by channel, in the order they arrived."""
        logs: dict[str, list[StoredEntry]] = {}
        query = "SELECT channel, data FROM entries WHERE processid = ? ORDER BY channel, place"
        for channel, data in await self._rows(query, processid):
            logs.setdefault(channel, []).append(msgspec.msgpack.decode(data, type=StoredEntry))
        return logs

    async def logs(
        self, *, colonyname: str, processid: str = "", executorname: str = "", count: int, since: int, latest: bool
    ) -> list[LogLine]:
        """Read log lines of a process or of an executor, oldest first."""
        what, value = ("executorname", executorname) if executorname else ("processid", processid)
        order = "DESC" if latest else "ASC"
        rows = await self._rows(
            f"SELECT {_LOG} FROM logs WHERE colonyname = ? AND {what} = ? AND timestamp > ? "  # noqa: S608 - names of ours
            f"ORDER BY timestamp {order}, place {order} LIMIT ?",
            colonyname,
            value,
            since,
            count,
        )
        lines = list(_lines(rows))
        return lines[::-1] if latest else lines

    async def search_logs(self, colonyname: str, text: str, since: int, count: int) -> list[LogLine]:
        """Search log lines; case counts, ``%`` and ``_`` are wildcards."""
        glob = "*" + "".join(_GLOB.get(letter, letter) for letter in text) + "*"
        rows = await self._rows(
            f"SELECT {_LOG} FROM logs WHERE colonyname = ? AND timestamp > ? AND message GLOB ? "  # noqa: S608 - likewise
            "ORDER BY timestamp, place LIMIT ?",
            colonyname,
            since,
            glob,
            count,
        )
        return list(_lines(rows))

    async def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        # On the one thread, behind whatever is being written: a reader sees what was acknowledged.
        def read() -> list[tuple[Any, ...]]:
            assert self._connection is not None  # noqa: S101 - nobody reads before `open`
            return self._connection.execute(query, values).fetchall()

        rows: list[tuple[Any, ...]] = await self._in_thread(read)
        return rows


_LOG: Final = "colonyname, processid, executorname, message, timestamp"
_GLOB: Final = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}


def _lines(rows: list[tuple[Any, ...]]) -> Iterator[LogLine]:
    for colonyname, processid, executorname, message, timestamp in rows:
        yield LogLine(
            colonyname=colonyname,
            processid=processid,
            executorname=executorname,
            message=message,
            timestamp=timestamp,
        )
