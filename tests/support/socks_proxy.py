"""A SOCKS proxy (RFC 1928, 1929), which may ask for a password, and may refuse to connect."""

from __future__ import annotations

import asyncio
import ipaddress

from forward_proxy import carry_both
from local_server import LocalServer

_NAME = 3  # type of an address
_LOGIN = 2  # method of authentication
_NONE_FITS = 255


class SocksProxy(LocalServer):
    """Connects to the servers that clients name.

    Args:
        login: the user and password that it asks for; none if empty.
    """

    def __init__(self, login: str = "") -> None:
        super().__init__()
        self.login = login
        self.reply = 0
        """What it answers to a request to connect: 0 to connect, else why it does not."""
        self.targets: list[str] = []
        """Host and port of every request."""

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        method = _LOGIN if self.login else 0
        if method not in methods:
            writer.write(bytes([5, _NONE_FITS]))
            await writer.drain()
            return
        writer.write(bytes([5, method]))
        if method == _LOGIN and not await self._log_in(reader, writer):
            return
        _, _, _, kind = await reader.readexactly(4)
        if kind == _NAME:
            [size] = await reader.readexactly(1)
            host = (await reader.readexactly(size)).decode()
        else:
            host = str(ipaddress.ip_address(await reader.readexactly(4 if kind == 1 else 16)))
        port = int.from_bytes(await reader.readexactly(2))
        self.targets.append(f"{host}:{port}")
        writer.write(bytes([5, self.reply, 0, 1]) + bytes(6))
        if self.reply == 0:
            await carry_both((reader, writer), await asyncio.open_connection(host, port))
        await writer.drain()

    async def _log_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        await reader.readexactly(1)
        parts = []
        for _ in range(2):
            [size] = await reader.readexactly(1)
            parts.append((await reader.readexactly(size)).decode())
        is_right = ":".join(parts) == self.login
        writer.write(bytes([1, 0 if is_right else 1]))
        await writer.drain()
        return is_right
