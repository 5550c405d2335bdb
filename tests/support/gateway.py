"""A gateway in front of a server: forwards requests, and answers some of them itself as nginx and its like do."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forward_proxy import carry_both
from local_server import LocalServer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PHRASES = {
    403: "Forbidden",
    429: "Too Many Requests",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Time-out",
}


@dataclass(frozen=True)
class Fault:
    """One answer of the gateway's own.

    Attributes:
        status: its HTTP status.
        forward: whether the server gets the request all the same, as with a 504.
        headers: further headers.
        body: its body; None for a page as nginx writes it.
        cut: bytes of the body that are missing at the end.
    """

    status: int
    forward: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    cut: int = 0

    def render(self) -> bytes:
        phrase = _PHRASES.get(self.status, "Other")
        title = f"{self.status} {phrase}"
        page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><hr>nginx</body></html>\r\n".encode()
        body = page if self.body is None else self.body
        head = {"server": "nginx", "content-type": "text/html", "content-length": str(len(body)), "connection": "close"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in {**head, **self.headers}.items())
        return f"HTTP/1.1 {title}\r\n{lines}\r\n".encode() + body[: len(body) - self.cut]


FAULTS = {
    "429": Fault(429),
    "502": Fault(502),
    "503": Fault(503),
    "504": Fault(504, forward=True),
    "page": Fault(200),
    "empty": Fault(200, forward=True, body=b""),
    "truncated": Fault(200, forward=True, body=b'{"payloadtype":"' + b"x" * 99, cut=40),
}
"""Answers after which a call may be repeated, by what is wrong with them."""


class Gateway(LocalServer):
    """Forwards to a server on this machine.

    Args:
        port: the server's port.
    """

    def __init__(self, port: int) -> None:
        super().__init__()
        self.target = port
        self.environ: dict[str, str] = {}
        """Environment of a client that calls through it, if a fixture has set it."""
        self.outage: Fault | None = None
        """Answer to every request while it is set."""
        self.upgrade_refusal: Fault | None = None
        """Answer to every request for a WebSocket while it is set."""
        self.limit: int | None = None
        """Bytes of a request's body beyond which the answer is 413."""
        self.calls: list[tuple[str, float]] = []
        """Message type and time of every call that came in."""
        self.planned: list[tuple[str, Fault]] = []
        """Faults to come, each with the message type of the call."""
        self.upgrades = 0
        """Number of requests for a WebSocket."""
        self.failed_at = 0.0
        """Time of the latest fault that was planned."""
        self._tunnels: set[asyncio.StreamWriter] = set()

    def cut_tunnels(self) -> None:
        """Cut every WebSocket."""
        for writer in self._tunnels:
            writer.transport.abort()

    def plan(self, call: str, faults: Sequence[Fault]) -> None:
        """Answer the next calls of a message type by these faults, one each."""
        self.planned += [(call, fault) for fault in faults]

    def count(self, call: str) -> int:
        """How many calls of a message type came in."""
        return sum(1 for name, _ in self.calls if name == call)

    async def _hang_up(self, writer: asyncio.StreamWriter) -> None:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
        if b"upgrade" in fields and self.upgrade_refusal is not None:
            self.upgrades += 1
            writer.write(self.upgrade_refusal.render())
            await writer.drain()
            return
        if b"upgrade" in fields:
            self.upgrades += 1
            await self._tunnel(head, reader, writer)
            return
        body = await reader.readexactly(int(fields[b"content-length"]))
        fault = self._fault(body)
        if fault is None or fault.forward:
            answer = await self._forward(head, body)
        writer.write(answer if fault is None else fault.render())
        await writer.drain()

    def _fault(self, body: bytes) -> Fault | None:
        call = json.loads(body)["payloadtype"]
        json.loads(base64.b64decode(json.loads(body)["payload"]))  # a request that is no call would be a fault of ours
        self.calls.append((call, time.monotonic()))
        if self.limit is not None and len(body) > self.limit:
            return Fault(413)
        for index, (name, fault) in enumerate(self.planned):
            if name == call:
                del self.planned[index]
                self.failed_at = time.monotonic()
                return fault
        return self.outage

    async def _forward(self, head: bytes, body: bytes) -> bytes:
        lines = [line for line in head.split(b"\r\n") if line and not line.lower().startswith(b"connection:")]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            writer.write(b"\r\n".join([*lines, b"connection: close", b"", b""]) + body)
            return await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()

    async def _tunnel(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._tunnel_to(self.target, head, reader, writer)

    async def _tunnel_to(
        self, port: int, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", port)
        self._tunnels.add(writer)
        try:
            onward_writer.write(head)
            await carry_both((reader, writer), (onward_reader, onward_writer))
        finally:
            self._tunnels.discard(writer)
