"""A chat: each message of the initiator is answered in its turn, until one side ends the conversation.

A turn is closed by an empty entry of type ``turn`` with the message's sequence in ``inreplyto``. A plain ``end`` would
look like the end of everything to the tutorial's clients, so only the end of the conversation sends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import time
from typing import TYPE_CHECKING, Any

from colony_jupyter.client.transport.http import persist
from colony_jupyter.executor.cancellation import in_thread, race
from colony_jupyter.wire.models import END, ERROR, TURN

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.client.streams.stream import AsyncStream
    from colony_jupyter.executor.cancellation import ThreadPortal
    from colony_jupyter.executor.functions import Definition
    from colony_jupyter.wire.models import Entry

_NO_MESSAGES = frozenset({END, ERROR, TURN})


class Chat:
    """One conversation, on one channel of one process.

    Args:
        definition: what answers.
        portal: runs coroutines on the loop for a plain function in its thread.
        process: its process.
        channel: name of the channel.
        call: makes the call for a message, with the arguments of the spec.
        answering: where the sequence of the message being answered is noted, by channel.
    """

    def __init__(
        self,
        definition: Definition,
        portal: ThreadPortal,
        process: AsyncProcess,
        channel: str,
        call: Callable[[Entry], Callable[[], Any]],
        answering: dict[str, int],
    ) -> None:
        self._definition = definition
        self._portal = portal
        self._process = process
        self._channel = process.channel(channel)
        self._call = call
        self._answering = answering
        self._quiet_since: float | None = None  # None while something is being answered
        self._dismissed = asyncio.Event()

    @property
    def quiet_since(self) -> float | None:
        """Time since which no message came, by ``time.monotonic``; None while something is being answered."""
        return None if self._dismissed.is_set() else self._quiet_since

    def dismiss(self) -> None:
        """End the conversation, in which nothing is being answered now; on the loop."""
        self._dismissed.set()

    async def run(self) -> None:
        """Answer until the conversation is over, and end it if the other party did not."""
        process = self._process
        answered = await self._answered()
        stream = self._channel.stream(errors="yield")
        async with stream:
            while entries := await self._heard(stream):
                for entry in entries:
                    if (
                        entry.senderid == process.initiatorid
                        and entry.type not in _NO_MESSAGES
                        and entry.sequence not in answered
                    ):
                        await self._turn(entry)
                        if self._has_ended:
                            return
        await self._channel.end()

    async def _heard(self, stream: AsyncStream) -> list[Entry]:
        """Wait for the next entries; none at the end, and once the conversation is dismissed."""
        self._quiet_since = time.monotonic()
        try:
            async with race(stream.batch(), self._dismissed.wait()) as (hearing, _):
                return await hearing if hearing.done() else []
        finally:
            self._quiet_since = None

    @property
    def _has_ended(self) -> bool:
        """Whether the function has ended the conversation."""
        return self._process.shared.writer(self._channel.name).has_ended

    async def _answered(self) -> set[int]:
        """Return the messages that an earlier executor of the process has answered, or we before a retry."""
        initiator = self._process.initiatorid
        return {
            entry.inreplyto
            for entry in await persist(self._channel.read)
            if entry.senderid != initiator and entry.inreplyto and entry.type in (TURN, END)
        }

    async def _turn(self, message: Entry) -> None:
        call = self._call(message)
        self._answering[self._channel.name] = message.sequence
        if self._definition.is_async:
            reply = call()
        else:
            name = f"executor chat {self._definition.name}"
            reply = await in_thread(lambda: self._drive(call, message), name)
        if inspect.isawaitable(reply):
            reply = await reply
        if inspect.isasyncgen(reply):
            async with contextlib.aclosing(reply) as pieces:
                async for piece in pieces:
                    await self._send_piece(piece, message)
        else:
            await self._send_piece(reply, message)
        if not self._has_ended:
            await self._channel.send("", type=TURN, inreplyto=message.sequence)
        del self._answering[self._channel.name]

    async def _send_piece(self, piece: Any, message: Entry) -> None:
        """Send a piece of the reply: text joins the text stream, any other value is an entry of its own."""
        if isinstance(piece, str):
            await self._channel.write(piece, inreplyto=message.sequence)
        elif piece is not None:
            await self._channel.send(piece, inreplyto=message.sequence)

    def _drive(self, call: Callable[[], Any], message: Entry) -> Any:
        """Call a plain function, in its thread; send the pieces of a generator, return any other reply."""
        reply = call()
        if not inspect.isgenerator(reply):
            return reply
        with contextlib.closing(reply):
            for piece in reply:
                self._portal.run(self._send_piece, piece, message)
        return None
