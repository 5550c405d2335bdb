"""The acknowledged ending: an executor closes its process only after everything was received.

Channels do not outlive their process (trap 24). Where a channel ``sync`` is declared, the executor waits on it for an
entry of the submitter before it closes the process.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from colony_jupyter.errors import ChannelError, ServerRefused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ACK: Final = "ack"

LEFT: Final = 0.5
"""Seconds after which an open stream that no task waits on counts as left, once the result is waited for."""


class Reading:
    """One reader of one channel.

    Attributes:
        idle_since: when a task waited for an entry the last time; None while one waits.
    """

    idle_since: float | None = None


class Readers:
    """The readers of a process's channels, and what they have acknowledged.

    Args:
        acknowledge: sends the acknowledgement, where the process declares that its executor waits for one.
    """

    def __init__(self, acknowledge: Callable[[], Awaitable[object]]) -> None:
        self._send = acknowledge
        self._acknowledged = False
        self._open: set[Reading] = set()
        self._changed = asyncio.Event()

    def started(self, reading: Reading) -> None:
        """Count a reader."""
        self._open.add(reading)

    async def finished(self, reading: Reading) -> None:
        """Acknowledge after every reader has received the end of its channel and everything before it."""
        self.left(reading)
        if not self._open:
            await self.acknowledge()

    def left(self, reading: Reading) -> None:
        """Count a reader that was closed or dropped as one that has acknowledged."""
        self._open.discard(reading)
        self._changed.set()

    async def acknowledge_when_left(self) -> None:
        """Acknowledge as soon as no reader waits for entries."""
        while self._open:
            self._changed.clear()
            idle = [reading.idle_since for reading in self._open]
            latest = max((since for since in idle if since is not None), default=0.0)
            rest = LEFT if None in idle else latest + LEFT - asyncio.get_running_loop().time()
            if rest <= 0:
                break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._changed.wait()
        await self.acknowledge()

    async def acknowledge(self) -> None:
        """Send the acknowledgement, once."""
        if self._acknowledged:
            return
        self._acknowledged = True
        with contextlib.suppress(ChannelError, ServerRefused):  # the process has closed, and nothing waits
            await self._send()
