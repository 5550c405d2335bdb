"""Check of a channel: an entry is sent, and must come back over a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from typing import TYPE_CHECKING, Final

from colony_jupyter.client.transport.websocket import subscription
from colony_jupyter.doctor.report import Finding, Mark
from colony_jupyter.errors import ServerUnreachable, WebSocketRefused
from colony_jupyter.wire.messages import SubscribeChannel
from colony_jupyter.wire.models import Entry

if TYPE_CHECKING:
    from colony_jupyter.client.channel import AsyncChannel
    from colony_jupyter.client.process import AsyncProcess

_ARRIVES: Final = 3.0
"""Seconds for opening the WebSocket, and again for the entry."""
_WINDOW: Final = 30
_UPGRADE: Final = (
    "A gateway must pass WebSockets on (nginx: proxy_http_version 1.1 and the headers Upgrade and Connection; see "
    "docs/nginx.conf)"
)


async def round_trip(process: AsyncProcess, name: str) -> Finding:
    """Send an entry through a channel of a process that no executor gets, and read it back.

    Raises:
        ColonyError: if the entry cannot be sent, or not be read from the log.
    """
    channel = process.channel(name)
    text = secrets.token_hex(8)
    begun = time.monotonic()
    try:
        begun = await _over_websocket(process, channel, text)
    except ServerUnreachable as error:
        what = error.clause if isinstance(error, WebSocketRefused) else f"no WebSocket can be opened: {error.reason}"
        what = f"streams and panes poll, and receive entries up to 2 s late: {what}"
    except TimeoutError:
        what = f"no entry came over a WebSocket within {_ARRIVES:g} s, so streams and panes receive entries late"
    else:
        return Finding(Mark.FINE, "channel", f"an entry comes back after {(time.monotonic() - begun) * 1000:.0f} ms")
    return await _from_log(process, channel, text, what)


async def _over_websocket(process: AsyncProcess, channel: AsyncChannel, text: str) -> float:
    """Return the time at which the entry was sent, once it has come back.

    Raises:
        ServerUnreachable: if there is no WebSocket connection.
        TimeoutError: if it does not open, or the entry does not come back.
    """
    message = SubscribeChannel(processid=process.processid, name=channel.name, timeout=_WINDOW)
    colony = process.colony
    async with contextlib.AsyncExitStack() as stack:
        async with asyncio.timeout(_ARRIVES):
            frames = await stack.enter_async_context(subscription(colony.endpoint, message, colony.key, list[Entry]))
        begun = time.monotonic()
        await channel.send(text)
        async with asyncio.timeout(_ARRIVES):
            if not await frames.first(lambda entries: any(entry.text == text for entry in entries)):
                raise TimeoutError  # the connection was cut
        return begun


async def _from_log(process: AsyncProcess, channel: AsyncChannel, text: str, what: str) -> Finding:
    """Report what prevents streams, and whether the log holds entries all the same."""
    entries = [entry.text for entry in await channel.read()]
    if text not in entries:
        await channel.send(text)
        entries = [entry.text for entry in await channel.read()]
    if text not in entries:
        return Finding(Mark.FAILURE, "channel", f"{what}, and an entry that was sent is not in the log.")
    proxy = process.colony.settings.proxy
    remedy = f"{_UPGRADE}."
    if proxy is not None:
        remedy = f"{_UPGRADE}, a proxy must allow CONNECT, or NO_PROXY must exclude the server ({proxy.source} is set)."
    return Finding(Mark.WARNING, "channel", f"{what}; calls over HTTP work, and the entry is in the log. {remedy}")
