"""An HTTP server of one test: reads requests whole, and answers each with the bytes that the test states."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from local_server import LocalServer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable


OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def saying(*answers: bytes) -> Callable[[asyncio.StreamWriter, int], Awaitable[None]]:
    """Return a script that gives these answers in turn, the last one for ever."""

    async def answer(writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(answers[min(number, len(answers)) - 1])

    return answer


class ScriptedHttp(LocalServer):
    """Answers requests.

    Args:
        answer: gets the writer of a connection and the number of the request, from 1 on, over all connections.
        tls: makes connections use TLS.
        reads_body: whether a request's body is read before the answer.
    """

    buffer = 1 << 16  # a large request is not read whole unless the test wants it

    def __init__(
        self,
        answer: Callable[[asyncio.StreamWriter, int], Awaitable[None]],
        *,
        tls: ssl.SSLContext | None = None,
        reads_body: bool = True,
    ) -> None:
        super().__init__(tls)
        self.connections = 0
        self.asked = asyncio.Event()
        """Set when a request has arrived."""
        self.ended = asyncio.Event()
        """Set when a client has closed a connection."""
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self._answer = answer
        self._reads_body = reads_body

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while not writer.is_closing():
            await self._exchange(reader, writer)

    async def _hang_up(self, writer: asyncio.StreamWriter) -> None:
        self.ended.set()
        await super()._hang_up(writer)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self.heads.append(head)
        length = next(int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:"))
        self.bodies.append(await reader.readexactly(length) if self._reads_body else b"")
        self.asked.set()
        await self._answer(writer, len(self.heads))
        await writer.drain()
