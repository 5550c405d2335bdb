"""Requests over kept-alive connections of aiohttp: direct, or through a forward proxy.

No environment variable is read, and no netrc: the settings hold what the environment states. Cookies are not stored,
and redirects not followed.
"""

from __future__ import annotations

import asyncio
import base64
import io
import sys
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote, urlsplit

import aiohttp
from yarl import URL

from colony_jupyter.client.transport.adapter import ConnectFailed, ExchangeFailed, ProxyRefused, Response
from colony_jupyter.version import __version__

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.http_writer import StreamWriter

    from colony_jupyter.client.transport.endpoint import Endpoint, ServerAddress
    from colony_jupyter.network import Proxy

_CONNECT_SECONDS: Final = 10.0
_IDLE_SECONDS: Final = 5.0
"""Seconds for which a connection stays open for the next request: less than servers and gateways keep theirs."""
_PAUSE: Final = 0.02
"""Seconds after a response after which the server may have closed the connection without the loop having noticed."""
_IN_PARTS: Final = 1 << 20
"""Bytes of a body from which on it is sent in parts, so that the loop goes on between them."""
_GONE: Final = "the connection was closed before the whole answer had come"
_ATTEMPTS: Final = 3
"""Connections that are tried in turn, while each is closed before anything is sent over it."""


class _QuietAtExit:
    """Makes a connector that the program's end leaves open count as closed: aiohttp would write that to stderr."""

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return sys.is_finalizing() or bool(super().closed)  # type: ignore[misc]

    def __del__(self, *arguments: Any) -> None:
        if not sys.is_finalizing():
            super().__del__(*arguments)  # type: ignore[misc]


class _Connector(_QuietAtExit, aiohttp.TCPConnector):
    pass


class _Body(aiohttp.Payload):
    """The body of a request, which is written along with the headers.

    Attributes:
        is_late: whether the connection was closed already when this was to be written, so that nothing was sent.
    """

    is_late = False

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Write it to a connection."""
        transport = cast("StreamWriter", writer).transport
        self.is_late = transport is None or transport.is_closing()
        await super().write_with_length(writer, content_length)


class _SmallBody(_Body, aiohttp.BytesPayload):
    pass


class _LargeBody(_Body, aiohttp.BytesIOPayload):
    pass


class Pool:
    """The connections of one client to its server. It is made on the event loop that uses it.

    Args:
        endpoint: gives the proxy and the TLS context.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._proxy = endpoint.settings.proxy
        self._targets: dict[ServerAddress, dict[str, Any]] = {}  # what each request to a server has in common
        self._latest = float("-inf")  # when the latest response was complete, by the loop's clock
        self._session = aiohttp.ClientSession(
            connector=self._connector(),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"colony-jupyter/{__version__}"},
            skip_auto_headers=["Content-Type", "Accept-Encoding"],
            auto_decompress=False,
        )

    async def post(self, server: ServerAddress, body: bytes, *, seconds: float) -> Response:
        """Send a request; see `Adapter.post`.

        It is sent once. Where the server closes the connection in the moment of the request, the request may have been
        carried out, so the caller decides. Where it closes the connection before anything is sent, another one is used.
        """
        loop = asyncio.get_running_loop()
        if loop.time() - self._latest > _PAUSE:
            # The loop of a kernel may not have run since the server closed an idle connection: it reads that in the
            # first of these turns, and acts on it in the second.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        for _ in range(_ATTEMPTS):
            content = _SmallBody(body) if len(body) < _IN_PARTS else _LargeBody(io.BytesIO(body))
            try:
                return await self._exchange(server, content, seconds)
            except aiohttp.ClientError as error:
                failure = self._failure(error, seconds)
            if not content.is_late or self._session.closed:
                break
        else:
            failure = ConnectFailed()
            failure.__cause__ = ConnectionResetError("connections are closed as soon as they are made")
        raise failure

    async def _exchange(self, server: ServerAddress, content: aiohttp.Payload, seconds: float) -> Response:
        async with self._session.post(
            data=content,
            timeout=aiohttp.ClientTimeout(total=None, connect=_CONNECT_SECONDS, sock_read=seconds),
            **(self._targets.get(server) or self._target(server)),
        ) as response:
            received = await response.read()
            self._latest = asyncio.get_running_loop().time()
            return Response(response.status, response.headers, received, response.reason or "")

    async def aclose(self) -> None:
        """Close all connections; requests that are on their way fail."""
        await self._session.close()

    def _failure(self, error: aiohttp.ClientError, seconds: float) -> Exception:
        """Return the error of `Adapter.post`; its cause is an error of the system or of TLS, where there is one."""
        failure: Exception
        cause: BaseException | None = None
        match error:
            case aiohttp.ClientHttpProxyError():
                failure = ProxyRefused(f"{error.status} {error.message}".strip(), error.status)
            case aiohttp.ConnectionTimeoutError():
                late = f"no connection was made within {_CONNECT_SECONDS:.0f} s"
                failure, cause = ConnectFailed(), TimeoutError(late)
            case aiohttp.ClientConnectorCertificateError():
                failure, cause = ConnectFailed(), error.certificate_error
            case aiohttp.ClientConnectorError():
                failure, cause = ConnectFailed(), error.os_error
            case aiohttp.ServerTimeoutError():
                failure = ExchangeFailed(f"no answer came within {seconds:.0f} s")
            case aiohttp.ClientOSError():
                failure, cause = ExchangeFailed(_GONE), error.__cause__
            case aiohttp.ServerConnectionError() | aiohttp.ClientPayloadError():
                failure = ExchangeFailed(_GONE)
            case _:
                failure = ExchangeFailed("what answers does not speak HTTP")
        failure.__cause__ = cause
        return failure

    def _target(self, server: ServerAddress) -> dict[str, Any]:
        target: dict[str, Any] = {"url": URL(server.api), "allow_redirects": False}
        proxy = self._proxy
        if server.tls or (proxy is not None and proxy.is_tls):
            target["ssl"] = self._endpoint.tls_context()
        if proxy is not None and not proxy.is_socks:
            target["proxy"] = URL(proxy.shown)
            # A proxy of a server with TLS sees CONNECT only, and the server must not see its password.
            target["proxy_headers" if server.tls else "headers"] = _credentials(proxy)
        self._targets[server] = target
        return target

    def _connector(self) -> aiohttp.BaseConnector:
        options: dict[str, Any] = {"limit": 0, "keepalive_timeout": _IDLE_SECONDS}
        if self._proxy is None or not self._proxy.is_socks:
            return _Connector(**options)
        from colony_jupyter.client.transport.socks import SocksConnector  # noqa: PLC0415 - needs an optional package

        class QuietConnector(_QuietAtExit, SocksConnector):
            pass

        return QuietConnector(self._proxy, **options)


def _credentials(proxy: Proxy) -> dict[str, str]:
    """Return the header that identifies the user to a proxy; none where its URL has no user."""
    parts = urlsplit(proxy.url)
    if parts.username is None:
        return {}
    text = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(text.encode()).decode('ascii')}"}
