"""A WebSocket connection that passes messages on in the step in which they arrive, without a task that waits for them.

It is a module of its own since websockets is not imported before it is needed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.protocol import Event

_DATA: Final = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)

LITTLE: Final = 16 * 1024
_MUCH: Final = 256 * 1024
"""Bytes that are read from the socket at once: the more after a read that filled the buffer."""


class ReceivingConnection(ClientConnection, asyncio.BufferedProtocol):
    """A connection whose `recv` is never called.

    It keeps the buffer that asyncio reads into. For any other protocol asyncio makes one of 256 KiB at each read, for
    which some heaps ask the system each time: 40 µs for a small message instead of 6.

    Args:
        receive: called on the loop with the messages of each read from the socket, text as UTF-8; must not raise.
        lost: called on the loop when the connection is lost after its handshake, by whichever side and however.
        gather: gives the seconds that the socket is left unread after a read; 0 to read at once.
        arguments: those of `ClientConnection`.
        options: as above.
    """

    def __init__(
        self,
        *arguments: Any,
        receive: Callable[[list[bytes]], object],
        lost: Callable[[], object],
        gather: Callable[[], float],
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._receive = receive
        self._lost = lost
        self._gather = gather
        self._parts: list[Any] = []  # of a message that is in several frames
        self._messages: list[bytes] = []
        self._is_resting = False
        self._buffer = memoryview(bytearray(LITTLE))

    def process_event(self, event: Event) -> None:
        """Process one event of the connection; see `ClientConnection`."""
        if not isinstance(event, Frame) or event.opcode not in _DATA:
            super().process_event(event)
            return
        self._parts.append(event.data)
        if event.fin:
            self._messages.append(b"".join(self._parts))
            self._parts.clear()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's name
        """Return the buffer to read into; see `asyncio.BufferedProtocol`."""
        return self._buffer  # a view: with TLS asyncio reads into slices of it, and that of a bytearray is a copy

    def buffer_updated(self, nbytes: int) -> None:
        """Process what was read into the buffer; see `asyncio.BufferedProtocol`."""
        data, size = bytes(self._buffer[:nbytes]), len(self._buffer)
        wanted = _MUCH if nbytes == size else LITTLE
        if wanted != size:
            self._buffer = memoryview(bytearray(wanted))
        self.data_received(data)

    def data_received(self, data: bytes) -> None:
        """Process what was read from the socket; see `asyncio.Protocol`. Some loops call it instead of the above."""
        super().data_received(data)
        if self._messages:
            messages, self._messages = self._messages, []
            self._receive(messages)
            if len(data) < LITTLE and (seconds := self._gather()) > 0:
                self._rest(seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Process the end of the connection; see `asyncio.BaseProtocol`."""
        super().connection_lost(exc)
        if self.protocol.handshake_exc is None:  # else there was no connection, as for an answer that redirects
            self._lost()

    def _rest(self, seconds: float) -> None:
        if not self._is_resting and not self.transport.is_closing():
            self._is_resting = True
            self.transport.pause_reading()
            self.loop.call_later(seconds, self._read_on)

    def _read_on(self) -> None:
        self._is_resting = False
        if not self.transport.is_closing():
            self.transport.resume_reading()
