"""A server with one running process, and the clients of its two parties, on virtual time and without sockets.

It does to its clients what a real server and its network do: replies and frames are late, sockets are cut, windows
end, the server is unreachable for a while, loses its logs in a restart, and announces nothing when the process closes.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
from simulated_replies import in_shape

from colony_jupyter.client.connection import Scope
from colony_jupyter.client.process_session import ProcessSession
from colony_jupyter.client.process_watcher import Followed
from colony_jupyter.client.transport.frames import Frames
from colony_jupyter.errors import ChannelNotFound, ServerUnreachable, WebSocketRefused
from colony_jupyter.wire import messages
from colony_jupyter.wire.decoding import convert
from colony_jupyter.wire.models import Entry, FunctionSpec, Log, ProcessRecord, ProcessState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PID = "a" * 64
ME = "1" * 64
THEM = "2" * 64

_CUT = object()


@dataclass(eq=False)
class Socket:
    """A subscription of a client."""

    owner: str
    message: Any
    frames: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    arrives: float = 0.0  # when the latest frame arrives: frames of one socket do not overtake each other


class SimulatedColony:
    """The server.

    Args:
        latency: gives the seconds that the next request, reply or frame is under way.
        channels: names of the process's channels.
    """

    def __init__(self, latency: Callable[[], float] = lambda: 0.001, channels: tuple[str, ...] = ("c",)) -> None:
        self.latency = latency
        self.is_down = False
        self.refuses_sockets = False
        """Whether a proxy in front of it refuses WebSockets."""
        self.logs: dict[str, list[Entry]] = {name: [] for name in channels}
        self.lines: list[Log] = []
        """The log of the process."""
        self.refuses: Exception | None = None
        """What the next calls are refused with."""
        self.record = ProcessRecord(
            processid=PID,
            initiatorid=ME,
            assignedexecutorid=THEM,
            isassigned=True,
            state=ProcessState.RUNNING,
            starttime="2026-01-01T00:00:00Z",
            spec=FunctionSpec(funcname="f", channels=list(channels)),
        )
        self.connections: set[Socket] = set()
        """Sockets that are open."""
        self.sockets: set[Socket] = set()
        """Those of them whose subscription has reached the server and has not ended."""
        self.calls: list[Any] = []
        """Every request that reached the server."""
        self.opened: list[tuple[str, Any]] = []
        """Every subscription that reached the server, with its owner."""
        self.sent = 0
        """Number of entries that were sent to clients, in frames and replies."""
        self.sequence = {ME: -1, THEM: 0}
        self._entries = 0

    def session(self, owner: str = ME) -> ProcessSession:
        """Return what the handles of one client to the process share."""
        session = ProcessSession(SimulatedClient(self, owner), self.record.processid, Followed())
        session.learn(self.record)
        return session

    # what happens on the server

    def append(self, owner: str, text: str, *, channel: str = "c", kind: str = "data", inreplyto: int = 0) -> Entry:
        """Append an entry at once."""
        self.sequence[owner] += 2
        self._entries += 1
        entry = Entry(
            sequence=self.sequence[owner],
            timestamp=f"2026-01-01T00:00:00.{self._entries:09}Z",
            senderid=owner,
            payload=text.encode(),
            type=kind,
            inreplyto=inreplyto,
        )
        self.logs[channel].append(entry)
        for socket in self.sockets:
            if getattr(socket.message, "name", None) == channel:
                self._send(socket, [entry])
        return entry

    def log(self, message: str, *, at: float | None = None) -> None:
        """Add a line to the log of the process, at once or with the time ``at`` (seconds)."""
        now = asyncio.get_running_loop().time() if at is None else at
        line = Log(processid=PID, colonyname="", executorname="e", message=message, timestamp=int(now * 1e9))
        self.lines.append(line)
        self.lines.sort(key=lambda each: each.timestamp)

    def cut(self) -> None:
        """Cut every socket, also one whose subscription is still under way."""
        for socket in list(self.connections):
            self._disconnect(socket)

    def end_windows(self) -> None:
        """End every subscription of a channel, as at its timeout."""
        for socket in list(self.sockets):
            self._end_window(socket)

    def lose_logs(self) -> None:
        """Restart: every socket is cut and the channels are empty."""
        self.cut()
        for log in self.logs.values():
            log.clear()

    def close(self, state: ProcessState = ProcessState.SUCCESS, **outcome: Any) -> None:
        """Close the process: its channels are gone, and their subscribers receive nothing more."""
        self.record = msgspec.structs.replace(self.record, state=state, endtime="2026-01-01T00:01:00Z", **outcome)
        self.logs.clear()
        self.sockets = {each for each in self.sockets if not hasattr(each.message, "name")}
        self._announce()

    def start(self) -> None:
        """Let the executor take the process, which waited."""
        self.record = msgspec.structs.replace(self.record, state=ProcessState.RUNNING, assignedexecutorid=THEM)
        self._announce()

    # what clients do

    async def call(self, owner: str, message: Any) -> Any:
        """Answer a call, after the time that it takes."""
        self._check()
        await asyncio.sleep(self.latency())
        self._check()
        self.calls.append(message)
        if self.refuses is not None:
            raise self.refuses
        reply = self._reply(owner, message)
        await asyncio.sleep(self.latency())
        if isinstance(reply, Exception):
            raise reply
        return reply

    @contextlib.asynccontextmanager
    async def open(self, owner: str, message: Any, shape: Any) -> AsyncIterator[Frames[Any]]:
        """Open a subscription on a socket of its own; its frames are read as this shape.

        The request is sent when the socket is open, and reaches the server whether or not the frames are read.
        """
        self._check()
        await asyncio.sleep(self.latency())
        self._check()
        if self.refuses_sockets:
            raise WebSocketRefused("simulated:1", "rejected", by="a simulated proxy", status=403)
        socket = Socket(owner, message)

        frames: Frames[Any] = Frames()

        async def arrive() -> None:
            while True:
                arrives, frame = await socket.frames.get()
                await asyncio.sleep(max(0.0, arrives - asyncio.get_running_loop().time()))
                if frame is _CUT:
                    frames.end()
                elif isinstance(frame, Exception):
                    frames.end(frame)
                else:
                    frames.put([convert(frame, shape)])

        arriving = asyncio.create_task(arrive())
        self.connections.add(socket)
        loop = asyncio.get_running_loop()
        arrival = loop.call_later(self.latency(), self._subscribe, socket)
        timeout = loop.call_later(message.timeout, self._end_window, socket)
        try:
            yield frames
        finally:
            arriving.cancel()
            arrival.cancel()
            timeout.cancel()
            self.connections.discard(socket)
            self.sockets.discard(socket)
            frames.close()

    def _reply(self, owner: str, message: Any) -> Any:
        match message:
            case messages.GetProcess():
                return msgspec.structs.replace(self.record)
            case messages.GetProcesses():
                return [self.record] if self.record.state is ProcessState(message.state) else []
            case messages.GetLogs():
                return [line for line in self.lines if line.timestamp > message.since][: message.count]
            case messages.ChannelRead() if message.name not in self.logs:
                return ChannelNotFound(404, "Channel not found")
            case messages.ChannelRead():
                end = message.afterseq + message.limit if message.limit > 0 else None
                page = self.logs[message.name][message.afterseq : end]
                self.sent += len(page)
                return page
            case messages.ChannelAppend() if message.name not in self.logs:
                return ChannelNotFound(404, "Channel not found")
            case messages.ChannelAppend():
                self.append(owner, "", channel=message.name)
                return {}
        raise AssertionError(f"the simulated server does not know {message!r}")

    def _subscribe(self, socket: Socket) -> None:
        if socket not in self.connections:
            return
        self.opened.append((socket.owner, socket.message))
        if self.is_down:
            self._disconnect(socket)
            return
        self.sockets.add(socket)
        if isinstance(socket.message, messages.SubscribeProcess):
            if self.record.state is socket.message.state:
                self._send(socket, self.record)
        elif socket.message.name not in self.logs:
            socket.frames.put_nowait((0.0, ChannelNotFound(404, "Channel not found")))
        elif tail := self.logs[socket.message.name][socket.message.afterseq :]:
            self._send(socket, tail)

    def _announce(self) -> None:
        """Send the process to those that wait for its state."""
        for socket in self.sockets:
            if getattr(socket.message, "state", None) is self.record.state:
                self._send(socket, self.record)

    def _send(self, socket: Socket, value: Any) -> None:
        self.sent += len(value) if isinstance(value, list) else 0
        socket.arrives = max(socket.arrives, asyncio.get_running_loop().time() + self.latency())
        socket.frames.put_nowait((socket.arrives, msgspec.to_builtins(value)))

    def _end_window(self, socket: Socket) -> None:
        if socket not in self.sockets:
            return
        self.sockets.discard(socket)
        if hasattr(socket.message, "name"):
            self._send(socket, [])
        else:
            self._disconnect(socket)

    def _disconnect(self, socket: Socket) -> None:
        self.connections.discard(socket)
        self.sockets.discard(socket)
        socket.frames.put_nowait((0.0, _CUT))

    def _check(self) -> None:
        if self.is_down:
            raise ServerUnreachable("simulated:1", "connection refused")


class SimulatedClient:
    """A client of one of the two parties, as a `Connection`."""

    def __init__(self, colony: SimulatedColony, owner: str) -> None:
        self._colony = colony
        self.key: Any = SimpleNamespace(id=owner)
        self.scope = Scope()

    async def call(self, message: Any, shape: Any) -> Any:
        """Make a call."""
        return in_shape(await self._colony.call(self.key.id, message), shape)

    def open_subscription(self, message: Any, shape: Any) -> Any:
        """Open a subscription."""
        return self._colony.open(self.key.id, message, shape)
