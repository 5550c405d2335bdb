"""One call over HTTP: a sealed message is sent, a reply or a named error comes back (docs/protocol.md)."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar, cast

from colony_jupyter.channels.backoff import RetryTimer
from colony_jupyter.client.transport.adapter import ConnectFailed, ExchangeFailed, ProxyRefused
from colony_jupyter.client.transport.endpoint import wait_for_descriptor
from colony_jupyter.client.transport.gateway import connect_error, no_answer, proxy_error, reason
from colony_jupyter.descriptors import are_exhausted, raise_limit
from colony_jupyter.errors import (
    AccessDenied,
    ChannelFull,
    ChannelNotFound,
    MessageTooLarge,
    ProcessNotFound,
    ProtocolError,
    RateLimited,
    ServerRefused,
    ServerUnreachable,
    WorkflowNotFound,
)
from colony_jupyter.wire.decoding import Undecodable
from colony_jupyter.wire.envelope import Refusal, open_reply, seal
from colony_jupyter.wire.messages import msgtype

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from colony_jupyter.client.connection import Scope
    from colony_jupyter.client.transport.adapter import Adapter, Response
    from colony_jupyter.client.transport.endpoint import Endpoint, ServerAddress
    from colony_jupyter.wire.identity import PrivateKey
    from colony_jupyter.wire.messages import Message

T = TypeVar("T")

_ANSWER_SECONDS: Final = 30.0
_FORBIDDEN: Final = 403
_CRASHED: Final = 500
_NOTHING: Final = (b"", b"null")
"""Bodies of a ColonyOS handler that crashed (trap 16)."""

_PROCESS_MISSING: Final = ("process not found", "process is nil")


def refusal_error(status: int, message: str, call: str) -> ServerRefused:
    """Return the named error for a refusal. Statuses are no classes (trap 15), so the message decides."""
    folded = message.casefold()
    if "rate limit exceeded" in folded:
        return RateLimited(status, message, call)
    if "message payload exceeds maximum size" in folded:
        return MessageTooLarge(status, message, call)
    if "channel log is full" in folded:
        return ChannelFull(status, message, call)
    if "channel not found" in folded or "process has too many channels" in folded:
        return ChannelNotFound(status, message, call)
    if any(words in folded for words in _PROCESS_MISSING):
        return ProcessNotFound(status, message, call)
    if "graph is nil" in folded:
        return WorkflowNotFound(status, message, call)
    if status == _FORBIDDEN:
        return AccessDenied(status, message, call)
    return ServerRefused(status, message, call)


async def persist(call: Callable[[], Awaitable[T]]) -> T:
    """Repeat a call until ColonyOS answers it.

    Args:
        call: makes the call; repeating it must do no harm.

    Raises:
        ServerUnreachable: after a minute without an answer.
    """
    retry_timer = RetryTimer(random.random, time.monotonic())
    while True:
        try:
            return await call()
        except ServerUnreachable as error:
            delay = retry_timer.delay(time.monotonic(), error.retry_after)
            if delay is None:
                raise
        await asyncio.sleep(delay)


async def persist_once(call: Callable[[], Awaitable[T]], is_done: Callable[[], Awaitable[bool]]) -> T | None:
    """Repeat a call until ColonyOS answers it, where a second one may be refused because the first was carried out.

    Args:
        call: makes the call.
        is_done: finds out whether an earlier call, whose answer was lost, was carried out.

    Returns:
        The answer; None if it was lost.

    Raises:
        ServerUnreachable: after a minute without an answer.
        ServerRefused: if the server refuses the call.
    """
    was_sent = False

    async def attempt() -> T | None:
        nonlocal was_sent
        try:
            return await call()
        except ServerUnreachable as error:
            was_sent = was_sent or error.sent
            raise
        except ServerRefused:
            if was_sent and await is_done():
                return None
            raise

    return await persist(attempt)


class Transport:
    """Calls a server over kept-alive connections, which are closed at the latest when their event loop ends.

    Args:
        endpoint: where the server is.
        scope: the process and event loop that the connections belong to.
        adapter: carries the requests in place of connections; it is closed with this.
    """

    def __init__(self, endpoint: Endpoint, scope: Scope, adapter: Adapter | None = None) -> None:
        self._endpoint = endpoint
        self._scope = scope
        self._given = adapter
        self._adapter: Adapter | None = None  # None until the first call
        self._server: ServerAddress | None = None  # None until found, and again after a connection failed
        self._closer: AsyncGenerator[None, None] | None = None  # closes the adapter

    async def call(self, message: Message, key: PrivateKey | None, shape: type[T], *, seconds: float = 0.0) -> T:
        """Make a call.

        Args:
            message: the call.
            key: the key that signs it; None for the few calls that need no signature.
            shape: the type that the reply is converted to.
            seconds: how long the server may wait by design before it answers.

        Raises:
            ServerUnreachable: if ColonyOS does not answer; `sent` states whether the call may have been carried out.
            ServerRefused: or one of its subclasses, if the server or a gateway in front of it refuses.
            ProtocolError: if the reply cannot be read.
            UsageError: if the client was closed, or belongs to another process or event loop.
        """
        self._scope.enter()
        call = msgtype(message)
        request = seal(message, key)
        server, response = await wait_for_descriptor(lambda: self._exchange(request, call, seconds))
        try:
            _, value = open_reply(response.body, shape)
        except Undecodable as error:
            raise ProtocolError(f"The server's answer to {call} cannot be read: {error}.") from error
        except ProtocolError as error:
            if response.status == _CRASHED and response.body.strip() in _NOTHING:
                raise
            self._server = None  # an embedded colony that was restarted has another port
            raise no_answer(
                response.status,
                response.headers,
                response.body,
                address=str(server),
                call=call,
                size=len(request),
                now=datetime.now(UTC),
                proxy=self._proxy_source,
            ) from error
        if isinstance(value, Refusal):
            raise refusal_error(value.status, value.message, call)
        return cast("T", value)

    async def find_server(self) -> ServerAddress:
        """Find the server's address, and load the HTTP library meanwhile: an embedded colony starts in that time.

        Returns:
            The address.

        Raises:
            EmbeddedError: if the embedded colony cannot be started.
        """
        finding = asyncio.create_task(self._endpoint.server())
        try:
            await asyncio.sleep(0)  # the thread that waits for the embedded colony begins
            await self._opened()
            self._server = await finding
            return self._server
        finally:
            finding.cancel()
            await asyncio.gather(finding, return_exceptions=True)

    async def aclose(self) -> None:
        """Close the connections."""
        closer, self._closer, self._adapter = self._closer, None, None
        if closer is not None:
            await closer.aclose()

    async def _opened(self) -> Adapter:
        if self._adapter is None:
            from colony_jupyter.client.transport.http_pool import Pool  # noqa: PLC0415 - aiohttp costs 100 ms

            raise_limit()
            self._adapter = self._given or Pool(self._endpoint)
            self._closer = _close_with_loop(self._adapter)
            self._scope.hold(self._closer)
            await anext(self._closer)
        return self._adapter

    async def _exchange(self, body: bytes, call: str, seconds: float) -> tuple[ServerAddress, Response]:
        server = self._server or await self.find_server()
        adapter = await self._opened()
        try:
            return server, await adapter.post(server, body, seconds=_ANSWER_SECONDS + seconds)
        except ProxyRefused as error:
            raise proxy_error(
                str(error), error.status, address=str(server), call=call, proxy=self._proxy_source
            ) from error
        except ConnectFailed as error:
            if not are_exhausted(error):
                self._server = None
            raise connect_error(error, address=str(server), proxy=self._endpoint.settings.proxy) from error
        except ExchangeFailed as error:
            self._server = None
            raise ServerUnreachable(str(server), reason(error), sent=True) from error

    @property
    def _proxy_source(self) -> str:
        proxy = self._endpoint.settings.proxy
        return "" if proxy is None else proxy.source


async def _close_with_loop(adapter: Adapter) -> AsyncGenerator[None, None]:
    """Close an adapter when this generator is closed: by its holder, when it is dropped, or when its loop ends.

    `asyncio.run` closes asynchronous generators before it closes the loop, and there is no other public hook for that.
    """
    try:
        yield
    finally:
        await adapter.aclose()
