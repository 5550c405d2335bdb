"""What a `Reader` asks for and how its stream stands: the vocabulary between the machine and its sockets."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class StreamState(enum.Enum):
    """State of a stream."""

    OPEN = "open"
    RESUMING = "resuming"
    ENDED = "ended"
    BROKEN = "broken"

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        return self in (StreamState.ENDED, StreamState.BROKEN)


@dataclass(frozen=True)
class Open:
    """Open a subscription window on a connection of its own."""

    window: int
    afterseq: int
    seconds: int


@dataclass(frozen=True)
class Close:
    """Close a window's connection."""

    window: int


@dataclass(frozen=True)
class ReadLog:
    """Read the log from index ``afterseq`` to its end; the reply is reported together with this object."""

    known: int

    @property
    def afterseq(self) -> int:
        """Index of the first entry to read: one entry back, see `Inbox`."""
        return max(self.known - 1, 0)


@dataclass(frozen=True)
class AskProcess:
    """Ask the server for the process now, and report whether it is open or closed."""


Effect = Open | Close | ReadLog | AskProcess


@dataclass(frozen=True)
class Policy:
    """Times, in seconds.

    Attributes:
        window: length of a subscription window, as the server knows it.
        renew: age of a window at which the next is opened beside it, at the latest.
        spread: by up to how much sooner, at random: streams that began together must not all renew at one moment.
        confirm: time within which the first frame of a window must arrive, if entries were received before.
        assume: time after which a window on an empty channel counts as open, since nothing confirms it.
        overdue: how late a window's end may be before its link counts as dead.
        silence: seconds without a frame after which the log is read.
        quiet: silence after the process closed that means everything has come.
        give_up: time after the process closed within which a lost connection must be back.
    """

    window: int = 25
    renew: float = 20.0
    spread: float = 5.0
    confirm: float = 5.0
    assume: float = 0.5
    overdue: float = 3.0
    silence: float = 5.0
    quiet: float = 0.3
    give_up: float = 10.0


@dataclass(frozen=True)
class Refused:
    """A refusal of the server: its status and its message."""

    status: int
    message: str
