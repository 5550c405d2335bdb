"""The embedded colony: state in memory, kept by a store; calls change it, and are answered once that is on disk."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sqlite3
import time
from typing import TYPE_CHECKING, Final, Literal

from colony_jupyter.server import rendering
from colony_jupyter.server.channels import Channels
from colony_jupyter.server.listeners import Listeners
from colony_jupyter.server.processes import Transitions
from colony_jupyter.server.refusal import Refused, denied_member
from colony_jupyter.server.state import ColonyState, Executor, Process, Workflow
from colony_jupyter.server.store import Store
from colony_jupyter.wire.models import Colony, Function, User

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DATABASE: Final = "colony.db"

_TICK: Final = 1.0
_STALE_EVERY: Final = 60.0
_PRUNE_EVERY: Final = 600.0


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
        self.store = Store(data / DATABASE, durability)
        self.listeners = Listeners()
        self.colonies: dict[str, ColonyState] = {}
        self.stopping = asyncio.Event()
        self._limits = limits
        self._keep_days = keep_days
        self._clock = clock
        self._random_bytes = random_bytes
        self._after: list[Callable[[], None]] = []  # to be done once what was changed is on disk
        self._homes: dict[str, str] = {}  # process or workflow -> colony
        self._order = 0
        self._loops: list[asyncio.Task[None]] = []
        self._mending = False  # the state is being read again, since a group could not be written
        self.channels = Channels(limits=limits)

    # life

    async def start(self) -> None:
        """Open the database, take its state in, begin to watch deadlines.

        Raises:
            EmbeddedError: if the database cannot be used.
        """
        await self.store.open()
        await self._load()
        self._loops = [
            asyncio.create_task(self._every(_TICK, self.expire)),
            asyncio.create_task(self._every(_STALE_EVERY, self.remove_stale_executors)),
        ]
        if self._keep_days is not None:
            self._loops.append(asyncio.create_task(self._every(_PRUNE_EVERY, self._prune)))

    async def stop(self) -> None:
        """End long polls and subscriptions, write what is left, close the database."""
        self.stopping.set()
        self.listeners.wake_all()
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self.store.close()

    async def ensure_colony(self, name: str, colonyid: str) -> None:
        """Have a colony."""
        if name not in self.colonies:
            self.add_colony(Colony(name=name, colonyid=colonyid))
            await self.commit()

    async def ensure_user(self, colonyname: str, userid: str, name: str) -> None:
        """Have a user in a colony."""
        colony = self.colonies[colonyname]
        if not colony.is_user(userid):
            self.add_user(colony, User(colonyname=colonyname, userid=userid, name=name))
            await self.commit()

    async def commit(self) -> None:
        """Wait until all changes made so far are on disk; then tell those who listen.

        Raises:
            Refused: if they cannot be written; the state is then as it was on disk.
        """
        if self._mending:
            raise Refused(500, "The colony's data could not be written; it is being read again")
        after, self._after = self._after, []
        try:
            await self.store.commit()
        except sqlite3.Error as error:
            await self._mend()
            raise Refused(500, f"The colony's data could not be written: {error}") from error
        for tell in after:
            tell()

    def after_commit(self, tell: Callable[[], None]) -> None:
        """Have something done once what was changed so far is on disk."""
        self._after.append(tell)

    # small things

    def now(self) -> int:
        """Tell the time, Unix nanoseconds."""
        return self._clock()

    def new_id(self) -> str:
        """Make an id of 64 hex digits."""
        return self._random_bytes(32).hex()

    def next_order(self) -> int:
        """Number a submission."""
        self._order += 1
        return self._order

    # finding and letting in

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
        """Give a colony to a member of it."""
        colony = self.colony(name)
        if not colony.is_member(callerid):
            raise denied_member(name)
        return colony

    def as_member_in_any_state(self, name: str, callerid: str) -> ColonyState:
        """Give a colony to a user, or to an executor in whatever state."""
        colony = self.colony(name)
        if not colony.is_member_in_any_state(callerid):
            raise denied_member(name)
        return colony

    def as_owner(self, name: str, callerid: str) -> ColonyState:
        """Give a colony to its owner."""
        if not name:
            raise Refused(403, "Empty Colony name")
        colony = self.colony(name)
        if colony.colony.colonyid != callerid:
            raise Refused(403, "Access denied, not colony owner")
        return colony

    def require_server_owner(self, callerid: str) -> None:
        """Refuse all but the server's owner."""
        if callerid != self.serverid:
            raise Refused(403, "Access denied, not server owner")

    def process(self, processid: str, missing: Refused) -> tuple[ColonyState, Process]:
        """Find a process and its colony.

        Raises:
            Refused: ``missing``, if there is none.
        """
        colony = self.colonies.get(self._homes.get(processid, ""))
        if colony is None or processid not in colony.processes:
            raise missing
        return colony, colony.processes[processid]

    def workflow(self, processgraphid: str, missing: Refused) -> tuple[ColonyState, Workflow]:
        """Find a workflow and its colony.

        Raises:
            Refused: ``missing``, if there is none.
        """
        colony = self.colonies.get(self._homes.get(processgraphid, ""))
        if colony is None or processgraphid not in colony.workflows:
            raise missing
        return colony, colony.workflows[processgraphid]

    def settle(self, identifier: str, colonyname: str) -> None:
        """Remember where a process or workflow is."""
        self._homes[identifier] = colonyname

    def unsettle(self, identifier: str) -> None:
        """Forget where it was."""
        self._homes.pop(identifier, None)

    # keeping

    def keep(self, process: Process) -> None:
        """Have a process written."""
        self.store.put("process", process.processid, process)

    def keep_workflow(self, workflow: Workflow) -> None:
        """Have a workflow written."""
        self.store.put("workflow", workflow.processgraphid, workflow)

    def keep_executor(self, executor: Executor) -> None:
        """Have an executor written."""
        record = executor.record
        self.store.put("executor", f"{record.colonyname}\0{record.executorname}", executor)

    def announce(self, process: Process) -> None:
        """Tell those who listen, once it is on disk, that a process has entered the state it is in."""
        shown = rendering.announcement(process, self.colonies[process.colonyname])
        self.after_commit(lambda: self.listeners.announce(process, shown))

    def wake(self, colonyname: str, executortype: str | None = None) -> None:
        """Wake those who wait for work, once it is on disk."""
        self.after_commit(lambda: self.listeners.wake(colonyname, executortype))

    def add_colony(self, colony: Colony) -> ColonyState:
        """Take a colony in."""
        state = self.colonies[colony.name] = ColonyState(colony)
        self.store.put("colony", colony.name, colony)
        return state

    def drop_colony(self, name: str) -> None:
        """Let a colony go, with all that is in it."""
        colony = self.colonies.pop(name)
        for process in list(colony.processes.values()):
            self.forget_process(colony, process)
        for workflow in colony.workflows:
            self.unsettle(workflow)
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
        """Take a user in."""
        colony.users[user.name] = user
        self.store.put("user", f"{user.colonyname}\0{user.name}", user)

    # the works

    async def _every(self, seconds: float, work: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(seconds)
            if not self._mending:
                work()
                with contextlib.suppress(Refused):  # tried again at the next turn
                    await self.commit()

    def _prune(self) -> None:
        if self._keep_days is not None:
            self.prune(int(self._keep_days * 86_400e9))

    async def _mend(self) -> None:
        """Read the state from disk again: what is in memory was changed and could not be written."""
        if self._mending:
            return
        self._mending = True
        try:
            self._after.clear()
            self.store.forget_unwritten()
            listening = {
                (processid, channel.name): channel.listeners
                for processid, channels in self.channels.all()
                for channel in channels.values()
            }
            self.colonies = {}
            self._homes = {}
            self.channels = Channels(limits=self._limits)
            await self._load()
            for (processid, name), listeners in listening.items():
                channel = self.channels.of(processid).get(name)
                if channel is not None:
                    channel.listeners |= listeners
        finally:
            self._mending = False

    async def _load(self) -> None:
        for colony in await self.store.objects("colony", Colony):
            self.colonies[colony.name] = ColonyState(colony)
        for name in await self.store.objects("paused", str):
            self.colonies[name].paused = True
        for user in await self.store.objects("user", User):
            self.colonies[user.colonyname].users[user.name] = user
        for executor in await self.store.objects("executor", Executor):
            self.colonies[executor.record.colonyname].executors[executor.record.executorname] = executor
        for function in await self.store.objects("function", Function):
            self.colonies[function.colonyname].functions[function.functionid] = function
        for workflow in await self.store.objects("workflow", Workflow):
            self.colonies[workflow.colonyname].workflows[workflow.processgraphid] = workflow
            self.settle(workflow.processgraphid, workflow.colonyname)
        for process in await self.store.objects("process", Process):
            self.colonies[process.colonyname].add_process(process)
            self.settle(process.processid, process.colonyname)
            self._order = max(self._order, process.order)
            if not process.state.is_closed and process.spec.channels:
                self.channels.create(process, await self.store.entries(process.processid))
