"""The sockets that Jupyter front ends connect to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import zmq
import zmq.asyncio

from colony_jupyter.errors import UsageError
from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.messages import VERSION, compose, new_header, parts_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

_ROUTERS: Final = ("shell", "control", "stdin")
_IOPUB: Final = "iopub"
_BEAT: Final = "hb"
_PRESENT: Final = 5.0
"""Seconds to wait for a front end that is about to connect."""
_POLL: Final = 0.01


class FrontEnd:
    """The five sockets of a kernel, towards the front ends.

    Args:
        connection_file: names the addresses and the key.
        receive: awaited with each request.

    Raises:
        UsageError: if the connection file cannot be read.
    """

    def __init__(self, connection_file: Path, receive: Callable[[Item], Awaitable[None]]) -> None:
        try:
            self._about: dict[str, Any] = json.loads(connection_file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"The connection file {connection_file} cannot be read: {error}") from None
        self.key: str = self._about["key"]
        self._receive = receive
        self._context = zmq.asyncio.Context()
        self._sockets: dict[str, zmq.asyncio.Socket] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._subscribed = asyncio.Event()
        self._absent: set[bytes] = set()  # front ends that no reply has reached lately
        self._session = uuid.uuid4().hex

    def bind(self) -> None:
        """Open the sockets.

        Raises:
            UsageError: if an address is in use.
        """
        kinds = {**dict.fromkeys(_ROUTERS, zmq.ROUTER), _IOPUB: zmq.XPUB, _BEAT: zmq.REP}
        for name, kind in kinds.items():
            socket = self._context.socket(kind)
            socket.linger = 1000
            socket.sndhwm = socket.rcvhwm = 0
            if kind == zmq.ROUTER:
                socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
                socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
            if kind == zmq.XPUB:
                socket.setsockopt(zmq.XPUB_VERBOSE, 1)
            self._sockets[name] = socket
            separator = "-" if self._about["transport"] == "ipc" else ":"
            address = f"{self._about['transport']}://{self._about['ip']}{separator}{self._about[f'{name}_port']}"
            try:
                socket.bind(address)
            except zmq.ZMQError as error:
                raise UsageError(f"{address} cannot be opened for the kernel's {name} socket: {error}") from None
        self._tasks = [asyncio.create_task(self._read(name)) for name in _ROUTERS]
        self._tasks += [asyncio.create_task(self._subscriptions()), asyncio.create_task(self._beat())]

    async def aclose(self) -> None:
        """Close the sockets, after what was sent is on its way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for socket in self._sockets.values():
            socket.close()
        await asyncio.to_thread(self._context.term)

    async def send(self, item: Item, note: Callable[[], None] = lambda: None) -> None:
        """Send a message of the kernel.

        Output waits for a front end that listens, and a reply for its receiver, since both connect again after this
        process was started again; each for a few seconds.

        Args:
            item: the message.
            note: called right before it is sent.
        """
        if item.name == _IOPUB:
            if not self._subscribed.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_PRESENT):
                        await self._subscribed.wait()
                self._subscribed.set()
            note()
            await self._sockets[_IOPUB].send_multipart(item.frames)
        elif item.name in _ROUTERS:
            await self._reply(self._sockets[item.name], item.frames, note)

    async def _reply(self, socket: zmq.asyncio.Socket, frames: list[bytes], note: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (0.0 if frames[0] in self._absent else _PRESENT)
        note()
        while True:
            try:
                await socket.send_multipart(frames)
            except zmq.ZMQError:
                if loop.time() >= deadline:
                    self._absent.add(frames[0])
                    return
                await asyncio.sleep(_POLL)
            else:
                self._absent.discard(frames[0])
                return

    # messages of our own

    async def publish(self, kind: str, content: dict[str, Any], parent: bytes) -> None:
        """Send output of our own, for a request."""
        frames = compose(self.key.encode(), [kind.encode()], self._header(kind), parent, content)
        await self.send(Item(_IOPUB, frames))

    async def answer(self, request: Item, kind: str, content: dict[str, Any]) -> None:
        """Answer a request ourselves, with the states that belong to it."""
        route, parts = parts_of(request.frames)
        parent = parts[0]
        await self.publish("status", {"execution_state": "busy"}, parent)
        frames = compose(self.key.encode(), route, self._header(kind), parent, content)
        await self.send(Item(request.name, frames))
        await self.publish("status", {"execution_state": "idle"}, parent)

    async def fail(self, request: Item, name: str, text: str) -> None:
        """Answer a request to execute with an error that its cell shows."""
        _, parts = parts_of(request.frames)
        error = {"ename": name, "evalue": text, "traceback": [f"{name}: {text}"]}
        await self.publish("error", error, parts[0])
        await self.answer(request, "execute_reply", {"status": "error", "execution_count": 0, **error})

    def _header(self, kind: str) -> dict[str, str]:
        return new_header(kind, session=self._session, number=uuid.uuid4().hex, at=datetime.now(UTC))

    # reading

    async def _read(self, name: str) -> None:
        while True:
            frames = await self._sockets[name].recv_multipart()
            self._absent.discard(frames[0])
            await self._receive(Item(name, frames))

    async def _subscriptions(self) -> None:
        while True:
            frames = await self._sockets[_IOPUB].recv_multipart()
            if frames[0][:1] == b"\x01":
                self._subscribed.set()

    async def _beat(self) -> None:
        while True:
            await self._sockets[_BEAT].send(await self._sockets[_BEAT].recv())


def information(language: str) -> dict[str, Any]:
    """Return the answer to a front end that asks about a kernel which has not started."""
    about = {"name": language, "version": "", "mimetype": "", "file_extension": ""}
    if language == "python":
        about |= {"mimetype": "text/x-python", "file_extension": ".py", "pygments_lexer": "ipython3"}
    return {
        "status": "ok",
        "protocol_version": VERSION,
        "implementation": "colony_jupyter",
        "implementation_version": "",
        "language_info": about,
        "banner": "A kernel on an executor of a ColonyOS colony, which has not started yet.",
        "help_links": [],
    }
