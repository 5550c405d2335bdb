"""As silent as the real server: `serve --deaf` (docs/protocol.md trap 7).

While a channel subscription runs the real server does not read from its connection: no ping is answered, no close is
noticed, further requests wait. During subscriptions to processes it does. uvicorn reads and answers pings by itself,
so reading is stopped here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colony_jupyter.server.api.decoding import open_envelope
from colony_jupyter.server.api.subscriptions import CHANNEL
from colony_jupyter.server.errors import Refused
from colony_jupyter.server.process.client_limits import BoundedWebSocket

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveEvent

    from colony_jupyter.server.process.client_limits import BoundedConfig


class UnresponsiveWebSocket(BoundedWebSocket):
    """Does not read on after a channel subscription was asked for, until the application asks for the next message.

    The application does that when the subscription is over. After any other message uvicorn reads on as soon as
    the application has received it.
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
        """Return the next message for the application."""
        self._read_on()
        event = await self.queue.get()
        if not _subscribes_to_channel(event):
            self._read_on()
        return event

    def _read_on(self) -> None:
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            pongs, self._pongs = self._pongs, []
            self.transport.write(b"".join(pongs))
            self.transport.resume_reading()


def _subscribes_to_channel(event: ASGIReceiveEvent) -> bool:
    if event["type"] != "websocket.receive":
        return False
    body = event.get("text") or event.get("bytes") or b""
    try:
        return open_envelope(body).payloadtype == CHANNEL
    except Refused:
        return False
