"""A forward proxy: absolute URLs and CONNECT, each of which it may refuse; it may be reached by TLS itself."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl

_PIECE = 65536


class ForwardProxy:
    """Connects to the servers that requests name.

    Args:
        tls: makes the connection to the proxy itself use TLS.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self.refuse_connect: str | None = None
        """Status and phrase of the answer to CONNECT, such as ``403 Forbidden``; None to connect."""
        self.requests: list[str] = []
        """Method and target of every request."""
        self.headers: list[dict[str, str]] = []
        """Headers of every request, with names in lower case."""
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 26, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            # A cancelled task would make asyncio's callback log an error.
            with contextlib.suppress(asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
                await self._exchange(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").split("\r\n")
        method, target, version = line.split(" ")
        self.requests.append(f"{method} {target}")
        self.headers.append({name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest)})
        if method == "CONNECT":
            if self.refuse_connect is not None:
                writer.write(f"HTTP/1.1 {self.refuse_connect}\r\ncontent-length: 0\r\n\r\n".encode())
                await writer.drain()
                return
            onward = await asyncio.open_connection(*_place(f"//{target}"))
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            onward = await asyncio.open_connection(*_place(target))
            path = urlsplit(target).path
            onward[1].write("\r\n".join([f"{method} {path} {version}", *rest]).encode("latin-1"))
        await _carry_both((reader, writer), onward)


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    return parts.hostname, parts.port or 80


async def _carry_both(
    near: tuple[asyncio.StreamReader, asyncio.StreamWriter], far: tuple[asyncio.StreamReader, asyncio.StreamWriter]
) -> None:
    carrying = [asyncio.create_task(_carry(near[0], far[1])), asyncio.create_task(_carry(far[0], near[1]))]
    try:
        await asyncio.wait(carrying, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)
        far[1].transport.abort()


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(_PIECE):
            sink.write(data)
            await sink.drain()
