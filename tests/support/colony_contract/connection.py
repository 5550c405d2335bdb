"""Plain HTTP and WebSocket, with replies taken out of their envelopes."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import ssl
import time
from typing import TYPE_CHECKING, Any, Self

import httpx
import websockets
from websockets.asyncio.client import ClientConnection, connect

if TYPE_CHECKING:
    from types import TracebackType

    from colony_contract.cast import Place

_PATIENCE = 60.0


def open_envelope(text: str | bytes) -> dict[str, Any]:
    """Read an envelope; a reply that is none is reported as such."""
    try:
        envelope = json.loads(text)
        payload = json.loads(base64.b64decode(envelope["payload"], validate=True))
    except (ValueError, binascii.Error, KeyError, TypeError):
        return {"not_an_envelope": text if isinstance(text, str) else text.decode("utf-8", "replace")}
    return {"error": envelope.get("error"), "payloadtype": envelope.get("payloadtype"), "payload": payload}


class Socket:
    """One WebSocket connection, without pings of its own."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, text: str, *, binary: bool) -> None:
        """Send one message; a connection the server has closed shows when it is read."""
        try:
            await self._connection.send(text.encode() if binary else text)
        except websockets.ConnectionClosed:
            return

    async def receive(self, seconds: float) -> dict[str, Any] | None:
        """Wait for a frame; None when the time is up.

        Raises:
            websockets.ConnectionClosed: if the server has closed the connection.
        """
        try:
            frame = await asyncio.wait_for(self._connection.recv(), seconds)
        except TimeoutError:
            return None
        return {**open_envelope(frame), "binary": isinstance(frame, bytes)}

    async def ping(self, seconds: float) -> bool:
        """Return whether a ping is answered in time."""
        try:
            answered = await self._connection.ping()
            await asyncio.wait_for(answered, seconds)
        except (TimeoutError, websockets.ConnectionClosed):
            return False
        return True

    async def drop(self) -> None:
        """Be gone, without waiting for a server that does not listen."""
        self._connection.transport.abort()
        await self._connection.wait_closed()


class Server:
    """A server at an address."""

    def __init__(self, place: Place) -> None:
        secure = "s" if place.tls else ""
        self._api = f"http{secure}://{place.host}:{place.port}/api"
        self._pubsub = f"ws{secure}://{place.host}:{place.port}/pubsub"
        self._ssl = ssl.create_default_context() if place.tls else None
        verify = self._ssl if self._ssl is not None else False
        self._http = httpx.AsyncClient(verify=verify, timeout=_PATIENCE, trust_env=False)
        self._sockets: dict[str, Socket] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for socket in self._sockets.values():
            await socket.drop()
        await self._http.aclose()

    async def post(self, body: str) -> dict[str, Any]:
        """Make one call."""
        answer = await self._http.post(self._api, content=body.encode())
        if not answer.content:
            return {"status": answer.status_code, "empty_body": True}
        return {"status": answer.status_code, **open_envelope(answer.content)}

    async def socket(self, name: str) -> Socket:
        """Return the connection of that name, opened when first asked for."""
        if name not in self._sockets:
            connection = await connect(
                self._pubsub, ping_interval=None, max_size=None, compression=None, ssl=self._ssl, proxy=None
            )
            self._sockets[name] = Socket(connection)
        return self._sockets[name]

    async def drop(self, name: str) -> None:
        """Drop the connection of that name; its next use opens a new one."""
        await self._sockets.pop(name).drop()


def now() -> float:
    """Seconds on a clock that only goes forward."""
    return time.monotonic()
