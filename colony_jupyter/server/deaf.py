"""As silent as the real server: `serve --deaf` (PROTOCOL.md trap 7).

While a channel subscription runs the real server does not read from its connection: no ping is answered, no close is
noticed, further requests wait. uvicorn reads and answers pings by itself, so reading is stopped here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colony_jupyter.server.bounds import BoundedWebSocket

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveEvent

    from colony_jupyter.server.bounds import BoundedConfig


class DeafWebSocket(BoundedWebSocket):
    """Reads from the connection only while the application asks for a message.

    uvicorn stops reading when it has a message for the application, and goes on once that is taken; here it goes on
    only when the application asks for the next one, which it does not before a channel subscription has ended.
    """

    def __init__(self, config: BoundedConfig, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        # Answers to pings that came in one read with a message, and are not to be answered before it.
        self._pongs: list[bytes] = []

    def handle_ping(self) -> None:
        """Answer a ping, unless reading stopped with a frame before it."""
        if self.read_paused:
            self._pongs += self.conn.data_to_send()
        else:
            super().handle_ping()

    async def receive(self) -> ASGIReceiveEvent:
        """Give the application its next message; only now the connection is read again."""
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            pongs, self._pongs = self._pongs, []
            self.transport.write(b"".join(pongs))
            self.transport.resume_reading()
        return await self.queue.get()
