"""What one client may use of the server: uvicorn's protocols with limits on size, time and number.

uvicorn limits neither headers nor bodies nor slow senders. Here every connection can be checked from time to time
(`check`), which costs nothing while requests run; sizes are counted as bytes come in.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent
    from websockets.frames import Frame

_MIB: Final = 1024 * 1024
_LINGER: Final = 0.5
"""Seconds a refused client may go on sending into the void, so that it gets to read the refusal."""


@dataclass(frozen=True)
class ClientLimits:
    """The limits.

    Attributes:
        headers: bytes of a request's head.
        body: bytes of a request as it comes over the wire. An entry of 10 MiB is 17.8 MiB by two times base64.
        bodies: bytes of all requests together that were not answered yet.
        message: bytes of a message on a WebSocket; subscriptions have some hundred.
        fragments: frames that message may come in.
        connections: connections of all kinds.
        request_seconds: seconds in which a request's head must be complete, and its body must have grown by
            ``progress``.
        progress: bytes, see there.
        unread: seconds an answer may wait for a client that does not read.
        idle: seconds a connection stays open for the client's next request. More than clients keep theirs (ours: 5 s),
            since a request sent into a closing connection is lost.
    """

    headers: int = 64 * 1024
    body: int = 32 * _MIB
    bodies: int = 256 * _MIB
    message: int = 64 * 1024
    fragments: int = 64
    connections: int = 4000
    request_seconds: float = 10.0
    progress: int = 64 * 1024
    unread: float = 120.0
    idle: int = 75


@dataclass
class Usage:
    """What all connections use together.

    Attributes:
        bodies: bytes of requests that were not answered yet.
    """

    bodies: int = 0


class BoundedConfig(uvicorn.Config):
    """uvicorn's settings, which reach every protocol, with ours besides."""

    limits: ClientLimits
    usage: Usage


@dataclass
class _Unread:
    """Since when a client has not read; None while it does."""

    since: float | None = field(default=None)

    def too_long(self, paused: bool, now: float, longest: float) -> bool:  # noqa: FBT001 - one of three facts
        if not paused:
            self.since = None
        elif self.since is None:
            self.since = now
        return self.since is not None and now - self.since > longest


