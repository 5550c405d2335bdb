"""Group commit: replies and notifications are sent only after their transaction has committed.

In WAL mode with ``synchronous=NORMAL`` a commit waits for no disk: the event loop itself writes the statements of one
of its turns, in a fraction of the time of handing it to a thread. What can last long, syncs, checkpoints, large
groups and whatever has gone wrong, is done by a thread, while the next group gathers.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import sqlite3
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from colony_jupyter.server.state.changes import note

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

_log = logging.getLogger("colony_jupyter.server")

_Statement = tuple[str, tuple[Any, ...]]

_QUICK_STATEMENTS: Final = 100
_QUICK_BYTES: Final = 256 * 1024
_CHECKPOINT_PAGES: Final = 4000
_PAGE: Final = 4096
_BUSY_MS: Final = 5000
"""How long the thread waits for another process that has locked the file; the event loop does not wait at all."""


class Unwritten(Exception):
    """A group of changes that could not be written; ``str()`` is the reason."""


@dataclass
class _Group:
    """Changes that are written in one transaction, with their waiters and the callbacks after the commit.

    Attributes:
        size: bytes, about.
        slow: whether something in it may last long.
    """

    statements: list[_Statement] = field(default_factory=list)
    after: list[Callable[[], None]] = field(default_factory=list)
    waiters: list[asyncio.Future[None]] = field(default_factory=list)
    size: int = 0
    slow: bool = False

    def __bool__(self) -> bool:
        return bool(self.statements or self.after)

    @property
    def is_quick(self) -> bool:
        return not self.slow and len(self.statements) <= _QUICK_STATEMENTS and self.size <= _QUICK_BYTES

    def wait(self) -> asyncio.Future[None]:
        waiter = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        return waiter

    def succeed(self) -> None:
        # Here and not in the waiters: they may have been cancelled, but the change is made.
        for notify in self.after:
            try:
                notify()
            except Exception:  # noqa: BLE001 - the transaction has committed: the others are still notified
                _log.exception("A callback after a commit failed.")
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)

    def fail(self, reason: str) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(Unwritten(reason))
                waiter.exception()  # retrieved, in case the waiter is cancelled before it can


class Writer:
    """Writes to a database.

    Args:
        syncs: whether every commit waits for the disk.
        recover: called when a group could not be written, and awaited before anything else is written: what is in
            memory is ahead of the file then, also in what has gathered since, which is dropped.
    """

    def __init__(self, *, syncs: bool, recover: Callable[[], Awaitable[None]]) -> None:
        self._syncs = syncs
        self._recover = recover
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="colony-store")
        # Both None before `open` and after `close`.
        self._connection: sqlite3.Connection | None = None
        self._beside: sqlite3.Connection | None = None
        self._gathering = _Group()
        self._writing: _Group | None = None  # the group that the thread has, or the mending is about
        self._jobs: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()
        self._soon: asyncio.Handle | None = None
        self._working: asyncio.Task[None] | None = None
        self._in_log = 0  # pages since the last checkpoint, about
        self._checkpointing: asyncio.Task[None] | None = None

    # open and close

    async def open(self, connect: Callable[[], sqlite3.Connection], again: Callable[[], sqlite3.Connection]) -> None:
        """Make a connection to write by, and then another for checkpoints."""
        self._connection = await self.in_thread(connect)
        self._beside = await self.in_thread(again)
        for connection in (self._connection, self._beside):
            connection.execute("PRAGMA busy_timeout=0")
            connection.execute("PRAGMA wal_autocheckpoint=0")  # it would come in the middle of a commit

    async def close(self) -> None:
        """Write what is left and close the connections."""
        if self._connection is not None:
            await self.alone(lambda: None)
        if self._checkpointing is not None:
            await asyncio.gather(self._checkpointing, return_exceptions=True)
        for connection in (self._beside, self._connection):
            if connection is not None:
                await self.in_thread(connection.close)
        self._beside = self._connection = None
        self._thread.shutdown()

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection that is written by."""
        assert self._connection is not None  # noqa: S101 - nothing reads or writes before `open`
        return self._connection

    # statements

    def execute(self, statement: str, *values: Any, slow: bool = False) -> None:
        """Execute a statement with the next group; ``slow`` if it may last more than a moment."""
        note()
        group = self._gathering
        group.statements.append((statement, values))
        group.slow = group.slow or slow
        for value in values:
            if isinstance(value, (bytes, str)):
                group.size += len(value)

    def after(self, callback: Callable[[], None]) -> None:
        """Call something once all statements so far are on disk; never if they cannot be written."""
        note()
        self._gathering.after.append(callback)

    async def commit(self) -> None:
        """Wait until all statements so far, of all callers, are on disk.

        Raises:
            Unwritten: if it cannot be written; nothing of the group is then.
        """
        group = self._gathering or self._writing
        if group is not None:
            self._begin()
            await group.wait()

    async def abandon(self, reason: str) -> None:
        """Drop what was queued since the last group and restore the state: a call has left it half-done."""
        dropped, self._gathering = self._gathering, _Group()
        if self._working is not None:
            await asyncio.gather(self._working, return_exceptions=True)
        dropped.fail(reason)
        await self._recover()

    # writing

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Call something in the thread; while it uses `connection` nothing else may write."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def alone(self, work: Callable[[], T]) -> T:
        """Call something in the thread after all statements so far were written; new ones are collected meanwhile."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.append((work, done))
        self._begin()
        return await done

    def _begin(self) -> None:
        if self._soon is None and self._working is None and (self._gathering or self._jobs):
            # Not at once: what other calls queue in this turn of the loop is written along.
            self._soon = asyncio.get_running_loop().call_soon(self._write_soon)

    def _write_soon(self) -> None:
        self._soon = None
        if self._syncs or self._jobs or not self._gathering.is_quick:
            self._working = asyncio.get_running_loop().create_task(self._work())
            return
        group, self._gathering = self._gathering, _Group()
        try:
            self._write(group)
        except Exception:  # noqa: BLE001 - whatever it is, the thread has the patience to see whether it lasts
            self._writing = group  # from now on: no reply may show what is in memory only
            self._working = asyncio.get_running_loop().create_task(self._work(group))
        else:
            self._confirm(group)

    async def _work(self, begun: _Group | None = None) -> None:
        """Write group after group in the thread, and do jobs between them."""
        try:
            if begun is not None:
                await self._write_in_thread(begun)
            while self._gathering or self._jobs:
                if self._gathering:
                    group, self._gathering = self._gathering, _Group()
                    await self._write_in_thread(group)
                else:
                    await self._do(*self._jobs.popleft())
        finally:
            self._working = None

    async def _write_in_thread(self, group: _Group) -> None:
        self._writing = group
        try:
            await self.in_thread(functools.partial(self._write_patiently, group))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not on disk
            # What has gathered meanwhile was made of what is not on disk.
            gathered, self._gathering = self._gathering, _Group()
            await self._recover()
            for each in (group, gathered):
                each.fail(str(error))
        else:
            self._confirm(group)
        finally:
            self._writing = None

    async def _do(self, work: Callable[[], Any], done: asyncio.Future[Any]) -> None:
        try:
            result = await self.in_thread(work)
        except Exception as error:  # noqa: BLE001 - it belongs to the waiter
            if not done.done():
                done.set_exception(error)
        else:
            if not done.done():
                done.set_result(result)

    def _write_patiently(self, group: _Group) -> None:
        self.connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        try:
            self._write(group)
        finally:
            self.connection.execute("PRAGMA busy_timeout=0")

    def _write(self, group: _Group) -> None:
        connection = self.connection
        if len(group.statements) == 1:
            connection.execute(*group.statements[0])  # a transaction of its own
        elif group.statements:
            connection.execute("BEGIN IMMEDIATE")
            try:
                for statement, values in group.statements:
                    connection.execute(statement, values)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        self._in_log += len(group.statements) + group.size // _PAGE + 1

    def _confirm(self, group: _Group) -> None:
        group.succeed()
        if self._in_log >= _CHECKPOINT_PAGES and (self._checkpointing is None or self._checkpointing.done()):
            self._in_log = 0
            self._checkpointing = asyncio.get_running_loop().create_task(self._checkpoint())

    async def _checkpoint(self) -> None:
        """Move the log into the file, most of it while others write on, or it would grow for ever."""
        # A full disk, or a long read: the log grows, and after as many pages it is tried again.
        with contextlib.suppress(sqlite3.Error):
            await self.in_thread(lambda: _move_log(self._beside or self.connection))
            await self.alone(self._finish_log)

    def _finish_log(self) -> None:
        _move_log(self.connection)
        # The next commit begins the log anew, for which it waits for the disk: let it be one of the thread's.
        (version,) = self.connection.execute("PRAGMA user_version").fetchone()
        self.connection.execute(f"PRAGMA user_version={version}")


def _move_log(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
