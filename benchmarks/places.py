"""Servers under measurement, and processes on them that leave nothing behind."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from calling import CallRefused, Line, executor, new_key, running, user

from colony_jupyter.settings import Settings, resolve
from colony_jupyter.testing import ColonyServer
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.messages import (
    CancelProcess,
    GetExecutorById,
    GetUserById,
    Message,
    RemoveExecutor,
    RemoveProcess,
    RemoveUser,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

BARE = """
import asyncio, socket, sys
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from colony_jupyter.server.process.client_limits import ClientLimits
from colony_jupyter.server.process.http_server import HttpServer
from colony_jupyter.server.process.main import _loop_factory
from colony_jupyter.wire.envelope import Envelope, seal_reply
from colony_jupyter.wire.identity import recover
import msgspec

async def api(request):
    envelope = msgspec.json.decode(await request.body(), type=Envelope)
    recover(envelope.payload, envelope.signature)
    return Response(seal_reply(envelope.payloadtype, {}), media_type="text/plain; charset=utf-8")

async def main():
    bound = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/api", api, methods=["POST"])])
    http_server = HttpServer(app, bound, secure=None, deaf=False, limits=ClientLimits())
    await http_server.start()
    print(bound.getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await http_server.stop(0.1)

with asyncio.Runner(loop_factory=_loop_factory()) as runner:
    runner.run(main())
"""


@dataclass(frozen=True)
class Place:
    """A server under measurement."""

    name: str
    host: str
    port: int
    variables: Mapping[str, str]
    limited: bool = False
    pid: int | None = None

    @property
    def colonyname(self) -> str:
        return self.variables["COLONIES_COLONY_NAME"]

    def line(self) -> Line:
        return Line(self.host, self.port)

    def settings(self) -> Settings:
        return resolve(self.variables)


@contextlib.contextmanager
def bare() -> Iterator[Place]:
    """An application that does nothing but check the signature, on the same server as ours."""
    child = subprocess.Popen([sys.executable, "-c", BARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        yield Place("bare ASGI", "127.0.0.1", int(child.stdout.readline()), {})
    finally:
        child.communicate()


@contextlib.contextmanager
def ours(name: str = "embedded", *arguments: str, limits: bool = False) -> Iterator[Place]:
    """The embedded colony, by default without limits."""
    with (
        tempfile.TemporaryDirectory() as folder,
        ColonyServer(Path(folder) / "data", limits=limits, arguments=arguments) as server,
    ):
        yield Place(name, server.host, server.port, server.environ(), limits, server.pid)


def real() -> Place | None:
    """The server that ColonyOS's variables name, spoken to without TLS; None if they name none."""
    host = os.environ.get("COLONIES_SERVER_HOST")
    if host is None:
        return None
    return Place("real server", host, int(os.environ["COLONIES_SERVER_PORT"]), dict(os.environ), limited=True)


@contextlib.contextmanager
def places(*, limits: bool = False) -> Iterator[list[Place]]:
    """The embedded colony, and the real server if there is one."""
    with ours(limits=limits) as embedded:
        yield [embedded, *filter(None, [real()])]


@dataclass(frozen=True)
class Running:
    """A running process and both its parties."""

    processid: str
    initiator: PrivateKey
    executor: PrivateKey


@contextlib.asynccontextmanager
async def running_process(place: Place, *channels: str) -> AsyncIterator[Running]:
    """Return a running process on a place; afterwards it is gone, and those who were made for it."""
    async with running_processes(place, 1, *channels) as found:
        yield found[0]


@contextlib.asynccontextmanager
async def running_processes(place: Place, count: int, *channels: str) -> AsyncIterator[list[Running]]:
    """Return running processes of one user and one executor; see `running_process`."""
    async with place.line() as line:
        kind = f"bench-{new_key().id[:8]}-x"
        initiator = await user(line, place.variables)
        runner = await executor(line, place.variables, kind)
        ids = [await running(line, place.colonyname, initiator, runner, kind, channels=channels) for _ in range(count)]
        try:
            yield [Running(processid, initiator, runner) for processid in ids]
        finally:
            owner = PrivateKey(place.variables["COLONIES_COLONY_PRVKEY"])
            name = place.colonyname
            made = await line.call(GetUserById(colonyname=name, userid=initiator.id), initiator)
            ran = await line.call(GetExecutorById(colonyname=name, executorid=runner.id), initiator)
            left: list[tuple[Message, PrivateKey]] = []
            for processid in ids:
                left.append((CancelProcess(processid=processid), initiator))
                left.append((RemoveProcess(processid=processid), initiator))
            left.append((RemoveExecutor(colonyname=name, executorname=ran["executorname"]), owner))
            left.append((RemoveUser(colonyname=name, name=made["name"]), owner))
            for message, key in left:
                with contextlib.suppress(CallRefused):  # it has closed already
                    await line.call(message, key)
