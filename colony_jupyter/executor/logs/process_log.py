"""The process's log, as its function writes to it: a line outlasts a connection that was lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from colony_jupyter.client.transport.http import persist
from colony_jupyter.errors import ServerUnreachable
from colony_jupyter.wire.storable import storable

if TYPE_CHECKING:
    from colony_jupyter.client.process import AsyncProcess


class ProcessLog:
    """Adds lines to a process's log, one after the other.

    A line has no sequence by which the server would know it again. So when a reply got lost, the log is asked whether
    the line is its newest. A line equal to the one before is then added again: the log cannot show which of the two it
    holds.

    Args:
        process: the process, as its executor.
    """

    def __init__(self, process: AsyncProcess) -> None:
        self._process = process
        self._turn = asyncio.Lock()
        self._latest: str | None = None  # None before the first line

    async def add(self, text: str) -> None:
        """Add a line; an empty one becomes a space.

        Raises:
            ServerUnreachable: if no server answers for a minute.
            AccessDenied: if the process is not this executor's any more.
        """
        text = storable(text) or " "  # a server refuses an empty line
        uncertain = False

        async def attempt() -> None:
            nonlocal uncertain
            try:
                if not (uncertain and await self._is_there(text)):
                    await self._process.colony.add_log(self._process, text)
            except ServerUnreachable as error:
                uncertain = uncertain or error.sent
                raise

        async with self._turn:
            await persist(attempt)
            self._latest = text

    async def _is_there(self, text: str) -> bool:
        newest = await self._process.colony.logs(self._process, count=1, latest=True)
        return text != self._latest and [line.message for line in newest] == [text]
