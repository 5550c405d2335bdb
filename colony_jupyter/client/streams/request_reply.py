"""Questions on a channel and their answers, many at a time, over one reading of the channel."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.client.streams.failure import process_errors
from colony_jupyter.errors import (
    ChannelClosed,
    ChannelNotFound,
    ColonyError,
    GatewayRefused,
    StreamBroken,
    StreamError,
    UsageError,
    WaitTimeout,
)
from colony_jupyter.errors.general import quoted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from colony_jupyter.channels.inbox import Inbox
    from colony_jupyter.client.streams.subscription import Subscription
    from colony_jupyter.wire.models import Entry

LINGER: Final = 60.0
"""Seconds for which the channel is read on after the last question."""


class RequestReply:
    """Matches answers to questions by ``inreplyto``; all questions of a channel share one reading of it.

    Where a stream of the channel is open, answers are picked from what it receives, without a socket of their own. The
    reading of one's own that takes its place when the stream ends resumes behind it. It stays open between questions;
    after `LINGER` seconds without one it is closed, and the next question resumes at the end of what was read.

    Args:
        processid: the process.
        channel: the channel's name.
        me: id of the sender of the questions.
        send: appends a question and returns its sequence.
        reading: returns a reading of the channel that runs, or else a new one behind an inbox, and whether it is new.
    """

    def __init__(
        self,
        processid: str,
        channel: str,
        me: str,
        *,
        send: Callable[[Any], Awaitable[int]],
        reading: Callable[[Inbox | None], tuple[Subscription, bool]],
    ) -> None:
        self._processid = processid
        self._channel = channel
        self._me = me
        self._send = send
        self._reading = reading
        self._inbox: Inbox | None = None
        self._reader: asyncio.Task[None] | None = None  # None while the channel is not read
        self._ready = asyncio.Event()  # answers will arrive, or the reading has ended
        self._ended: ColonyError | None = None  # why the latest reading ended
        self._asking = 0
        self._sending = 0
        self._waiting: dict[int, asyncio.Future[Entry]] = {}
        self._early: dict[int, Entry] = {}  # answers that arrived before `send` returned the sequence they answer
        self._timer: asyncio.TimerHandle | None = None  # ends the reading

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
        """End the reading."""
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
            raise self._unsent(self._ended)
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
        ended: ColonyError | None = None
        try:
            while ended is None:
                ended = await self._read_once()
        except ColonyError as error:
            ended = error
        finally:
            if self._reader is asyncio.current_task():
                self._reader = None
                self._ended = ended
                self._ready.set()
                if ended is not None:
                    self._fail(self._unanswered(ended))

    async def _read_once(self) -> ColonyError | None:
        """Read to the end of a reading; returns why nothing more can arrive, None if another reading is needed."""
        reading, is_new = self._reading(self._inbox)
        reading.scope.enter()
        changed = asyncio.Event()
        losses = reading.loss_count
        reading.taps.add(self._pick_answers)
        reading.listeners.add(changed.set)
        try:
            if is_new:
                reading.start()
            await reading.listening()
            self._ready.set()
            while not reading.is_over:
                await changed.wait()
                changed.clear()
                if is_new:
                    reading.discard()
                if reading.loss_count != losses:
                    losses = reading.loss_count
                    self._lost(reading.received)
        finally:
            self._inbox = reading.inbox
            reading.taps.discard(self._pick_answers)
            reading.listeners.discard(changed.set)
            if is_new:
                await reading.aclose()
        if isinstance(reading.failure, UsageError):  # the client is closed
            return reading.failure
        if not (is_new or reading.is_process_over):
            return None
        errors = process_errors(reading.record)
        return reading.failure or ChannelClosed(
            self._processid, self._channel, f"the process has ended{quoted(errors)}"
        )

    def _pick_answers(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.inreplyto and entry.senderid != self._me:
                self._answer(entry)

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
        """Return the error of a question that was sent."""
        if isinstance(ended, StreamBroken):
            return StreamBroken(
                self._processid, self._channel, ended.delivered, ended.reason, errors=ended.errors, sent=True
            )
        return ChannelClosed(self._processid, self._channel, _reason(ended), sent=True)

    def _unsent(self, ended: ColonyError) -> ColonyError:
        """Return the error of a question that was not sent, because no answer could be received."""
        is_missing = isinstance(ended, ChannelNotFound) and not ended.closed
        if is_missing or isinstance(ended, UsageError | GatewayRefused):
            return ended.with_traceback(None)
        return ChannelClosed(self._processid, self._channel, _reason(ended))

    def _fail(self, error: ColonyError) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(error)

    def _rest(self) -> None:
        """End the reading; the next question resumes it."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
            self._fail(ChannelClosed(self._processid, self._channel, "the client was closed", sent=True))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _reason(ended: ColonyError) -> str:
    if isinstance(ended, ChannelNotFound) and ended.closed:
        return f"the process has ended{ended.failure()}"
    if isinstance(ended, StreamBroken):
        return f"{ended.reason}{quoted(ended.errors)}"
    return ended.reason if isinstance(ended, ChannelClosed) else str(ended).rstrip(".")
