"""Subscriptions over WebSockets, one connection each (docs/protocol.md sections 2 and 5, traps 7 and 8)."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from colony_jupyter.client.transport.frames import Frames
from colony_jupyter.client.transport.gateway import UNANSWERED, connect_error, reason, retry_after
from colony_jupyter.client.transport.http import refusal_error
from colony_jupyter.errors import ServerUnreachable, WebSocketRefused
from colony_jupyter.wire.envelope import Refusal, open_reply, seal
from colony_jupyter.wire.messages import msgtype

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from websockets.exceptions import InvalidHandshake

    from colony_jupyter.client.transport.endpoint import Endpoint
    from colony_jupyter.network import Proxy
    from colony_jupyter.wire.identity import PrivateKey
    from colony_jupyter.wire.messages import Message

T = TypeVar("T")

_OPEN_SECONDS: Final = 10.0
_CLOSE_SECONDS: Final = 0.2


@contextlib.asynccontextmanager
async def subscription(
    endpoint: Endpoint, message: Message, key: PrivateKey, shape: type[T]
) -> AsyncIterator[Frames[T]]:
    """Open a connection and send a subscription on it; returns what its frames hold, in this shape.

    They end when the connection does, by whichever side and however: to a subscription that is no fault.

    Raises:
        WebSocketRefused: if what answers refuses WebSockets.
        ServerUnreachable: if there is no connection.
        ServerRefused: from the frames, when an error frame comes.
        ProtocolError: from the frames, when a frame cannot be read.
        Undecodable: from the frames, when a frame holds something else.
    """
    from websockets.asyncio.client import connect  # noqa: PLC0415 - not before it is needed
    from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage  # noqa: PLC0415 - likewise

    from colony_jupyter.client.transport.receiving import ReceivingConnection  # noqa: PLC0415 - likewise

    server = await endpoint.server()
    proxy = endpoint.settings.proxy
    proxy_options: dict[str, Any] = {"proxy_ssl": endpoint.tls_context()} if proxy is not None and proxy.is_tls else {}

    frames: Frames[T] = Frames()

    def receive(arrived: list[bytes]) -> None:
        values: list[T] = []
        try:
            try:
                for each in arrived:
                    _, value = open_reply(each, shape)
                    if isinstance(value, Refusal):
                        raise refusal_error(value.status, value.message, msgtype(message))
                    values.append(value)
            finally:
                if values:
                    frames.put(values)
        except Exception as error:  # noqa: BLE001 - raised where the frames are waited for
            frames.end(error)

    try:
        connection = await connect(
            server.pubsub,
            ssl=endpoint.tls_context() if server.tls else None,
            proxy=proxy.url if proxy is not None else None,
            **proxy_options,
            compression=None,  # the server does not offer it
            max_size=None,  # the log past `afterseq` comes as one frame
            ping_interval=None,  # a server answers no ping during a channel subscription
            open_timeout=_OPEN_SECONDS,
            close_timeout=_CLOSE_SECONDS,  # nor does it notice a close
            create_connection=partial(  # type: ignore[arg-type]  # any factory, by its documentation
                ReceivingConnection, receive=receive, lost=frames.end, gather=frames.gather
            ),
        )
    except (InvalidMessage, EOFError) as error:  # the connection was cut, or what answers does not speak HTTP
        raise ServerUnreachable(str(server), reason(error)) from error
    except InvalidHandshake as error:
        raise _refusal(error, str(server), proxy) from error
    except OSError as error:
        raise connect_error(error, address=str(server), proxy=proxy) from error
    try:
        with contextlib.suppress(ConnectionClosed):
            await connection.send(seal(message, key).decode("ascii"))
        yield frames
    finally:
        frames.close()
        # Without a closing handshake: a server does not read during a subscription, so that each would have to be
        # waited for in vain, by what waits for the end of a stream.
        connection.transport.abort()
        await connection.wait_closed()


def _refusal(error: InvalidHandshake, address: str, proxy: Proxy | None) -> ServerUnreachable:
    from websockets.exceptions import InvalidProxyStatus, InvalidStatus, ProxyError  # noqa: PLC0415 - as above

    response = error.response if isinstance(error, InvalidStatus | InvalidProxyStatus) else None
    status = 0 if response is None else response.status_code
    if response is not None and status in UNANSWERED:
        wait = retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC))
        return ServerUnreachable(address, reason(error), status=status, retry_after=wait)
    by = f"the proxy {proxy.shown}" if proxy is not None and isinstance(error, ProxyError) else address
    return WebSocketRefused(address, reason(error), by=by, status=status)
