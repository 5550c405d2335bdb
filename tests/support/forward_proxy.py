"""A forward proxy: absolute URLs and CONNECT, each of which it may refuse; it may be reached by TLS itself."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local_server import LocalServer

if TYPE_CHECKING:
    import ssl

_PIECE = 65536


class ForwardProxy(LocalServer):
    """Connects to the servers that requests name.

    Args:
        tls: makes the connection to the proxy itself use TLS.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self.refuse_connect: str | None = None
        """Status and phrase of the answer to CONNECT, such as ``403 Forbidden``; None to connect."""
        self.requests: list[str] = []
        """Method and target of every request."""
        self.headers: list[dict[str, str]] = []
        """Headers of every request, with names in lower case."""

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
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
        await carry_both((reader, writer), onward)


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    return parts.hostname, parts.port or 80


async def carry_both(
    near: tuple[asyncio.StreamReader, asyncio.StreamWriter], far: tuple[asyncio.StreamReader, asyncio.StreamWriter]
) -> None:
    """Carry what either of two connections receives to the other one, until one ends."""
    carrying = [asyncio.create_task(_carry(near[0], far[1])), asyncio.create_task(_carry(far[0], near[1]))]
    try:
        await asyncio.wait(carrying, return_when=asyncio.FIRST_COMPLETED)
    finally:
        far[1].transport.abort()  # first: the rest may be cancelled
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(_PIECE):
            sink.write(data)
            await sink.drain()
