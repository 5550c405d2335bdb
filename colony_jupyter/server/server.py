"""The embedded colony: state in memory and in a store; calls change it, and are answered once that is on disk."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from colony_jupyter.errors import EmbeddedError
from colony_jupyter.server.api import encoding
from colony_jupyter.server.errors import Refused, denied_member
from colony_jupyter.server.state.changes import track
from colony_jupyter.server.state.channel_logs import ChannelLogs
from colony_jupyter.server.state.colony_state import ColonyState
from colony_jupyter.server.state.quantities import DAY
from colony_jupyter.server.state.transitions import Transitions
from colony_jupyter.server.state.waiters import Waiters
from colony_jupyter.server.storage.group_commit import Unwritten
from colony_jupyter.server.storage.store import Store
from colony_jupyter.wire.models import Colony, ProcessState, User

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from colony_jupyter.server.state.records import Executor, Process, Workflow
    from colony_jupyter.server.storage.store import Contents

T = TypeVar("T")

DATABASE: Final = "colony.db"

_TICK: Final = 1.0
_STALE_EVERY: Final = 60.0
_PRUNE_EVERY: Final = 600.0
_PRUNED_AT_ONCE: Final = 500

_log = logging.getLogger("colony_jupyter.server")


class Server(Transitions):
    """One embedded colony server.

    Args:
        data: folder of its database.
        serverid: id of the server owner's key.
        limits: whether appends are limited as on a real server.
        durability: ``full`` syncs every group of commits to the disk.
        keep_days: days for which closed processes are kept; None for ever.
        clock: Unix nanoseconds.
        random_bytes: randomness of ids.
    """

    def __init__(
        self,
        data: Path,
        *,
        serverid: str,
        limits: bool = True,
        durability: Literal["normal", "full"] = "normal",
        keep_days: float | None = None,
        clock: Callable[[], int] = time.time_ns,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self.serverid = serverid
        self.store = Store(data / DATABASE, durability, self._recover)
        self.waiters = Waiters()
        self.colonies: dict[str, ColonyState] = {}
        self.stopping = asyncio.Event()
        self._limits = limits
        self._keep_days = keep_days
        self._clock = clock
        self._random_bytes = random_bytes
        self._homes: dict[str, str] = {}  # process or workflow -> colony
        self._order = 0
        self._loops: list[asyncio.Task[None]] = []
        self._whole = asyncio.Event()  # cleared while the state is read from disk
        self._unreadable = ""  # why it could not be read; empty if it could
        self.channels = ChannelLogs(self.store.entries, limits=limits)

    # start and stop

    async def start(self) -> None:
        """Open the database, read the state, begin to watch deadlines.

        Raises:
            EmbeddedError: if the database cannot be used.
        """
        await self.store.open()
        self._load(await self.store.load())
        self.archive_all()
        await self.commit()
        self._loops = [
            asyncio.create_task(self._every(_TICK, self._expire)),
            asyncio.create_task(self._every(_STALE_EVERY, self._remove_stale_executors)),
        ]
        if self._keep_days is not None:
            # At once, too: a colony that is never up for that long would never be pruned.
            self._loops.append(asyncio.create_task(self._every(_PRUNE_EVERY, self._prune, first=0)))

    async def stop(self) -> None:
        """End long polls and subscriptions, write what is left, close the database."""
        self.stopping.set()
        self.waiters.wake_all()
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self.store.close()

    async def ensure_colony(self, name: str, colonyid: str) -> None:
        """Create a colony unless it exists."""
        if name not in self.colonies:
            self.add_colony(Colony(name=name, colonyid=colonyid))
            await self.commit()

    async def ensure_user(self, colonyname: str, userid: str, name: str) -> None:
        """Create a user of a colony unless it exists."""
        colony = self.colonies[colonyname]
        if not colony.is_user(userid):
            self.add_user(colony, User(colonyname=colonyname, userid=userid, name=name))
            await self.commit()

    async def commit(self) -> None:
        """Wait until all changes made so far, also by other calls, are on disk.

        Raises:
            Refused: if they cannot be written; the state is then as it was on disk.
        """
        try:
            await self.store.writer.commit()
        except Unwritten as error:
            raise Refused(500, f"The colony's data could not be written: {error}") from error

    async def ready(self) -> None:
        """Wait until the state may be read and changed. After any await, all records must be read again.

        Raises:
            Refused: if it could not be read from disk.
        """
        await self._whole.wait()
        if self._unreadable:
            raise Refused(500, f"The colony's data could not be read: {self._unreadable}")

    async def carry_out(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run a call on a complete state. Its reply and notifications are sent only after they are on disk.

        Args:
            work: runs the call. Between its awaits no other call changes anything.

        Raises:
            Refused: if it is refused, or cannot be written.
        """
        await self.ready()
        changes = track()
        try:
            done = await work()
        except Refused:
            await self.commit()  # what the refusal is based on
            raise
        except Exception as error:
            if not changes.made:
                _log.exception("A call failed before it changed anything.")
                raise Refused(500, f"The call failed: {type(error).__name__}") from error
            _log.exception("A call failed half-way; the state is read from disk again.")
            self._whole.clear()
            await self.store.writer.abandon("another call failed")
            raise Refused(500, f"The call failed: {type(error).__name__}") from error
        await self.commit()
        return done

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call a callback once what was changed so far is on disk."""
        self.store.writer.after(callback)

    # time and ids

    def now(self) -> int:
        """Return the time in Unix nanoseconds."""
        return self._clock()

    def new_id(self) -> str:
        """Make an id of 64 hex digits."""
        return self._random_bytes(32).hex()

    def next_order(self) -> int:
        """Number a submission."""
        self._order += 1
        return self._order

    # lookup and access

    def colony(self, name: str) -> ColonyState:
        """Find a colony.

        Raises:
            Refused: if there is none.
        """
        colony = self.colonies.get(name)
        if colony is None:
            raise Refused(403, f"Colony with name <{name}> does not exists")
        return colony

    def as_member(self, name: str, callerid: str) -> ColonyState:
        """Return a colony that the caller is a member of.

        Raises:
            Refused: if there is none of that name, or the caller is no member.
        """
        colony = self.colony(name)
        if not colony.is_member(callerid):
            raise denied_member(name)
        return colony

    def as_member_in_any_state(self, name: str, callerid: str) -> ColonyState:
        """Return a colony that the caller is a user or, in any state, an executor of.

        Raises:
            Refused: if there is none of that name, or the caller is neither.
        """
        colony = self.colony(name)
        if not colony.is_member_in_any_state(callerid):
            raise denied_member(name)
        return colony

    def as_owner(self, name: str, callerid: str) -> ColonyState:
        """Return a colony that the caller is the owner of.

        Raises:
            Refused: if there is none of that name, or the caller does not own it.
        """
        if not name:
            raise Refused(403, "Empty Colony name")
        colony = self.colony(name)
        if colony.colony.colonyid != callerid:
            raise Refused(403, "Access denied, not colony owner")
        return colony

    def require_server_owner(self, callerid: str) -> None:
        """Refuse all callers but the owner of the server.

        Raises:
            Refused: if the caller is another one.
        """
        if callerid != self.serverid:
            raise Refused(403, "Access denied, not server owner")

    def process(self, processid: str, missing: Refused) -> tuple[ColonyState, Process]:
        """Find a process and its colony.

        Raises:
            Refused: ``missing``, if there is none.
        """
        home = self.colonies.get(self._homes.get(processid, ""))
        process = self.store.archive.get(processid) if home is None else home.processes.get(processid)
        colony = self.colonies.get(process.colonyname) if process else None
        if colony is None or process is None:
            raise missing
        return colony, process

    def workflow(self, processgraphid: str, missing: Refused) -> tuple[ColonyState, Workflow]:
        """Find a workflow and its colony.

        Raises:
            Refused: ``missing``, if there is none.
        """
        colony = self.colonies.get(self._homes.get(processgraphid, ""))
        if colony is None or processgraphid not in colony.workflows:
            raise missing
        return colony, colony.workflows[processgraphid]

    def index_id(self, identifier: str, colonyname: str) -> None:
        """Record which colony an id of a process or workflow belongs to."""
        self._homes[identifier] = colonyname

    def unindex_id(self, identifier: str) -> None:
        """Remove that record."""
        self._homes.pop(identifier, None)

    # saving

    def save(self, process: Process) -> None:
        """Write a process; one that will not change any more goes into the archive."""
        colony = self.colonies[process.colonyname]
        workflow = colony.workflows.get(process.workflowid)
        if not process.state.is_closed or (process.workflowid and (workflow is None or workflow.final is None)):
            self.store.put("process", process.processid, process)
            return
        colony.load(process)
        self.index_id(process.processid, process.colonyname)
        self.store.archive.put(process)

        def unload() -> None:
            if colony.unload(process):
                self.unindex_id(process.processid)

        self.after_commit(unload)

    def save_workflow(self, workflow: Workflow) -> None:
        """Write a workflow."""
        self.store.put("workflow", workflow.processgraphid, workflow)

    def save_executor(self, executor: Executor) -> None:
        """Write an executor."""
        record = executor.record
        self.store.put("executor", f"{record.colonyname}\0{record.executorname}", executor)

    def announce(self, process: Process) -> None:
        """Notify listeners, once it is on disk, that a process has entered the state it is in."""
        state = process.state  # by the time it is on disk another call may have changed it
        shown = encoding.announcement(process, self.colonies[process.colonyname])
        self.after_commit(lambda: self.waiters.announce(process, state, shown))

    def wake(self, colonyname: str, executortype: str | None = None) -> None:
        """Wake long polls for work, once the change is on disk."""
        self.after_commit(lambda: self.waiters.wake(colonyname, executortype))

    def add_colony(self, colony: Colony) -> ColonyState:
        """Add a colony."""
        state = self.colonies[colony.name] = ColonyState(colony, self.store.archive)
        self.store.put("colony", colony.name, colony)
        return state

    def remove_colony(self, name: str) -> None:
        """Remove a colony with all that is in it."""
        colony = self.colonies.pop(name)
        for process in list(colony.processes.values()):
            self.remove_process(colony, process)
        self.remove_archived(colony, ProcessState, members=True)
        for workflow in colony.workflows:
            self.unindex_id(workflow)
            self.store.delete("workflow", workflow)
        for user in colony.users:
            self.store.delete("user", f"{name}\0{user}")
        for executor in colony.executors:
            self.store.delete("executor", f"{name}\0{executor}")
        for function in colony.functions:
            self.store.delete("function", function)
        self.store.delete_logs(colonyname=name)
        self.store.delete("paused", name)
        self.store.delete("colony", name)
        self.wake(name)

    def add_user(self, colony: ColonyState, user: User) -> None:
        """Add a user."""
        colony.add_user(user)
        self.store.put("user", f"{user.colonyname}\0{user.name}", user)

    # timers and recovery

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]], *, first: float | None = None) -> None:
        wait = seconds if first is None else first
        while True:
            await asyncio.sleep(wait)
            wait = seconds
            try:
                if self._unreadable:
                    await self._recover()
                await self.carry_out(work)
            except Refused as refused:  # repeated at the next turn
                _log.warning("Periodic work was refused: %s", refused.message)
            except Exception:  # noqa: BLE001 - a timer goes on whatever happens
                _log.exception("Periodic work failed; it is repeated in %g s.", seconds)

    async def _expire(self) -> None:
        self.expire()

    async def _remove_stale_executors(self) -> None:
        self.remove_stale_executors()

    async def _prune(self) -> None:
        if self._keep_days is None:
            return
        # In small steps, since each is one group that others wait for.
        more = True
        while more:
            await self.ready()
            more = self.prune(int(self._keep_days * DAY), _PRUNED_AT_ONCE)
            await self.commit()
        await self.store.vacuum()

    async def _recover(self) -> None:
        """Read the state from disk again: what is in memory was changed and could not be written."""
        self._whole.clear()
        try:
            self._load(await self.store.load())
        except Exception as error:  # noqa: BLE001 - whatever it is, the state is not whole
            # Calls must not wait for ever for a state that cannot be read; the timers repeat the reading.
            if not isinstance(error, EmbeddedError):
                _log.exception("The state could not be restored from disk.")
            self._unreadable = str(error) or type(error).__name__
            self._whole.set()

    def _load(self, contents: Contents) -> None:
        """Replace the state by what was read."""
        listened, self.channels = self.channels, ChannelLogs(self.store.entries, limits=self._limits)
        self.store.archive.forget_removals()
        self.colonies = {colony.name: ColonyState(colony, self.store.archive) for colony in contents.colonies}
        self._homes = {}
        for name in contents.paused:
            self.colonies[name].paused = True
        for user in contents.users:
            self.colonies[user.colonyname].add_user(user)
        for executor in contents.executors:
            self.colonies[executor.record.colonyname].add_executor(executor)
        for function in contents.functions:
            self.colonies[function.colonyname].put_function(function)
        for workflow in contents.workflows:
            self.colonies[workflow.colonyname].add_workflow(workflow)
            self.index_id(workflow.processgraphid, workflow.colonyname)
        for process in contents.processes:
            self.colonies[process.colonyname].add_process(process)
            self.index_id(process.processid, process.colonyname)
        for (colonyname, state), count in contents.archived.items():
            self.colonies[colonyname].count_archived(state, count)
        self._order = max([contents.last_archived, *(process.order for process in contents.processes)])
        self._unreadable = ""
        self._whole.set()
        # Listeners of the former channels subscribe again: they cannot know how much of those was on disk.
        listened.end_subscriptions()
        self.waiters.wake_all()
