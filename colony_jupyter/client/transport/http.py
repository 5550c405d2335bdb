"""One call over HTTP: a sealed message is sent, a reply or a named error comes back (docs/protocol.md)."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from colony_jupyter.channels.backoff import Patience
from colony_jupyter.client.endpoint import wait_for_descriptor
from colony_jupyter.client.gateway import connect_error, no_answer, proxy_error, reason
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
)
from colony_jupyter.wire.decoding import Undecodable, convert
from colony_jupyter.wire.envelope import Refusal, open_reply, seal
from colony_jupyter.wire.messages import msgtype

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    import httpx

    from colony_jupyter.client.connection import Scope
    from colony_jupyter.client.endpoint import Endpoint, Place
    from colony_jupyter.wire.identity import PrivateKey
    from colony_jupyter.wire.messages import Message

T = TypeVar("T")

_CONNECT_SECONDS: Final = 10.0
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
    patience = Patience(random.random, time.monotonic())
    while True:
        try:
            return await call()
        except ServerUnreachable as error:
            delay = patience.delay(time.monotonic(), error.retry_after)
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
    """Calls a server over one kept-alive HTTP client, which is closed at the latest when its event loop ends.

    Args:
        endpoint: where the server is.
        scope: the process and event loop that the connections belong to.
        transport: carries the requests in place of httpx's own network transport; for tests.
    """

    def __init__(self, endpoint: Endpoint, scope: Scope, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._endpoint = endpoint
        self._scope = scope
        self._transport = transport
        self._client: httpx.AsyncClient | None = None  # None until the first call: the import of httpx is slow
        self._place: Place | None = None  # None until found, and again after a connection failed
        self._closer: AsyncGenerator[None, None] | None = None  # closes the client

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
        response = await wait_for_descriptor(lambda: self._exchange(request, call, seconds))
        try:
            _, value = open_reply(response.content)
        except ProtocolError as error:
            if response.status_code == _CRASHED and response.content.strip() in _NOTHING:
                raise
            self._place = None  # an embedded colony that was restarted has another port
            raise no_answer(
                response.status_code,
                response.headers,
                response.content,
                address=response.url.netloc.decode("ascii"),
                call=call,
                size=len(request),
                now=datetime.now(UTC),
                proxy=self._proxy_source,
            ) from error
        if isinstance(value, Refusal):
            raise refusal_error(value.status, value.message, call)
        try:
            return convert(value, shape)
        except Undecodable as error:
            raise ProtocolError(f"The server's answer to {call} cannot be read: {error}.") from error

    async def aclose(self) -> None:
        """Close the connections."""
        closer, self._closer, self._client = self._closer, None, None
        if closer is not None:
            await closer.aclose()

    async def _opened(self) -> httpx.AsyncClient:
        import httpx  # noqa: PLC0415 - costs 100 to 170 ms, so not before it is needed

        if self._client is None:
            raise_limit()
            self._client = httpx.AsyncClient(
                transport=self._transport,
                verify=self._endpoint.tls_context() if self._endpoint.settings.tls else False,
                proxy=self._proxy(),
                trust_env=False,  # the settings hold what the environment states
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
                timeout=None,  # noqa: S113 - each call has its own
            )
            self._closer = _close_with_loop(self._client)
            self._scope.hold(self._closer)
            await anext(self._closer)
        return self._client

    async def _exchange(self, body: bytes, call: str, seconds: float) -> httpx.Response:
        import httpx  # noqa: PLC0415 - see _opened

        client = await self._opened()
        timeout = httpx.Timeout(_ANSWER_SECONDS + seconds, connect=_CONNECT_SECONDS)
        if self._place is None:
            self._place = await self._endpoint.place()
        place = self._place
        try:
            return await client.post(place.api, content=body, timeout=timeout)
        except httpx.ProxyError as error:
            raise proxy_error(str(error), address=str(place), call=call, proxy=self._proxy_source) from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if not are_exhausted(error):
                self._place = None
            raise connect_error(error, address=str(place), proxy=self._endpoint.settings.proxy) from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            self._place = None
            raise ServerUnreachable(str(place), reason(error), sent=True) from error

    @property
    def _proxy_source(self) -> str:
        proxy = self._endpoint.settings.proxy
        return "" if proxy is None else proxy.source

    def _proxy(self) -> httpx.Proxy | None:
        import httpx  # noqa: PLC0415 - see _opened

        proxy = self._endpoint.settings.proxy
        if proxy is None or self._transport is not None:
            return None
        return httpx.Proxy(proxy.url, ssl_context=self._endpoint.tls_context() if proxy.is_tls else None)


async def _close_with_loop(client: httpx.AsyncClient) -> AsyncGenerator[None, None]:
    """Close a client when this generator is closed: by its holder, when it is dropped, or when its loop ends.

    `asyncio.run` closes asynchronous generators before it closes the loop, and there is no other public hook for that.
    """
    try:
        yield
    finally:
        await client.aclose()
