"""Connections of aiohttp through a SOCKS proxy, which the optional package ``aiohttp_socks`` makes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError, ProxyType

from colony_jupyter.client.transport.adapter import ConnectFailed, ProxyRefused

if TYPE_CHECKING:
    import aiohttp

    from colony_jupyter.network import Proxy

_NOT_ALLOWED: Final = 2
"""Reply code of a proxy whose rules forbid the connection (RFC 1928, section 6)."""
_FORBIDDEN: Final = 403
_LOGIN: Final = 407


class SocksConnector(ProxyConnector):
    """A connector through a SOCKS proxy.

    Args:
        proxy: the proxy.
        options: further arguments of `aiohttp.BaseConnector`.
    """

    def __init__(self, proxy: Proxy, **options: Any) -> None:
        parts = urlsplit(proxy.url)
        super().__init__(
            proxy_type=ProxyType.SOCKS5,
            host=parts.hostname or "",
            port=parts.port or 0,
            username=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else unquote(parts.password),
            rdns=parts.scheme == "socks5h",
            **options,
        )

    async def connect(self, *args: Any, **options: Any) -> aiohttp.connector.Connection:
        """Connect; see `aiohttp.BaseConnector`.

        Raises:
            ProxyRefused: if the proxy refuses, or cannot connect to the server.
            ConnectFailed: if there is no connection to the proxy, or the server's certificate is not trusted.
        """
        try:
            return await super().connect(*args, **options)
        except ProxyError as error:
            raise ProxyRefused(str(error), _status(error)) from error
        except (ProxyConnectionError, ProxyTimeoutError) as error:
            number = getattr(error.__cause__, "errno", None)
            # The text of the library surrounds that of the system.
            raise ConnectFailed from (OSError(number, os.strerror(number)) if number else error)
        except OSError as error:
            raise ConnectFailed from error


def _status(error: ProxyError) -> int:
    """Return the status that an HTTP proxy would answer with; 0 for a failure that may pass."""
    if error.error_code is None and "authentication" in str(error).casefold():  # a refused login has no code
        return _LOGIN
    return _FORBIDDEN if error.error_code == _NOT_ALLOWED else 0
