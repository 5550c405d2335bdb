"""A server for both sides of a kernel in one program, on virtual time: cut, restarted and refusing as a test wants."""

from __future__ import annotations

import asyncio
import contextlib
import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

from colony_jupyter.errors import ChannelClosed, ColonyError, ProcessNotFound
from colony_jupyter.wire.models import Entry, ProcessState

if TYPE_CHECKING:
    from colony_jupyter.wire.identity import PrivateKey

_PATIENCE = 60.0


class Server:
    """Processes, their channels, and who reaches them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.records: dict[str, Any] = {}
        self.logs: dict[str, dict[str, list[Entry]]] = {}
        self.epoch = 0
        self.changed = asyncio.Event()
        self.cut: set[str] = set()  # keys of parties that do not reach it
        self.slowness: dict[str, float] = {}  # by key: seconds that the way to the server takes, and the way back
        self.denied: set[str] = set()  # keys of parties whose streams are refused
        self.outputs: list[Any] = []  # that were set
        self.stream_lags: dict[str, float] = {}  # by key: seconds after a cut until its streams are back
        self.refusals: dict[str, list[bool]] = {}  # by key: whether the append that fails next is stored

    def change(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def restart(self) -> None:
        """Lose the entries of all channels."""
        self.epoch += 1
        for logs in self.logs.values():
            logs.clear()
        self.change()

    def set_state(self, processid: str, state: ProcessState, executorid: str = "") -> None:
        self.records[processid] = SimpleNamespace(
            **{**vars(self.records[processid]), "state": state, "assignedexecutorid": executorid}
        )
        self.change()

    def fail(self, processid: str, text: str) -> None:
        self.records[processid].errors = [text]
        self.set_state(processid, ProcessState.FAILED, self.records[processid].assignedexecutorid)

    async def reach(self, party: Party) -> None:
        """Wait until a party reaches the server, for a minute at most; for ever if its program was killed."""
        if party.is_dead:
            await asyncio.Event().wait()
        try:
            async with asyncio.timeout(_PATIENCE):
                while party.key.id in self.cut:
                    await self.changed.wait()
        except TimeoutError:
            raise ColonyError("The server cannot be reached.") from None
        await asyncio.sleep(self.random.uniform(0.001, 0.02) + self.slowness.get(party.key.id, 0.0))
        if party.is_dead:
            await asyncio.Event().wait()

    async def append(self, party: Party, processid: str, channel: str, payload: bytes, kind: str) -> None:
        await self.reach(party)
        record = self.records[processid]
        if record.state.is_closed or party.key.id not in (record.initiatorid, record.assignedexecutorid):
            raise ChannelClosed(processid, channel, "it is not yours")
        refusals = self.refusals.get(party.key.id)
        is_refused, is_stored = bool(refusals), not refusals or refusals.pop(0)
        if is_stored:
            log = self.logs[processid].setdefault(channel, [])
            log.append(Entry(senderid=party.key.id, payload=payload, type=kind, sequence=len(log) + 1))
            self.change()
        if is_refused:
            raise ColonyError("The server failed.")
        await self.reach(party)


class Stream:
    """Reads a channel from its beginning."""

    def __init__(self, party: Party, processid: str, channel: str, on_loss: Any) -> None:
        self._party, self._processid, self._channel, self._on_loss = party, processid, channel, on_loss
        self._read = 0
        self._epoch = party.server.epoch

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def batch(self) -> list[Entry]:
        server = self._party.server
        while True:
            while self._party.key.id in server.cut or self._party.is_dead:
                await server.changed.wait()
                if self._party.key.id not in server.cut:
                    await asyncio.sleep(server.stream_lags.get(self._party.key.id, 0.0))
            if self._party.key.id in server.denied:
                raise ColonyError("It is no member.")
            if self._epoch != server.epoch:
                self._epoch, self._read = server.epoch, 0
                self._on_loss(1)
            log = server.logs[self._processid].get(self._channel, [])
            if self._read < len(log):
                found, self._read = log[self._read :], len(log)
                await asyncio.sleep(server.random.uniform(0, 0.01))
                return found
            if server.records[self._processid].state.is_closed:
                return []
            await server.changed.wait()


class Watch:
    """Knows a process's state."""

    def __init__(self, server: Server, processid: str) -> None:
        self._server, self._processid = server, processid

    @property
    def record(self) -> Any:
        return self._server.records[self._processid]

    @property
    def is_over(self) -> bool:
        return bool(self.record.state.is_closed)

    @contextlib.asynccontextmanager
    async def following(self, *, announced: bool = True):
        yield self

    async def change(self) -> None:
        state, executor = self.record.state, self.record.assignedexecutorid
        while (self.record.state, self.record.assignedexecutorid) == (state, executor):
            await self._server.changed.wait()

    async def refresh(self) -> None:
        pass


class Process:
    """A process as one party has it."""

    def __init__(self, party: Party, processid: str) -> None:
        self.processid = processid
        self.colony = party
        self.shared = SimpleNamespace(watch=Watch(party.server, processid), continues=False)

    @property
    def record(self) -> Any:
        return self.shared.watch.record

    @property
    def spec(self) -> Any:
        return self.record.spec

    @property
    def state(self) -> ProcessState:
        return self.record.state

    @property
    def initiatorid(self) -> str:
        return self.record.initiatorid

    def channel(self, name: str) -> Any:
        party, processid = self.colony, self.processid

        async def send(payload: bytes, *, type: str) -> None:  # noqa: A002
            async with party.turns.setdefault((processid, name), asyncio.Lock()):
                await party.server.append(party, processid, name, payload, type)

        return SimpleNamespace(send=send, stream=lambda *, on_loss, **_: Stream(party, processid, name, on_loss))

    async def running(self, seconds: float) -> Process:
        async with asyncio.timeout(seconds):
            while self.state is ProcessState.WAITING:
                await self.colony.server.changed.wait()
        return self

    async def cancel(self) -> None:
        self.colony.server.set_state(self.processid, ProcessState.CANCELLED)


class Party:
    """A client of the server with a key, as `AsyncColony` is."""

    def __init__(self, server: Server, key: PrivateKey) -> None:
        self.server, self.key = server, key
        self.is_dead = False
        self.turns: dict[tuple[str, str], asyncio.Lock] = {}

    async def connect(self) -> None:
        pass

    async def submit(self, funcname: str, *, kwargs: Any, channels: Any, executornames: Any, **_: Any) -> Process:
        await self.server.reach(self)
        processid = f"{len(self.server.records):064x}"
        spec = SimpleNamespace(kwargs=kwargs, channels=list(channels), conditions=SimpleNamespace(executortype="hpc"))
        self.server.records[processid] = SimpleNamespace(
            state=ProcessState.WAITING, assignedexecutorid="", spec=spec, initiatorid=self.key.id, errors=[]
        )
        self.server.logs[processid] = {}
        self.server.change()
        return Process(self, processid)

    async def get_process(self, processid: str) -> Process:
        await self.server.reach(self)
        if processid not in self.server.records:
            raise ProcessNotFound(404, "There is none.")
        return Process(self, processid)

    async def get_executor_by_id(self, executorid: str) -> Any:
        return SimpleNamespace(executorname=executorid[:8])

    async def explain_waiting(self, record: Any) -> str:
        return "Waiting for an executor."

    async def set_output(self, process: Process, output: Any) -> None:
        self.server.outputs.append(output)
