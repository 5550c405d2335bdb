"""What survives: a SQLite file; how changes get there is `colony_jupyter.server.storage.group_commit`'s.

Objects are stored whole, as JSON, under kind and id; entries and log lines in tables of their own, since there are
many. With ``synchronous=NORMAL`` in WAL mode a crash of the process loses nothing that was committed; ``full`` adds a
sync per group, against power cuts.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import msgspec

from colony_jupyter.server.state.changes import note
from colony_jupyter.server.state.records import Executor, LogLine, Process, Workflow
from colony_jupyter.server.storage.archive import Archive
from colony_jupyter.server.storage.entries import Entries
from colony_jupyter.server.storage.group_commit import Writer
from colony_jupyter.server.storage.schema import damaged, open_again, open_database, open_for_reading, unusable
from colony_jupyter.wire.models import Colony, Function, ProcessState, User

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

T = TypeVar("T")

_VACUUM_PAGES: Final = 256
_LOG_COLUMNS: Final = "colonyname, processid, executorname, message, timestamp"


@dataclass(frozen=True)
class Contents:
    """All that was stored, except entries, log lines and processes in the archive.

    Attributes:
        archived: how many processes are there, by colony and state.
        last_archived: highest number of a submission there.
    """

    colonies: list[Colony]
    paused: list[str]
    users: list[User]
    executors: list[Executor]
    functions: list[Function]
    workflows: list[Workflow]
    processes: list[Process]
    archived: dict[tuple[str, ProcessState], int]
    last_archived: int


class Store:
    """The file of one embedded colony.

    Args:
        path: the file.
        durability: ``normal``, or ``full`` to sync every group.
        recover: called when a group could not be written, and awaited before anything else is written: what is in
            memory is ahead of the file then, also in what has gathered since, which is dropped.
    """

    def __init__(
        self, path: Path, durability: Literal["normal", "full"], recover: Callable[[], Awaitable[None]]
    ) -> None:
        self._path = path
        self._durability = durability
        self.writer = Writer(syncs=durability == "full", recover=recover)
        self._reading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="colony-store-reading")
        self._reader: sqlite3.Connection | None = None  # before `open` and after `close`
        self.archive = Archive(self.writer)
        self.entries = Entries(self.writer)

    # open and close

    async def open(self) -> None:
        """Open the file, making or migrating it.

        Raises:
            EmbeddedError: if it is damaged, of another program, or of a newer version; it is not touched then.
        """
        await self.writer.open(
            lambda: open_database(self._path, self._durability), lambda: open_again(self._path, self._durability)
        )
        self._reader = await self.writer.in_thread(lambda: open_for_reading(self._path))
        self.archive.open(await self.writer.in_thread(lambda: open_for_reading(self._path)))
        self.entries.open(await self.writer.in_thread(lambda: open_for_reading(self._path)))

    async def close(self) -> None:
        """Write what is left and close the file."""
        self._reading.shutdown()
        if self._reader is not None:
            self._reader.close()
        self._reader = None
        self.archive.close()
        self.entries.close()
        await self.writer.close()

    # writing

    def put(self, kind: str, key: str, value: Any) -> None:
        """Write an object; it replaces one with the same kind and key."""
        note()  # before encoding, which may fail: the object in memory has changed already
        # Not "or replace", which is a new row: lists come back in the order in which their objects came.
        self.writer.execute(
            "INSERT INTO objects VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET data = excluded.data",
            kind,
            key,
            msgspec.json.encode(value),
        )

    def delete(self, kind: str, key: str) -> None:
        """Delete an object."""
        self.writer.execute("DELETE FROM objects WHERE kind = ? AND id = ?", kind, key)

    def add_log(self, line: LogLine) -> None:
        """Write a log line."""
        self.writer.execute(
            "INSERT INTO logs (colonyname, processid, executorname, message, timestamp) VALUES (?, ?, ?, ?, ?)",
            line.colonyname,
            line.processid,
            line.executorname,
            line.message,
            line.timestamp,
        )

    def delete_logs(self, *, colonyname: str = "", processid: str = "") -> None:
        """Delete the log lines of a colony, or of a process."""
        if processid:
            self.writer.execute("DELETE FROM logs WHERE processid = ?", processid, slow=True)
        else:
            self.writer.execute("DELETE FROM logs WHERE colonyname = ?", colonyname, slow=True)

    async def vacuum(self) -> None:
        """Give pages that are not used any more back to the disk, in small steps between which others may write."""

        def step() -> bool:
            connection = self.writer.connection
            # Fetched, since each row that is stepped over frees one page.
            connection.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()
            (left,) = connection.execute("PRAGMA freelist_count").fetchone()
            return bool(left)

        while await self.writer.alone(step):
            pass

    # reading

    async def load(self) -> Contents:
        """Read all that was stored.

        Raises:
            EmbeddedError: if it cannot be read, or makes no sense.
        """
        return await self.writer.in_thread(self._load)

    def _load(self) -> Contents:
        connection = self.writer.connection

        def objects(kind: str, shape: type[T]) -> list[T]:
            decoder = msgspec.json.Decoder(shape)
            rows = connection.execute("SELECT data FROM objects WHERE kind = ? ORDER BY rowid", (kind,))
            return [decoder.decode(data) for (data,) in rows]

        try:
            return Contents(
                colonies=objects("colony", Colony),
                paused=objects("paused", str),
                users=objects("user", User),
                executors=objects("executor", Executor),
                functions=objects("function", Function),
                workflows=objects("workflow", Workflow),
                processes=objects("process", Process),
                archived={
                    (colonyname, ProcessState(state)): count
                    for colonyname, state, count in connection.execute(
                        "SELECT colonyname, state, number FROM closed_counts WHERE number > 0"
                    )
                },
                last_archived=connection.execute("SELECT ifnull(max(last), 0) FROM closed_counts").fetchone()[0],
            )
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise damaged(self._path, error) from error
        except sqlite3.OperationalError as error:
            raise unusable(self._path, error) from error
        except sqlite3.DatabaseError as error:
            raise damaged(self._path, error) from error

    async def logs(
        self, *, colonyname: str, processid: str = "", executorname: str = "", count: int, since: int, latest: bool
    ) -> list[LogLine]:
        """Read log lines of a process or of an executor, oldest first."""
        what, value = ("executorname", executorname) if executorname else ("processid", processid)
        order = "DESC" if latest else "ASC"
        rows = await self._rows(
            f"SELECT {_LOG_COLUMNS} FROM logs WHERE colonyname = ? AND {what} = ? AND timestamp > ? "  # noqa: S608 - names of ours
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
        rows = await self._rows(
            f"SELECT {_LOG_COLUMNS} FROM logs WHERE colonyname = ? AND timestamp > ? AND found(message) "  # noqa: S608 - likewise
            "ORDER BY timestamp, place LIMIT ?",
            colonyname,
            since,
            count,
            found=_finder(text),
        )
        return list(_lines(rows))

    async def _rows(
        self, query: str, *values: Any, found: Callable[[str], bool] | None = None
    ) -> list[tuple[Any, ...]]:
        # On a thread and a connection of its own: a long search blocks no other call, and sees what was acknowledged.
        def read() -> list[tuple[Any, ...]]:
            assert self._reader is not None  # noqa: S101 - nothing reads before `open`
            if found is not None:
                self._reader.create_function("found", 1, found)
            return self._reader.execute(query, values).fetchall()

        return await asyncio.get_running_loop().run_in_executor(self._reading, read)


def _finder(text: str) -> Callable[[str], bool]:
    """Return a test whether a line contains a text with wildcards; its time grows with the length of the line only."""
    parts = [
        re.compile("".join("." if letter == "_" else re.escape(letter) for letter in part), re.DOTALL)
        for part in text.split("%")
    ]

    def found(line: str) -> bool:
        place = 0
        for part in parts:  # the leftmost place of each leaves the most for those behind it
            match = part.search(line, place)
            if match is None:
                return False
            place = match.end()
        return True

    return found


def _lines(rows: list[tuple[Any, ...]]) -> Iterator[LogLine]:
    for colonyname, processid, executorname, message, timestamp in rows:
        yield LogLine(
            colonyname=colonyname,
            processid=processid,
            executorname=executorname,
            message=message,
            timestamp=timestamp,
        )
