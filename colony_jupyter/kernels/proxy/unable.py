"""A kernel that cannot start, since the settings name no colony: the first cell shows why."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from colony_jupyter.kernels.proxy.frontend import FrontEnd, information
from colony_jupyter.kernels.relay.messages import content_of, header_of

if TYPE_CHECKING:
    from pathlib import Path

    from colony_jupyter.kernels.relay.framing import Item


class Unable:
    """The proxy in that case. It does not end by itself: Jupyter would start it again and again.

    Args:
        connection_file: the front end's.
        reason: a sentence.
        language: the kernel's language.
    """

    def __init__(self, connection_file: Path, reason: str, language: str) -> None:
        self._front = FrontEnd(connection_file, self._request)
        self._reason = reason
        self._language = language
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def run(self) -> int:
        """Answer until a cell has shown the reason, or the front end asks for the end; returns the exit status."""
        self._front.bind()
        try:
            return await self._ended
        finally:
            await self._front.aclose()

    def end(self) -> None:
        """End it."""
        self._end(0)

    def _end(self, status: int) -> None:
        if not self._ended.done():
            self._ended.set_result(status)

    async def _request(self, item: Item) -> None:
        kind = header_of(item.frames).msg_type
        if kind == "shutdown_request":
            restarts = bool(content_of(item.frames).get("restart"))
            await self._front.answer(item, "shutdown_reply", {"status": "ok", "restart": restarts})
            self._end(0)
        elif kind == "kernel_info_request":
            await self._front.answer(item, "kernel_info_reply", information(self._language))
        elif kind == "execute_request":
            await self._front.fail(item, "SettingsError", self._reason)
            self._end(1)
