"""A running kernel as a source and sink of messages: its ZeroMQ sockets, connected once it has been heard."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import zmq
import zmq.asyncio

from colony_jupyter.errors import ExecutorError
from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.messages import compose, header_of, new_header, parent_of, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.kernels.host.launch import Launched

_NUDGE: Final = 0.3
_START_SECONDS: Final = 60.0
_END_SECONDS: Final = 3.0
_LAST_SECONDS: Final = 0.1
_KEEP_ALL: Final = (
    "(lambda thread: thread.schedule(lambda: setattr(thread.socket, 'sndhwm', 0)))(get_ipython().kernel.iopub_thread)"
)
"""Makes ipykernel hold output for a busy receiver: it drops what is beyond 1,000 messages otherwise."""
_AT_ONCE: Final = 200
"""Messages that are read before anything else has its turn."""
_DEALERS: Final = ("shell", "control", "stdin")
_IOPUB: Final = "iopub"


class KernelSockets:
    """The sockets of a kernel.

    All requests go out under one identity, so the routing id of a front end travels as a frame before the delimiter,
    and comes back there.

    Args:
        launched: the kernel's program.
        key: the connection file's key.
        receive: called with each message of the kernel.
    """

    def __init__(self, launched: Launched, key: str, receive: Callable[[Item], None]) -> None:
        self._launched = launched
        self._key = key.encode()
        self._receive = receive
        self._mark = f"nudge-{secrets.token_hex(8)}".encode()
        self._context = zmq.asyncio.Context()
        self._sockets: dict[str, zmq.asyncio.Socket] = {}
        self._pumps: list[asyncio.Task[None]] = []
        self._heard = {name: asyncio.Event() for name in ("shell", _IOPUB)}
        self.is_busy = False
        """Whether it executes something, as it stated last."""
        self.cell = b""
        """Header of the request of the cell that runs; empty while none does."""

    async def connect(self) -> None:
        """Connect, and wait until the kernel answers and its output is heard.

        Raises:
            ExecutorError: if it ends, or does not answer in a minute.
        """
        identity = uuid.uuid4().hex.encode()
        for name in (*_DEALERS, _IOPUB):
            socket = self._context.socket(zmq.SUB if name == _IOPUB else zmq.DEALER)
            socket.linger = 0
            socket.sndhwm = socket.rcvhwm = 0
            if name == _IOPUB:
                socket.subscribe(b"")
            else:
                socket.setsockopt(zmq.IDENTITY, identity)
            socket.connect(self._launched.address(name))
            self._sockets[name] = socket
            self._pumps.append(asyncio.create_task(self._pump(name, socket)))
        exiting = asyncio.create_task(self._launched.exited())
        nudging = asyncio.create_task(self._nudge())
        try:
            await asyncio.wait({exiting, nudging}, timeout=_START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not nudging.done():
                words = self._launched.last_words()
                how = f"ended with exit code {exiting.result()}" if exiting.done() else "does not answer"
                raise ExecutorError(f"The kernel {how} before it was ready{': ' if words else '.'}{words}")
            if self._launched.is_ipykernel:
                content = {"code": _KEEP_ALL, "silent": True, "store_history": False, "allow_stdin": False}
                await self.send(Item("shell", self._message("execute_request", **content)))
        finally:
            for task in (exiting, nudging):
                task.cancel()
            await asyncio.gather(exiting, nudging, return_exceptions=True)

    async def _nudge(self) -> None:
        """Ask the kernel until a reply and some output have come: a subscription takes effect later than it is made."""
        while not all(event.is_set() for event in self._heard.values()):
            await self.send(Item("shell", self._message("kernel_info_request")))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_NUDGE):
                    await asyncio.gather(*(event.wait() for event in self._heard.values()))

    def _message(self, kind: str, **content: object) -> list[bytes]:
        return compose(self._key, [self._mark], self._header(kind), b"{}", content)

    def _header(self, kind: str) -> dict[str, str]:
        return new_header(kind, session=self._mark.decode(), number=uuid.uuid4().hex, at=datetime.now(UTC))

    def output(self, text: str) -> Item:
        """Return a message as if the cell that runs had written a text."""
        header, content = self._header("stream"), {"name": "stderr", "text": text}
        return Item(_IOPUB, compose(self._key, [b"stream"], header, self.cell, content))

    async def send(self, item: Item) -> None:
        """Send a message to the kernel; one for a socket that it does not have is dropped."""
        socket = self._sockets.get(item.name)
        if socket is not None and item.name != _IOPUB:
            await socket.send_multipart(item.frames)

    async def interrupt(self, *, by_message: bool) -> None:
        """Interrupt what it executes."""
        if by_message:
            await self.send(Item("control", self._message("interrupt_request")))
        else:
            self._launched.signal(signal.SIGINT)

    async def shut_down(self) -> None:
        """Ask the kernel to end, and give it a moment."""
        with contextlib.suppress(TimeoutError, zmq.ZMQError):
            async with asyncio.timeout(_END_SECONDS):
                await self.send(Item("control", self._message("shutdown_request", restart=False)))
                await self._launched.exited()

    async def _pump(self, name: str, socket: zmq.asyncio.Socket) -> None:
        direct: zmq.Socket[bytes] = zmq.Socket.shadow(socket)
        while True:
            self._hear(name, await socket.recv_multipart())
            # A future for each message would cost more than the message. The rest of the program has its turn between.
            with contextlib.suppress(zmq.Again):
                for _ in range(_AT_ONCE):
                    self._hear(name, direct.recv_multipart(zmq.NOBLOCK))
            await asyncio.sleep(0)

    def _hear(self, name: str, frames: list[bytes]) -> None:
        if name in self._heard:
            self._heard[name].set()
        if any(self._mark in frame for frame in frames[:5]):
            return  # of our own question
        if name == _IOPUB:
            self._note_status(frames)
        self._receive(Item(name, frames))

    def _note_status(self, frames: list[bytes]) -> None:
        if len(frames[-1]) < 60 and header_of(frames).msg_type == "status":  # noqa: PLR2004 - contents are short
            self.is_busy = b"busy" in frames[-1]
            if not self.is_busy:
                self.cell = b""
            elif parent_of(frames).msg_type == "execute_request":
                self.cell = parts_of(frames)[1][1]

    async def drain(self) -> None:
        """Give messages that the kernel sent before its end the time to arrive."""
        await asyncio.sleep(_LAST_SECONDS)

    async def aclose(self) -> None:
        """Close the sockets."""
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        for socket in self._sockets.values():
            socket.close(0)
        self._context.term()
