"""The embedded colony without a network: calls carried out on a `Server` with a clock of the test's own."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from colony_jupyter.server.api.subscriptions import frames
from colony_jupyter.server.calls import HANDLERS
from colony_jupyter.server.calls.registry import Caller
from colony_jupyter.server.errors import Refused
from colony_jupyter.server.server import Server
from colony_jupyter.wire import messages as m
from colony_jupyter.wire.models import Colony, Conditions, ExecutorRecord, Function, FunctionSpec, User

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def identity(name: str) -> str:
    """Return an id of 64 hex digits that belongs to a name."""
    return name.encode().hex().ljust(64, "0")[:64]


async def never() -> None:
    await asyncio.Event().wait()


class World:
    """A server with two colonies, and what is needed to call it."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.time = START
        numbers = itertools.count(1)
        self.options = {
            "serverid": identity("server"),
            "clock": self.tick,
            "random_bytes": lambda size: next(numbers).to_bytes(size, "big"),
            **options,
        }
        self.folder = folder
        self.server = Server(folder, **self.options)

    def tick(self) -> int:
        """Return the time; no two moments are the same."""
        self.time += 1000
        return self.time

    def wait(self, seconds: float) -> None:
        """Let time pass, and what happens by itself happen."""
        self.time += int(seconds * SECOND)
        self.server.expire()
        self.server.remove_stale_executors()

    async def call(self, message: m.Message, who: str, *, gone: Any = never) -> Any:
        """Make a call as a member; the reply as it is on the wire.

        Raises:
            Refused: if it is refused.
        """
        handler = HANDLERS[m.msgtype(message)]

        async def work() -> Any:
            return await handler.work(self.server, message, Caller(identity(who), gone, ("here", 1)))

        value = await self.server.carry_out(work)
        return value if type(value).__name__ == "Silence" else msgspec.json.decode(msgspec.json.encode(value))

    async def refusal(self, message: m.Message, who: str) -> tuple[int, str]:
        """Make a call that is refused; its status and message."""
        with pytest.raises(Refused) as refused:
            await self.call(message, who)
        return refused.value.status, refused.value.message

    def subscribe(self, message: m.Message, who: str) -> AsyncIterator[tuple[str, Any]]:
        return frames(self.server, message, Caller(identity(who), never, ("here", 1)))

    async def restart(self) -> None:
        await self.server.stop()
        self.server = Server(self.folder, **self.options)
        await self.server.start()

    # shorthands

    async def colony(self, name: str) -> None:
        await self.call(m.AddColony(colony=Colony(colonyid=identity(f"{name} owner"), name=name)), "server")

    async def user(self, name: str, colony: str = "dev") -> None:
        user = User(colonyname=colony, userid=identity(name), name=name)
        await self.call(m.AddUser(user=user), f"{colony} owner")

    async def executor(self, name: str, kind: str = "x", colony: str = "dev", *, approved: bool = True) -> None:
        record = ExecutorRecord(executorid=identity(name), executortype=kind, executorname=name, colonyname=colony)
        await self.call(m.AddExecutor(executor=record), f"{colony} owner")
        if approved:
            await self.call(m.ApproveExecutor(colonyname=colony, executorname=name), f"{colony} owner")

    async def submit(self, who: str = "ann", **members: Any) -> str:
        return (await self.call(m.SubmitFunctionSpec(spec=spec(**members)), who))["processid"]

    async def assign(self, who: str, *, timeout: int = -1, colony: str = "dev", **offer: str) -> dict[str, Any]:
        return await self.call(m.AssignProcess(colonyname=colony, timeout=timeout, **offer), who)

    async def get(self, processid: str, who: str = "ann") -> dict[str, Any]:
        return await self.call(m.GetProcess(processid=processid), who)

    async def function(self, who: str, funcname: str = "f") -> str:
        function = Function(executorname=who, colonyname="dev", funcname=funcname)
        return (await self.call(m.AddFunction(fun=function), who))["functionid"]


def spec(kind: str = "x", *, colony: str = "dev", names: list[str] | None = None, **members: Any) -> FunctionSpec:
    """Make a spec; ``dependencies`` and other conditions by their names."""
    own = {name: members.pop(name) for name in list(members) if name in Conditions.__struct_fields__}
    conditions = Conditions(colonyname=colony, executortype=kind, executornames=names, **own)
    return FunctionSpec(**{"funcname": "f", **members}, conditions=conditions)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Return a colony "dev" with the users ann and bob."""
    made = World(tmp_path)
    await made.server.start()
    await made.colony("dev")
    await made.user("ann")
    await made.user("bob")
    yield made
    await made.server.stop()


@pytest.fixture
def make_spec() -> Any:
    return spec


@pytest.fixture
def make_world() -> type[World]:
    return World


@pytest.fixture
def identify() -> Any:
    return identity
