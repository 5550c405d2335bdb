"""The embedded colony's HTTP server with an application that echoes, and a client that sends what it likes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Self

from colony_jupyter.server.process.client_limits import ClientLimits
from colony_jupyter.server.process.http_server import HttpServer

SMALL = ClientLimits(
    headers=2000,
    body=100_000,
    bodies=250_000,
    message=5000,
    fragments=4,
    request_seconds=0.2,
    progress=1000,
    unread=0.5,
    idle=5,
)

# As envelopes: only the type counts here.
SUBSCRIBE = '{"payloadtype": "subscribechannelmsg"}'
SUBSCRIBE_PROCESS = '{"payloadtype": "subscribeprocessmsg"}'


class App:
    """Echoes in the way that the path names."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.entered = asyncio.Event()
        self.seen = 0

    async def __call__(self, scope, receive, send) -> None:
        self.entered.set()
        await (self.http if scope["type"] == "http" else self.websocket)(scope, receive, send)

    async def http(self, scope, receive, send):
        if scope["path"] == "/big":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(2000):
                await send({"type": "http.response.body", "body": bytes(100_000), "more_body": True})
            return
        more = True
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                return
            self.seen += len(event["body"])
            more = event["more_body"]
        if scope["path"] == "/wait":
            await self.release.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def websocket(self, scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] != "websocket.disconnect":
            if b"subscribe" in (event.get("bytes") or event["text"].encode()):
                await self.release.wait()
            if event.get("text") == "drop":
                await send({"type": "websocket.close", "code": 1006})
                return
            await send({"type": "websocket.send", "text": f"{len(event.get('text') or event.get('bytes'))}"})


@contextlib.asynccontextmanager
async def serving(app, *, deaf=False, limits=SMALL):
    bound = socket.create_server(("127.0.0.1", 0))
    http_server = HttpServer(app, bound, secure=None, deaf=deaf, limits=limits)
    await http_server.start()
    try:
        yield bound.getsockname()[1], http_server
        await asyncio.sleep(0)
    finally:
        await http_server.stop(0.1)
        assert http_server.usage.bodies == 0


class Raw:
    """A client that sends what it likes."""

    def __init__(self, port) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    def send(self, data):
        self.writer.write(data)

    async def status(self):
        """The status of the answer, and that the connection is closed after it."""
        answer = await asyncio.wait_for(self.reader.read(), 5)
        assert answer.count(b"HTTP/1.1") == 1
        return int(answer.split()[1])

    async def answer(self):
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)
        await self.reader.readexactly(2)
        return int(head.split()[1])
