"""The log of a channel as it is now, read a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from colony_jupyter.client.transport.http import persist
from colony_jupyter.errors import ColonyError
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import Entry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from colony_jupyter.client.connection import Connection

PAGE: Final = 500
"""Entries that are asked for at a time: a full log of large entries would not fit one answer."""


async def pages(
    connection: Connection, processid: str, channel: str, start: int = 0, limit: int = 0
) -> AsyncIterator[list[Entry]]:
    """Read entries of all types and both parties; what is inserted before the present page meanwhile is not seen.

    Args:
        connection: the client that reads.
        processid: the process.
        channel: the channel's name.
        start: number of entries to skip (trap 2).
        limit: how many at most; 0 for all.

    Raises:
        ChannelNotFound: if there is no such channel, or the process has ended.
    """
    read = 0
    while True:
        want = PAGE if limit <= 0 else min(PAGE, limit - read)
        page = await connection.call(
            messages.ChannelRead(processid=processid, name=channel, afterseq=start + read, limit=want), list[Entry]
        )
        yield page
        read += len(page)
        if len(page) < want or read == limit:
            return


async def is_there(connection: Connection, processid: str, channel: str) -> bool:
    """Return whether the server lets the channel be read; while it does not answer it is asked again."""
    message = messages.ChannelRead(processid=processid, name=channel, limit=1)
    try:
        await persist(lambda: connection.call(message, list[Entry]))
    except ColonyError:
        return False
    return True
