"""A listening socket with an ASGI application behind it, on uvicorn's protocols.

uvicorn's own server checks ten times a second whether it should stop, knows no limit for a TLS handshake, and takes
up to half a second to end; this one stops on request.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any, Final, cast

from starlette.requests import ClientDisconnect
from uvicorn.server import ServerState

from colony_jupyter.server.process.client_limits import (
    BoundedConfig,
    BoundedHttp,
    BoundedWebSocket,
    ClientLimits,
    Usage,
)
from colony_jupyter.server.process.unresponsive_websocket import UnresponsiveWebSocket

if TYPE_CHECKING:
    import ssl

    from starlette.types import ASGIApp, Receive, Scope, Send

_BACKLOG: Final = 1024
_AFTERTHOUGHT: Final = 0.2
"""Seconds for what was cancelled to end, and for last answers to leave."""


class HttpServer:
    """Serves an application on a socket that is bound already.

    Args:
        app: the ASGI application; it gets no lifespan events.
        bound: a listening or bound socket; it is closed by `stop`.
        secure: the TLS context, if any.
        deaf: whether WebSockets are silent while a channel subscription runs, as the real server's are.
        limits: limits for clients.
    """

    def __init__(
        self, app: ASGIApp, bound: socket.socket, *, secure: ssl.SSLContext | None, deaf: bool, limits: ClientLimits
    ) -> None:
        self._bound = bound
        self._secure = secure
        self._limits = limits
        self._app = app
        self._stopping = False
        self._config = BoundedConfig(
            app=cast("Any", self._run),
            interface="asgi3",
            http=BoundedHttp,
            ws=UnresponsiveWebSocket if deaf else BoundedWebSocket,
            ws_max_size=limits.message,
            # A server's pings would cut off clients that answer only while they read.
            ws_ping_interval=None,
            # The real server does not compress either, and a stream is many small messages.
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=limits.idle,
        )
        self._config.limits = limits
        self._config.usage = Usage()
        self._state = ServerState()
        # Both None until started.
        self._server: asyncio.Server | None = None
        self._checking: asyncio.Task[None] | None = None

    @property
    def usage(self) -> Usage:
        """What all clients use together."""
        return self._config.usage

    async def start(self) -> None:
        """Accept connections from now on."""
        self._config.load()
        loop = asyncio.get_running_loop()
        # Accepted connections inherit it. asyncio's own loop does not set it on a socket that was bound by others, and
        # every answer, a head and a body, would wait 40 ms for the client's delayed acknowledgement; uvloop does.
        self._bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._server = await loop.create_server(
            lambda: BoundedHttp(self._config, self._state, {}, loop),
            sock=self._bound,
            ssl=self._secure,
            ssl_handshake_timeout=None if self._secure is None else self._limits.request_seconds,
            backlog=_BACKLOG,
        )
        self._checking = asyncio.create_task(self._check_connections())

    async def stop(self, grace: float) -> None:
        """Accept nothing more, finish answers for up to ``grace`` seconds, close what is left."""
        if self._server is None or self._checking is None:
            self._bound.close()
            return
        self._stopping = True
        self._checking.cancel()
        self._server.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        await self._wait_for_tasks(grace)
        for connection in self._state.connections:
            if isinstance(connection, BoundedHttp):
                connection.abandon()
        for task in self._state.tasks:
            task.cancel()
        await self._wait_for_tasks(_AFTERTHOUGHT)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_AFTERTHOUGHT):
                while self._state.connections:  # noqa: ASYNC110 - uvicorn's set has no event for being empty
                    await asyncio.sleep(_AFTERTHOUGHT / 20)
        for connection in list(self._state.connections):
            connection.transport.abort()

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            pass  # half a request: there is no client left to answer
        except asyncio.CancelledError:
            if not self._stopping:  # else it is no accident, which uvicorn would log as one
                raise

    async def _wait_for_tasks(self, seconds: float) -> None:
        if self._state.tasks:
            await asyncio.wait(list(self._state.tasks), timeout=seconds)

    async def _check_connections(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._limits.request_seconds)
            for connection in cast("list[BoundedHttp | BoundedWebSocket]", list(self._state.connections)):
                connection.check(loop.time())
