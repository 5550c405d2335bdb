"""Calls on a connection of one's own, with nothing of the client between: for tests and benchmarks of the server."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import TYPE_CHECKING, Any, Self

from colony_jupyter.wire.envelope import Refusal, open_reply, seal
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.messages import (
    AddExecutor,
    AddUser,
    ApproveExecutor,
    AssignProcess,
    Message,
    SubmitFunctionSpec,
)
from colony_jupyter.wire.models import Conditions, ExecutorRecord, FunctionSpec, User

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class CallRefused(Exception):
    """A call that was refused."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.status} {refusal.message}")
        self.status = refusal.status
        self.message = refusal.message


def new_key() -> PrivateKey:
    return PrivateKey.generate(secrets.token_bytes)


class Line:
    """One kept-alive HTTP connection to a server."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, body: bytes, path: str = "/api") -> tuple[int, bytes]:
        """Send a body, and give status and body of the answer.

        Raises:
            ConnectionError: if the connection is lost.
        """
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self.host, self.port, limit=64 * 2**20)
        assert self._reader is not None
        self._writer.write(
            b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (path.encode(), len(body)) + body
        )
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            lines = head.split(b"\r\n")
            length = next((int(line[15:]) for line in lines if line[:15].lower() == b"content-length:"), None)
            answer = await self._chunks() if length is None else await self._reader.readexactly(length)
            return int(lines[0].split()[1]), answer
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError("the server has gone") from error

    async def _chunks(self) -> bytes:
        assert self._reader is not None
        found = []
        while size := int(await self._reader.readline(), 16):
            found.append(await self._reader.readexactly(size))
            await self._reader.readline()
        await self._reader.readline()
        return b"".join(found)

    async def call(self, message: Message, key: PrivateKey | None) -> Any:
        """Make a call and give the reply's JSON.

        Raises:
            CallRefused: if it is refused.
        """
        _, body = await self.post(seal(message, key))
        _, value = open_reply(body)
        if isinstance(value, Refusal):
            raise CallRefused(value)
        return value

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
            self._reader = self._writer = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def spec(colonyname: str, executortype: str, *, channels: Sequence[str] = (), **members: Any) -> FunctionSpec:
    conditions = Conditions(colonyname=colonyname, executortype=executortype)
    return FunctionSpec(funcname="work", conditions=conditions, channels=list(channels), **members)


async def executor(line: Line, variables: Mapping[str, str], executortype: str, name: str = "") -> PrivateKey:
    """Make an approved executor by the environment's colony key."""
    key = new_key()
    name = name or f"{executortype}-{key.id[:8]}-x"
    owner = PrivateKey(variables["COLONIES_COLONY_PRVKEY"])
    colonyname = variables["COLONIES_COLONY_NAME"]
    record = ExecutorRecord(executorid=key.id, executortype=executortype, executorname=name, colonyname=colonyname)
    await line.call(AddExecutor(executor=record), owner)
    await line.call(ApproveExecutor(colonyname=colonyname, executorname=name), owner)
    return key


async def user(line: Line, variables: Mapping[str, str]) -> PrivateKey:
    """Make a user by the environment's colony key."""
    key = new_key()
    made = User(colonyname=variables["COLONIES_COLONY_NAME"], userid=key.id, name=f"user-{key.id[:8]}")
    await line.call(AddUser(user=made), PrivateKey(variables["COLONIES_COLONY_PRVKEY"]))
    return key


async def running(
    line: Line, colonyname: str, submitter: PrivateKey, runner: PrivateKey, executortype: str, **members: Any
) -> str:
    """Submit a process and have it assigned; returns its id."""
    await line.call(SubmitFunctionSpec(spec=spec(colonyname, executortype, **members)), submitter)
    assigned = await line.call(AssignProcess(colonyname=colonyname, timeout=5), runner)
    return str(assigned["processid"])
