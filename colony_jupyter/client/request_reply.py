"""Questions on a channel and their answers, many at a time, over one stream."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from colony_jupyter.errors import ChannelClosed, ColonyError, StreamError, WaitTimeout

if TYPE_CHECKING:
    from colony_jupyter.client.channel import AsyncChannel
    from colony_jupyter.wire.models import Entry


class Asker:
    """Hands every answer to the one who asked; shared by all who ask on a channel.

    Args:
        channel: the channel.
    """

    def __init__(self, channel: AsyncChannel) -> None:
        self._channel = channel
        self._asking = 0
        self._reader: asyncio.Task[None] | None = None  # None while nobody asks
        self._listening = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[Entry]] = {}
        self._early: dict[int, Entry] = {}  # answers that came before `send` told the sequence they answer
        self._ended: ColonyError | None = None

    async def ask(self, payload: Any, timeout: float | None) -> Entry:
        """Send a question and wait for its answer; see `AsyncChannel.ask`."""
        self._asking += 1
        try:
            async with asyncio.timeout(timeout):
                return await self._ask(payload)
        except TimeoutError:
            raise WaitTimeout(f"an answer on channel '{self._channel.name}'", timeout or 0) from None
        finally:
            self._asking -= 1
            if not self._asking:
                await self._rest()

    async def _ask(self, payload: Any) -> Entry:
        if self._reader is None:
            self._ended = None
            self._listening.clear()
            self._reader = asyncio.create_task(self._read())
        await self._listening.wait()
        self._raise_ended()
        sequence = await self._channel.send(payload)
        answer = self._early.pop(sequence, None)
        if answer is None:
            self._raise_ended()
            self._waiting[sequence] = asyncio.get_running_loop().create_future()
            try:
                answer = await self._waiting[sequence]
            finally:
                del self._waiting[sequence]
        if answer.is_error:
            raise StreamError(self._channel.process.processid, self._channel.name, answer)
        return answer

    def _raise_ended(self) -> None:
        if self._ended is not None:
            raise self._ended

    async def _read(self) -> None:
        me = self._channel.process.colony.key.id
        ended: ColonyError = ChannelClosed(
            self._channel.process.processid, self._channel.name, "the stream ended without an answer"
        )
        try:
            async with self._channel.stream(errors="yield", to_end=False) as stream:
                await stream.listening()
                self._listening.set()
                async for entry in stream:
                    if entry.inreplyto and entry.senderid != me:
                        self._answer(entry)
        except ColonyError as error:
            ended = error
        finally:
            self._ended = ended
            self._listening.set()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(ended)

    def _answer(self, entry: Entry) -> None:
        future = self._waiting.get(entry.inreplyto)
        if future is None:
            self._early.setdefault(entry.inreplyto, entry)
        elif not future.done():
            future.set_result(entry)

    async def _rest(self) -> None:
        reader, self._reader = self._reader, None
        self._early.clear()
        if reader is not None:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
