"""One call over HTTP: an envelope there, a reply or a named error back (docs/protocol.md sections 2 and 4)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, TypeVar

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
    import httpx

    from colony_jupyter.client.endpoint import Endpoint, Place
    from colony_jupyter.wire.identity import PrivateKey
    from colony_jupyter.wire.messages import Message

T = TypeVar("T")

_CONNECT_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 30.0
_FORBIDDEN: Final = 403
# Not those of TLS or of name resolution, which have words of their own.
_SYSTEM_ERRORS: Final = (OSError, ConnectionRefusedError, ConnectionResetError, BrokenPipeError, TimeoutError)
_PROCESS_MISSING: Final = ("process not found", "process is nil")


def refusal_error(status: int, message: str, call: str) -> ServerRefused:
    """Name a refusal. Statuses are no classes (trap 15), so the words decide."""
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


class Transport:
    """Calls a server over one kept-alive HTTP client.

    Args:
        endpoint: where the server is.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client: httpx.AsyncClient | None = None  # None until the first call: importing httpx takes its time
        self._place: Place | None = None  # None until found, and again after a connection failed

    async def call(self, message: Message, key: PrivateKey | None, shape: type[T], *, seconds: float = 0.0) -> T:
        """Make a call.

        Args:
            message: the call.
            key: whose call it is; None for the few that need no signature.
            shape: what the reply is read as.
            seconds: for how long the server may wait by design before it answers.

        Raises:
            ServerUnreachable: if there is no connection; `sent` tells whether the call may have been carried out.
            ServerRefused: or one of its kinds, if the server says no.
            ProtocolError: if the reply cannot be read.
        """
        body = await self._exchange(seal(message, key), seconds)
        _, value = open_reply(body)
        if isinstance(value, Refusal):
            raise refusal_error(value.status, value.message, msgtype(message))
        try:
            return convert(value, shape)
        except Undecodable as error:
            raise ProtocolError(f"The server's answer to {msgtype(message)} cannot be read: {error}.") from error

    async def aclose(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _exchange(self, body: bytes, seconds: float) -> bytes:
        import httpx  # noqa: PLC0415 - costs 100 to 170 ms, so not before it is needed

        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=self._endpoint.tls_context() if self._endpoint.settings.tls else False,
                trust_env=not self._endpoint.settings.is_embedded,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
                timeout=None,  # noqa: S113 - each call says its own
            )
        timeout = httpx.Timeout(_ANSWER_SECONDS + seconds, connect=_CONNECT_SECONDS)
        if self._place is None:
            self._place = await self._endpoint.place()
        place = self._place
        try:
            response = await self._client.post(place.api, content=body, timeout=timeout)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            self._place = None
            raise ServerUnreachable(str(place), reason(error)) from error
        except httpx.TransportError as error:
            self._place = None
            raise ServerUnreachable(str(place), reason(error), sent=True) from error
        return response.content


def reason(error: BaseException) -> str:
    """Say what the lowest layer said; those above it often say nothing, and asyncio hides the words of the system."""
    cause = error
    while (below := cause.__cause__ or cause.__context__) is not None:
        cause = below
    if type(cause) in _SYSTEM_ERRORS and isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno)
    return (str(cause) or str(error) or type(cause).__name__).strip().rstrip(".")