class BoundedHttp(HttpToolsProtocol):
    """HTTP within `ClientLimits`; a client beyond them is answered 408, 413, 431 or 503 and disconnected."""

    config: BoundedConfig

    def __init__(self, config: BoundedConfig, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self._limits = config.limits
        self._usage = config.usage
        # Bytes of this connection in the usage.
        self._held = 0
        # Number of requests begun: a check compares it with the one before.
        self._request = 0
        # Bytes of the request that is coming in. Those in one read with its predecessor are not counted.
        self._fed = 0
        # Bytes of the present read that belong to the next request to begin.
        self._reading = 0
        # A new connection has a request to send.
        self._in_head = True
        self._receiving = True
        self._refused = False
        # Request and bytes at the last check; None if nothing was expected of the client then.
        self._at_last_check: tuple[int, int] | None = None
        self._unread = _Unread()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse a connection too many."""
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections", linger=0)

    def connection_lost(self, exc: Exception | None) -> None:
        """Release what the connection used."""
        self._give_back()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count, parse, and refuse what has become too much."""
        if self._refused:
            return
        self._reading = 0 if self._receiving and self._request else len(data)
        self._fed += len(data)
        self._held += len(data)
        self._usage.bodies += len(data)
        super().data_received(data)
        if not self._receiving or self._refused:
            return
        if self._in_head and self._fed > self._limits.headers:
            self._refuse(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"more than {self._limits.headers} bytes of headers"
            )
        elif self._fed > self._limits.body:
            self._refuse_body()
        elif self._usage.bodies > self._limits.bodies:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too many large requests at once, try again")

    def on_message_begin(self) -> None:
        """Count a request that begins."""
        self._request += 1
        self._fed, self._reading = self._reading, 0
        self._in_head = self._receiving = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Refuse a body whose declared length is too large, before it is sent."""
        self._in_head = False
        length = next((value for name, value in self.headers if name == b"content-length"), b"0")
        # The parser has seen to it that these are digits.
        if int(length) > self._limits.body:
            self._refuse_body()
        if not self._refused:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass a piece of the body on; the parser continues to the end of what was read, also of a refused request."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the request is complete: the client waits now."""
        self._receiving = False
        if not self._refused:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Release what an answered request used."""
        self._give_back()
        super().on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        """Pass the connection on to a WebSocket."""
        self._give_back()
        super().handle_websocket_upgrade()

    def abandon(self) -> None:
        """Notify the application that its answer is not wanted any more."""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def check(self, now: float) -> None:
        """Refuse a client that the server has waited for too long; ``now`` in seconds of the loop's clock."""
        if self._unread.too_long(self.flow.write_paused, now, self._limits.unread):
            self.transport.abort()
            return
        answering = self.cycle is not None and not self.cycle.response_complete
        # Neither a request nor the timer of an idle connection: blank lines, which the parser skips.
        blank = not answering and self.timeout_keep_alive_task is None
        if self._refused or self.flow.read_paused or not (self._receiving or blank):
            self._at_last_check = None
            return
        before, self._at_last_check = self._at_last_check, (self._request, self._fed)
        if before and before[0] == self._request and self._fed - before[1] < self._limits.progress:
            self._refuse(
                HTTPStatus.REQUEST_TIMEOUT, f"the request did not come in within {self._limits.request_seconds:g} s"
            )

    def _refuse_body(self) -> None:
        self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request may have {self._limits.body} bytes")

    def _refuse(self, status: HTTPStatus, why: str, linger: float = _LINGER) -> None:
        self._refused = True
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering:
            self.abandon()
        if not (answering and self.cycle.response_started):
            body = f"{why}\n".encode()
            self.transport.write(
                f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
                + body
            )
        self._give_back()
        # What is still sent is read and dropped: closing at once would reset the connection before the answer is read.
        self.flow.resume_reading()
        self.loop.call_later(linger, self.transport.close)

    def _give_back(self) -> None:
        self._usage.bodies -= self._held
        self._held = 0


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket within `ClientLimits`. The size of its messages is uvicorn's to watch."""

    config: BoundedConfig

    def __init__(self, config: BoundedConfig, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self._whole_app = self.app
        self.app = self._until_lost
        self._unread = _Unread()
        # Frames of the message that is coming in, after the first.
        self._fragments = 0
        # The application at work on this connection; None before it is.
        self._working: asyncio.Task[None] | None = None
        self._lost = False

    async def run_asgi(self) -> None:
        """Run the application on this connection, for as long as there is one."""
        self._working = asyncio.current_task()
        try:
            await super().run_asgi()
        finally:
            self._working = None

    async def _until_lost(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self._whole_app(scope, receive, send)
        except asyncio.CancelledError:
            if not self._lost:  # else it is what `connection_lost` wanted, and no accident to be logged
                raise

    def connection_lost(self, exc: Exception | None) -> None:
        """End what the application does for a client that is gone: it may be waiting for something to send."""
        super().connection_lost(exc)
        self._lost = True
        if self._working is not None:
            self._working.cancel()

    async def send(self, message: ASGISendEvent) -> None:
        """Send what the application sends. A close with 1006 is one without a close frame, as the code has it."""
        if message["type"] == "websocket.close" and message.get("code") == CloseCode.ABNORMAL_CLOSURE:
            self.close_sent = True
            self.transport.close()
        else:
            await super().send(message)

    def handle_cont(self, event: Frame) -> None:
        """Add a fragment of a message, up to the bound."""
        # Empty fragments cost the sender little and us a list that grows.
        self._fragments = 0 if event.fin else self._fragments + 1
        if self._fragments >= self.config.limits.fragments:
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
            self.handle_parser_exception()
        else:
            super().handle_cont(event)

    def check(self, now: float) -> None:
        """Cut off a client that does not read; ``now`` in seconds of the loop's clock."""
        if self._unread.too_long(not self.writable.is_set(), now, self.config.limits.unread):
            self.transport.abort()
