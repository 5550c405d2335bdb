"""A bad network: a TCP proxy that cuts at random bytes, delays, swallows, refuses, and goes silent."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_PIECE = 4096


class Proxy:
    """Forwards to a server on this machine; its attributes make it a bad link.

    Args:
        port: the server's port; it may be changed at any time.
    """

    def __init__(self, port: int) -> None:
        self.target = port
        self.port = 0
        self.cuts = 0
        self.lost = 0  # bytes that were not carried on
        self.carried = 0.0  # when the latest piece was
        self.refusing = False
        self.silencing = False  # whether connections that are made carry nothing, as after `go_silent`
        self.carries: tuple[int, int] | None = None  # bytes, of both directions, after which a new connection is cut
        self.swallowing = False
        self.replies_left: int | None = None  # pieces of replies until the rest of them are swallowed; None for all
        self.delay = 0.0
        self._random = random.Random(17)
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for link in list(self._links):
            await link.close()
        await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def links(self) -> int:
        return len(self._links)

    def cut_all(self) -> None:
        """Cut every connection now, without a close."""
        for link in self._links:
            link.cut()
        self.cuts += 1

    def cut_soon(self) -> None:
        """Cut every connection in the middle of what it carries next."""
        for link in self._links:
            link.cut_after(self._random.randrange(1, 400))
        self.cuts += 1

    def go_silent(self) -> None:
        """Carry nothing more over the connections there are, and keep them open: no FIN, no RST."""
        for link in self._links:
            link.silent = True
        self.cuts += 1

    def swallows(self) -> bool:
        """Whether a piece of a reply that has just come is lost."""
        if self.swallowing or self.replies_left is None:
            return self.swallowing
        if self.replies_left:
            self.replies_left -= 1
            return False
        return True

    @contextlib.asynccontextmanager
    async def swallowed_replies(self) -> AsyncIterator[None]:
        """Let requests through and none of their replies; then cut."""
        self.swallowing = True
        try:
            yield
        finally:
            self.swallowing = False
            self.cut_all()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        try:
            onward = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(self, (reader, writer), onward)
        if self.carries is not None:
            link.cut_after(self._random.randrange(*self.carries))
            self.cuts += 1
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)


class _Link:
    def __init__(self, proxy, near, far) -> None:
        self.silent = proxy.silencing
        self._proxy = proxy
        self._near, self._far = near, far
        self._left: int | None = None
        self._was_cut = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        self._tasks = [
            asyncio.create_task(self._carry(self._near[0], self._far[1], reply=False)),
            asyncio.create_task(self._carry(self._far[0], self._near[1], reply=True)),
        ]
        try:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self.cut()

    def cut(self) -> None:
        self._was_cut.set()
        for _, writer in (self._near, self._far):
            writer.transport.abort()

    def cut_after(self, size: int) -> None:
        self._left = size

    async def close(self) -> None:
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, reply: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(_PIECE):
                if self.silent or (reply and self._proxy.swallows()):
                    self._proxy.lost += len(data)
                    continue
                if self._proxy.delay:
                    await asyncio.sleep(self._proxy.delay)
                if self._left is not None and len(data) >= self._left:
                    sink.write(data[: self._left])
                    await sink.drain()
                    return
                if self._left is not None:
                    self._left -= len(data)
                sink.write(data)
                await sink.drain()
                self._proxy.carried = time.monotonic()
            if self.silent:
                await self._was_cut.wait()
