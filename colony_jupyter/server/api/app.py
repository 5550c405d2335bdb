"""The ASGI application: HTTP calls, the health check, subscriptions."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from colony_jupyter.server.api.decoding import (
    Unanswered,
    open_envelope,
    read_message,
    read_subscription,
    signer_of,
)
from colony_jupyter.server.api.subscriptions import ConnectionDropped, frames
from colony_jupyter.server.calls import HANDLERS
from colony_jupyter.server.calls.registry import Caller, Silence
from colony_jupyter.server.calls.unsupported import UNSUPPORTED
from colony_jupyter.server.errors import Refused
from colony_jupyter.wire.envelope import seal_refusal, seal_reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send
    from starlette.websockets import WebSocket

    from colony_jupyter.server.server import Server

_TYPE: Final = b"text/plain; charset=utf-8"
_EMPTY_TYPE: Final = (
    "invalid rpcMsg.PayloadType: empty (this usually means the client is misconfigured - check that "
    "COLONIES_PRVKEY and other environment variables are set correctly)"
)


def create_app(server: Server) -> ASGIApp:
    """Make the application of a server that is started already.

    Args:
        server: the colony.
    """

    async def pubsub(websocket: WebSocket) -> None:
        await websocket.accept()
        with contextlib.suppress(WebSocketDisconnect):
            await _converse(server, websocket)

    others = Starlette(
        routes=[
            Route("/health", _health, methods=["GET"]),
            WebSocketRoute("/pubsub", pubsub),
        ],
        exception_handlers={404: _not_found, 405: _not_found},
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if is_foreign(scope):
            await _refuse_foreign(scope, send)
            return
        # Calls go by no routes, middleware or request objects: together they would cost as much as most calls do.
        if scope["type"] == "http" and scope["path"] == "/api" and scope["method"] == "POST":
            await _answer(server, scope, receive, send)
        else:
            await others(scope, receive, send)

    return app


def is_foreign(scope: Scope) -> bool:
    """Return True if a page of another site sent the request: only browsers send the header ``Origin``."""
    if scope["type"] not in ("http", "websocket"):
        return False
    headers = scope["headers"]
    origins = [value for name, value in headers if name == b"origin"]
    hosts = [value for name, value in headers if name == b"host"]
    return any(not hosts or origin.partition(b"://")[2] != hosts[0] for origin in origins)


async def _refuse_foreign(scope: Scope, send: Send) -> None:
    # The body is not read: a page must not be able to make the server hold what it sends.
    if scope["type"] == "websocket":
        await send({"type": "websocket.close"})  # before it was accepted: answered 403
        return
    body = seal_refusal(403, "Requests of pages of another origin are refused")
    headers = [(b"content-type", _TYPE), (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _health(_: Request) -> Response:
    return Response()


async def _not_found(_: Request, __: Exception) -> Response:
    return PlainTextResponse("404 page not found", status_code=404)


async def _answer(server: Server, scope: Scope, receive: Receive, send: Send) -> None:
    pieces = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return  # half a request: there is no client left to answer
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    status = 200
    try:
        body = await _carry_out(server, b"".join(pieces), _gone(receive), _address(scope))
    except Refused as refused:
        status, body = refused.status, seal_refusal(refused.status, refused.message)
    headers = [(b"content-type", _TYPE), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _carry_out(
    server: Server, body: bytes, gone: Callable[[], Awaitable[None]], address: tuple[str, int]
) -> bytes:
    envelope = open_envelope(body)
    handler = HANDLERS.get(envelope.payloadtype)
    signed = handler is None or handler.signed
    callerid = signer_of(envelope) if signed else ""
    if handler is None:
        kind = envelope.payloadtype
        if kind in UNSUPPORTED:
            raise Refused(403, f"the embedded colony has no {UNSUPPORTED[kind]} ({kind})")
        raise Refused(403, f"invalid rpcMsg.PayloadType: {kind}" if kind else _EMPTY_TYPE)
    message = read_message(envelope, handler)
    caller = Caller(callerid, gone, address)

    async def work() -> bytes:
        value = await handler.work(server, message, caller)
        # Sealed at once, as it is now: by the time it is on disk others may have changed it.
        return b"" if isinstance(value, Silence) else seal_reply(handler.replytype, value)

    return await server.carry_out(work)


def _address(scope: Scope) -> tuple[str, int]:
    """Return the host and the port that a request was sent to."""
    host, port = scope.get("server") or ("", 0)
    return host, port or 0


def _gone(receive: Receive) -> Callable[[], Awaitable[None]]:
    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    return gone


async def _converse(server: Server, websocket: WebSocket) -> None:
    """Serve the subscriptions of a connection, one after the other."""
    while not server.stopping.is_set():
        received = await websocket.receive()
        if received["type"] == "websocket.disconnect":
            return
        binary = received.get("bytes") is not None
        body = received["bytes"] if binary else received["text"]
        try:
            envelope = open_envelope(body)
            callerid = signer_of(envelope)
        except Refused:
            break
        try:
            message = read_subscription(envelope)
        except Unanswered:
            continue
        except Refused as refused:
            await _send(websocket, seal_refusal(refused.status, refused.message), binary=binary)
            continue
        caller = Caller(callerid, _never, _address(websocket.scope))
        serving = asyncio.ensure_future(_subscription(server, websocket, message, caller, binary=binary))
        stopping = asyncio.ensure_future(server.stopping.wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            serving.cancel()
        try:
            await serving
        except Refused as refused:
            await _send(websocket, seal_refusal(refused.status, refused.message), binary=binary)
        except (ConnectionDropped, asyncio.CancelledError):
            break
    await websocket.close(1006)  # dropped without a close frame, as the real server does (trap 8)


async def _never() -> None:
    await asyncio.Event().wait()


async def _subscription(server: Server, websocket: WebSocket, message: object, caller: Caller, *, binary: bool) -> None:
    async with contextlib.aclosing(frames(server, message, caller)) as stream:  # type: ignore[arg-type, type-var]
        async for payloadtype, value in stream:
            await _send(websocket, seal_reply(payloadtype, value), binary=binary)


async def _send(websocket: WebSocket, frame: bytes, *, binary: bool) -> None:
    if binary:
        await websocket.send_bytes(frame)
    else:
        await websocket.send_text(frame.decode())
