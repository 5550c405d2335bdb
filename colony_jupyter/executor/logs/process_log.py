"""The process's log, as its function writes to it: a line outlasts a connection that was lost."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from typing import TYPE_CHECKING

from colony_jupyter.channels.backoff import RetryTimer
from colony_jupyter.client.writer import UNREACHABLE
from colony_jupyter.errors import ServerUnreachable
from colony_jupyter.wire.storable import storable

if TYPE_CHECKING:
    from colony_jupyter.client.process import AsyncProcess

logger = logging.getLogger(__name__)


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
        """Add a line.

        Raises:
            ServerUnreachable: if no server answers for a minute.
            AccessDenied: if the process is not this executor's any more.
        """
        text = storable(text) or " "  # a server refuses an empty line
        async with self._turn:
            retry_timer = RetryTimer(random.random, time.monotonic(), UNREACHABLE)
            uncertain = False
            while True:
                try:
                    if not (uncertain and await self._is_there(text)):
                        await self._process.colony.add_log(self._process, text)
                except ServerUnreachable as error:
                    uncertain = uncertain or error.sent
                    delay = retry_timer.delay(time.monotonic(), error.retry_after)
                    if delay is None:
                        raise
                    logger.info("%r: a line of its log is added again: %s", self._process, error)
                    await asyncio.sleep(delay)
                else:
                    self._latest = text
                    return

    async def _is_there(self, text: str) -> bool:
        newest = await self._process.colony.logs(self._process, count=1, latest=True)
        return text != self._latest and [line.message for line in newest] == [text]
