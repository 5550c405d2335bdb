"""Questions on a channel and their answers, many at a time, over one stream."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.errors import ChannelClosed, ChannelNotFound, ColonyError, StreamBroken, StreamError, WaitTimeout

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from colony_jupyter.channels.inbox import Inbox
    from colony_jupyter.client.stream import AsyncStream
    from colony_jupyter.client.subscription import Subscription
    from colony_jupyter.wire.models import Entry

LINGER: Final = 60.0
"""Seconds for which the stream stays open after the last question."""


class Asker:
    """Matches answers to questions by ``inreplyto``; all questions of a channel share its one stream.

    The stream stays open between questions. After `LINGER` seconds without one it is closed, and the next question
    resumes it at the end of what was read.

    Args:
        processid: the process.
        channel: the channel's name.
        me: id of the sender of the questions.
        send: appends a question and returns its sequence.
        open_stream: opens the stream behind an inbox, with a callback for the loss of the log.
    """

    def __init__(
        self,
        processid: str,
        channel: str,
        me: str,
        *,
        send: Callable[[Any], Awaitable[int]],
        open_stream: Callable[[Inbox | None, Callable[[int], None]], tuple[Subscription, AsyncStream]],
    ) -> None:
        self._processid = processid
        self._channel = channel
        self._me = me
        self._send = send
        self._open_stream = open_stream
        self._inbox: Inbox | None = None
        self._reader: asyncio.Task[None] | None = None  # None while no stream is open
        self._ready = asyncio.Event()  # the stream listens, or has ended
        self._ended: ColonyError | None = None  # why the latest stream ended
        self._asking = 0
        self._sending = 0
        self._waiting: dict[int, asyncio.Future[Entry]] = {}
        self._early: dict[int, Entry] = {}  # answers that arrived before `send` returned the sequence they answer
        self._timer: asyncio.TimerHandle | None = None  # closes the stream

    async def ask(self, payload: Any, timeout: float | None) -> Entry:
        """Send a question and wait for its answer; see `AsyncChannel.ask`."""
        self._asking += 1
        self._stop_timer()
        try:
            async with asyncio.timeout(timeout):
                return await self._ask(payload)
        except TimeoutError:
            raise WaitTimeout(f"an answer on channel '{self._channel}'", timeout or 0) from None
        except asyncio.CancelledError:
            if self._asking == 1:
                self._rest()  # an interrupt leaves nothing behind
            raise
        finally:
            self._asking -= 1
            if not self._asking and self._reader is not None:
                self._timer = asyncio.get_running_loop().call_later(LINGER, self._rest)

    async def aclose(self) -> None:
        """Close the stream."""
        self._stop_timer()
        reader = self._reader
        self._rest()
        if reader is not None:
            await asyncio.gather(reader, return_exceptions=True)

    async def _ask(self, payload: Any) -> Entry:
        if self._reader is None:
            self._ended = None
            self._ready.clear()
            self._reader = asyncio.create_task(self._read())
        await self._ready.wait()
        if self._ended is not None:
            raise self._ended
        self._sending += 1
        try:
            sequence = await self._send(payload)
            answer = self._early.pop(sequence, None)
        finally:
            self._sending -= 1
            if not self._sending:
                self._early.clear()
        if answer is None:
            if self._ended is not None:
                raise self._unanswered(self._ended)
            future = self._waiting[sequence] = asyncio.get_running_loop().create_future()
            try:
                answer = await future
            finally:
                del self._waiting[sequence]
        if answer.is_error:
            raise StreamError(self._processid, self._channel, answer)
        return answer

    async def _read(self) -> None:
        ended: ColonyError = ChannelClosed(self._processid, self._channel, "the process ended without an answer")
        subscription, stream = self._open_stream(self._inbox, self._lost)
        try:
            async with stream:
                await stream.listening()
                self._ready.set()
                async for entry in stream:
                    if entry.inreplyto and entry.senderid != self._me:
                        self._answer(entry)
        except ColonyError as error:
            ended = error
        finally:
            self._inbox = subscription.inbox
            if self._reader is asyncio.current_task():
                self._reader = None
                self._ended = ended
                self._ready.set()
                self._fail(self._unanswered(ended))

    def _answer(self, entry: Entry) -> None:
        future = self._waiting.get(entry.inreplyto)
        if future is not None:
            if not future.done():
                future.set_result(entry)
        elif self._sending:
            self._early.setdefault(entry.inreplyto, entry)

    def _lost(self, delivered: int) -> None:
        reason = "the server lost the channel's log, as it does when it is restarted, before an answer came"
        self._fail(StreamBroken(self._processid, self._channel, delivered, reason, sent=True))

    def _unanswered(self, ended: ColonyError) -> ColonyError:
        if isinstance(ended, StreamBroken):
            return StreamBroken(self._processid, self._channel, ended.delivered, ended.reason, sent=True)
        reason = ended.reason if isinstance(ended, ChannelClosed) else str(ended).rstrip(".")
        if isinstance(ended, ChannelNotFound) and ended.closed:
            reason = f"the process ended without an answer{ended.failure()}"
        return ChannelClosed(self._processid, self._channel, reason, sent=True)

    def _fail(self, error: ColonyError) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(error)

    def _rest(self) -> None:
        """Close the stream; the next question resumes it."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
            self._fail(ChannelClosed(self._processid, self._channel, "the client was closed", sent=True))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
