"""A conversation as it goes on: one process, one channel, turns, and the view that shows it at the moment."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from colony_jupyter.channels.turns import Turn, TurnEnd, closes_turns, ends_conversation
from colony_jupyter.client.process import raise_unless_successful
from colony_jupyter.errors import ChannelClosed, ColonyError, StreamError, WaitTimeout
from colony_jupyter.notebook.actions.process_feed import ProcessFeed
from colony_jupyter.notebook.model.changes import ReplyDue, TextRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.notebook.views.base import View
    from colony_jupyter.wire.models import Entry


class ChatSession:
    """A conversation on a channel of a process; it lives on the loop thread until the process has closed.

    Args:
        process: the process.
        channel: the channel's name.
        settle: gives the seconds of quiet that end a turn of a partner who does not close its turns.
    """

    def __init__(self, process: AsyncProcess, channel: str, *, settle: Callable[[], float]) -> None:
        self.process = process
        self.channel = channel
        self.options: dict[str, Any] = {}
        """Arguments and conditions that it was begun with, as for `AsyncColony.submit`."""
        self._settle = settle
        self._turns: dict[Turn, asyncio.Event] = {}  # those that go on, and what wakes who waits for them
        self._closes = False  # whether the partner is known to close its turns
        self._ended = False  # whether it sent a plain `end`
        self._fault: Entry | None = None  # the last entry, if it was an error
        self._listening: asyncio.Task[None] | None = None  # None before the start
        self._feed = ProcessFeed(process, [channel], on_entries=self._add_entries, stays=True)

    @property
    def is_over(self) -> bool:
        """Whether no message can be sent any more."""
        return self._ended or self.process.shared.watch.is_over

    @property
    def view(self) -> View | None:
        """Where it is shown."""
        return self._feed.view

    async def turn_to(self, view: View | None) -> None:
        """Show later messages in a view, or nowhere."""
        self._feed.turn_to(view)

    async def start(self) -> None:
        """Begin to listen."""
        self._listening = asyncio.create_task(self._listen())

    async def send(self, text: str, timeout: float | None = None) -> str:
        """Send a message and wait until the answer is complete; return its text.

        Args:
            text: the message.
            timeout: seconds for the whole; None for no limit.

        Raises:
            WaitTimeout: if the answer was not complete in that time.
            StreamError: if the partner answered with an ``error``.
            ChannelClosed: if the conversation is over.
            ProcessFailed, ProcessCancelled: if the process ended so before it answered.
        """
        turn = Turn(None, me=self.process.colony.userid, settle=self._settle(), closes=self._closes)
        changed = self._turns[turn] = asyncio.Event()
        try:
            async with asyncio.timeout(timeout):
                await self.process.running()
                if self._ended and self._fault is not None:
                    raise StreamError(self.process.processid, self.channel, self._fault)
                if self._ended:
                    raise ChannelClosed(self.process.processid, self.channel, "the conversation has ended")
                turn.know(await self._send(text))
                await self._wait(turn, changed)
        except TimeoutError:
            raise WaitTimeout(f"an answer on channel '{self.channel}'", timeout or 0.0, await self._why()) from None
        finally:
            del self._turns[turn]
            if not self._turns and self._feed.view is not None:
                self._feed.view.feed(ReplyDue(due=False))
        if turn.error is not None:
            raise StreamError(self.process.processid, self.channel, turn.error)
        if turn.ended is TurnEnd.OVER and not turn.text and not self._ended:
            raise_unless_successful(self.process.record)
        return turn.text

    async def stop_waiting(self) -> None:
        """Do not wait for answers any longer."""
        for turn, changed in self._turns.items():
            turn.stop()
            changed.set()

    def stop(self) -> None:
        """Listen no longer; the process goes on."""
        self._feed.stop()

    async def _wait(self, turn: Turn, changed: asyncio.Event) -> None:
        while turn.ended is None:
            changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(turn.deadline):
                    await changed.wait()
            turn.tick(asyncio.get_running_loop().time())

    async def _listen(self) -> None:
        self._feed.start()
        await self._feed.wait()
        self._add_entries(self.channel, ())

    def _add_entries(self, _channel: str, entries: Sequence[Entry]) -> None:
        me = self.process.colony.userid
        theirs = [entry for entry in entries if entry.senderid != me and not entry.former]
        for entry in theirs:
            if not ends_conversation(entry):
                self._fault = entry if entry.is_error else None
        self._closes = self._closes or any(closes_turns(entry) for entry in theirs)
        self._ended = self._ended or any(ends_conversation(entry) for entry in theirs)
        now = asyncio.get_running_loop().time()
        for turn, changed in self._turns.items():
            turn.add(entries, now)
            if not entries:
                turn.over()
            changed.set()

    async def _send(self, text: str) -> int:
        try:
            return await self.process.channel(self.channel).send(text)
        except ChannelClosed:
            raise_unless_successful(self.process.record)  # its end is the better reason
            raise

    async def _why(self) -> str:
        record = self.process.record
        return await self.process.colony.explain_waiting(record) if not record.isassigned else ""

    async def send_typed(self, text: str) -> None:
        """Send what was typed into the view; failures are shown there."""
        view, was_over = self.view, self._ended
        try:
            await self.send(text)
        except ColonyError as error:
            is_answer = isinstance(error, StreamError) and not was_over  # an entry, which the view shows
            if view is not None and not is_answer:
                view.feed(TextRefused(self.channel, text, str(error)))

    async def send_end(self) -> None:
        """Send the end of the conversation, at which the partner is to end."""
        try:
            await self.process.channel(self.channel).end()
        except ColonyError as error:
            self._feed.report(str(error))

    def cancel(self) -> None:
        """Cancel the process; from any thread."""
        self._feed.enqueue_cancel()
