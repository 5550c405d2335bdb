"""When an answer is complete: the turns of a conversation on a channel (docs/decisions.md, "Chat turns").

Our executors close each turn by an empty entry of type ``turn`` that answers the message; others by an ``end`` that
answers it; the simplest bots answer in one entry and send nothing more. So a turn also ends when an answer came and it
stayed quiet for a while, unless this partner is known to close its turns. A plain ``end`` ends the conversation.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

from colony_jupyter.wire.models import END, ERROR, TURN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colony_jupyter.wire.models import Entry

PIECES_FACTOR: Final = 4.0
"""How many times longer the quiet must last once an answer came in several entries: who sends pieces sends more."""


class TurnEnd(enum.Enum):
    """By what a turn ended."""

    CLOSED = "closed"  # the partner closed the turn, by `turn` or by an answering `end`
    QUIET = "quiet"  # an answer came, and then nothing for a while
    ERROR = "error"  # an `error` entry
    OVER = "over"  # the conversation ended: a plain `end`, or the stream's end
    STOPPED = "stopped"  # it is not waited for any longer


class Turn:
    """One message of ours and what is answered to it.

    Args:
        sequence: that of our message; None while it is not known, because it is still being sent.
        me: id of the sender of our messages.
        settle: seconds of quiet after an answer that end the turn.
        closes: whether the partner is known to close its turns, so that quiet means nothing.

    Attributes:
        ended: by what it ended; None while it goes on.
        error: the entry it ended with, if that was an error.
    """

    def __init__(self, sequence: int | None, *, me: str, settle: float, closes: bool = False) -> None:
        self.sequence = sequence
        self.ended: TurnEnd | None = None
        self.error: Entry | None = None
        self._me = me
        self._settle = settle
        self._closes = closes
        self._unread: list[tuple[Entry, float]] = []  # what came before the sequence was known
        self._sent = False  # whether our message was seen in the channel
        self._fault: Entry | None = None  # an error that came before our message, in answer to nothing
        self._pieces: list[Entry] = []
        self._latest = 0.0  # when the latest piece came

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(piece.text for piece in self._pieces)

    @property
    def deadline(self) -> float | None:
        """When `tick` is to be called at the latest; None if nothing depends on the time."""
        if self.ended is not None or self._closes or not self._pieces:
            return None
        return self._latest + self._settle * (PIECES_FACTOR if len(self._pieces) > 1 else 1.0)

    def know(self, sequence: int) -> None:
        """Set the sequence of our message, once it has been sent."""
        self.sequence = sequence
        unread, self._unread = self._unread, []
        for entry, now in unread:
            self.add([entry], now)

    def add(self, entries: Iterable[Entry], now: float) -> None:
        """Apply entries of the channel, in their order.

        Args:
            entries: of both sides, each once.
            now: the time, in seconds of any steady clock.
        """
        for entry in entries:
            if self.ended is not None:
                return
            if self.sequence is None:
                self._unread.append((entry, now))
            else:
                self._accept(entry, now, self.sequence)

    def over(self) -> None:
        """Note that the stream has ended."""
        self._end(TurnEnd.OVER)

    def stop(self) -> None:
        """Note that the turn is not waited for any longer."""
        self._end(TurnEnd.STOPPED)

    def tick(self, now: float) -> None:
        """End the turn if it was quiet for long enough."""
        deadline = self.deadline
        if deadline is not None and now >= deadline:
            self._end(TurnEnd.QUIET)

    def _accept(self, entry: Entry, now: float, sequence: int) -> None:
        if entry.senderid == self._me:
            self._sent = self._sent or entry.sequence == sequence
            return
        if entry.former:
            return
        # What answers nothing in particular can only be about our message if it came after it.
        ours = entry.inreplyto == sequence or (entry.inreplyto == 0 and self._sent)
        if entry.type == END and entry.inreplyto == 0:
            if self._fault is not None and not self._pieces:  # the partner failed before it received our message
                self.error = self._fault
            self._end(TurnEnd.OVER if self.error is None else TurnEnd.ERROR)
        elif not ours:
            if entry.type == ERROR and entry.inreplyto == 0:
                self._fault = entry
        elif entry.type in (TURN, END):
            self._piece(entry, now)
            self._end(TurnEnd.CLOSED)
        elif entry.type == ERROR:
            self.error = entry
            self._end(TurnEnd.ERROR)
        else:
            self._piece(entry, now)

    def _piece(self, entry: Entry, now: float) -> None:
        if entry.payload:
            self._pieces.append(entry)
            self._latest = now

    def _end(self, how: TurnEnd) -> None:
        if self.ended is None:
            self.ended = how
            self._unread.clear()


def closes_turns(entry: Entry) -> bool:
    """Whether an entry shows that its sender closes each of its turns."""
    return entry.type == TURN or (entry.type == END and entry.inreplyto != 0)


def ends_conversation(entry: Entry) -> bool:
    """Whether an entry of the partner ends the whole conversation."""
    return entry.type == END and entry.inreplyto == 0
