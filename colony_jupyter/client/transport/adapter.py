"""What carries requests to a server: `http_pool.Pool`, or another implementation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from colony_jupyter.client.transport.endpoint import ServerAddress


@dataclass(frozen=True, slots=True)
class Response:
    """What answered a request.

    Attributes:
        status: the HTTP status.
        headers: the headers; names in lower case, or a mapping that ignores case.
        body: the body.
        reason: the text beside the status, which may be empty.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    reason: str = ""


class ConnectFailed(Exception):
    """No connection could be made, so nothing was sent; its cause is why."""


class ProxyRefused(Exception):
    """A proxy refused to connect to the server.

    Args:
        text: what it answered.
        status: the HTTP status of its answer; 0 if it has none.
    """

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class ExchangeFailed(Exception):
    """A connection failed while a request was on its way: the server may have received it."""


class Adapter(Protocol):
    """Sends one request and returns its response, as often as it is asked to."""

    async def post(self, server: ServerAddress, body: bytes, *, seconds: float) -> Response:
        """Send a request by POST to the API of a server.

        Args:
            server: the server.
            body: the request's body.
            seconds: how long neither side may make progress once the connection exists.

        Raises:
            ConnectFailed, ProxyRefused, ExchangeFailed: as they state.
        """

    async def aclose(self) -> None:
        """Close all connections."""
