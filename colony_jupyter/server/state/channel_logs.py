"""The channels of the processes: logs, access and rates (docs/protocol.md section 5)."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from colony_jupyter.server.errors import Refused
from colony_jupyter.server.state.changes import note
from colony_jupyter.wire.limits import APPEND_BURST, APPEND_RATE, MAX_CHANNELS, MAX_ENTRIES, MAX_PAYLOAD
from colony_jupyter.wire.models import DATA, ProcessState

if TYPE_CHECKING:
    from colony_jupyter.server.state.records import Process

_NS: Final = 1_000_000_000


class StoredEntry(Struct, array_like=True, gc=False):
    """An entry in a log; the timestamp in Unix nanoseconds.

    Kept as a list, so fields are only ever added, at the end and with a default.
    """

    sequence: int
    inreplyto: int
    timestamp: int
    senderid: str
    payload: bytes | None
    type: str = DATA


class Gone(enum.Enum):
    """What listeners get instead of an entry."""

    VANISHED = enum.auto()
    """The process has closed, and its channels are gone."""

    READ_AGAIN = enum.auto()
    """The state was read from disk: listen again, to the channel that has taken this one's place."""


Listener = Callable[["int", "StoredEntry | Gone"], None]


class Channel:
    """One channel: its log and its listeners.

    Args:
        name: its name.
        log: entries that are there already, as the store has them.
    """

    def __init__(self, name: str, log: list[StoredEntry] | None = None) -> None:
        self.name = name
        self.log = log or []
        self.arrived = len(self.log)  # entries ever appended: what the store numbers them by
        self.listeners: set[Listener] = set()
        self._highest: dict[str, int] = {}  # sequence, by sender
        grows = [self._note(entry) for entry in self.log]
        if not all(grows):
            self.log.sort(key=functools.cmp_to_key(_compare))

    def append(self, entry: StoredEntry) -> None:
        """Add an entry where the server's sorting puts it: at the end, if its sender's sequences grow."""
        note()
        place = len(self.log)
        if not self._note(entry):
            while place and _compare(entry, self.log[place - 1]) < 0:
                place -= 1
        self.log.insert(place, entry)
        self.arrived += 1

    def tell(self, place: int, entry: StoredEntry | Gone) -> None:
        """Passes an entry to the listeners, with its number by arrival."""
        for listener in list(self.listeners):
            listener(place, entry)

    def tell_gone(self, how: Gone) -> None:
        """Notifies the listeners that nothing comes any more."""
        self.tell(self.arrived + 1, how)

    def _note(self, entry: StoredEntry) -> bool:
        """Records a sequence. Returns True if it is the highest of its sender."""
        highest = self._highest.get(entry.senderid, entry.sequence)
        self._highest[entry.senderid] = max(entry.sequence, highest)
        return entry.sequence >= highest


def _compare(one: StoredEntry, other: StoredEntry) -> int:
    if one.senderid == other.senderid:
        return one.sequence - other.sequence
    return one.timestamp - other.timestamp


class _Bucket:
    def __init__(self, now: int) -> None:
        self._tokens = float(APPEND_BURST)
        self._at = now

    def take(self, now: int) -> bool:
        self._tokens = min(APPEND_BURST, self._tokens + (now - self._at) / _NS * APPEND_RATE)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Channels:
    """All channels of all processes.

    Args:
        limits: whether rate and number of entries are limited as on a real server.
    """

    def __init__(self, *, limits: bool) -> None:
        self._limits = limits
        self._channels: dict[str, dict[str, Channel]] = {}
        self._buckets: dict[str, _Bucket] = {}

    def create(self, process: Process, logs: dict[str, list[StoredEntry]] | None = None) -> None:
        """Make the channels that a process declares."""
        note()
        if process.spec.channels:
            names = list(dict.fromkeys(process.spec.channels))[:MAX_CHANNELS]
            self._channels[process.processid] = {name: Channel(name, (logs or {}).get(name)) for name in names}

    def drop(self, processid: str) -> Callable[[], None]:
        """Let a process's channels vanish with their content.

        Returns:
            a function that notifies the listeners; it must run after all earlier entries were passed to them.
        """
        note()
        self._buckets.pop(processid, None)
        dropped = self._channels.pop(processid, {})

        def tell() -> None:
            for channel in dropped.values():
                channel.tell_gone(Gone.VANISHED)

        return tell

    def hang_up(self) -> None:
        """Asks all listeners to subscribe again: other channels replace these."""
        for channels in self._channels.values():
            for channel in channels.values():
                channel.tell_gone(Gone.READ_AGAIN)

    def of(self, processid: str) -> dict[str, Channel]:
        """Give a process's channels."""
        return self._channels.get(processid, {})

    def open(self, process: Process, name: str, callerid: str, doing: str) -> Channel:
        """Returns a channel, if the caller may use it.

        Raises:
            Refused: if there is none of that name, or the caller is no party.
        """
        if process.state is ProcessState.CANCELLED and process.processid not in self._channels:
            self.create(process)  # cancelling, unlike closing, lets them come back, empty
        channels = self._channels.get(process.processid, {})
        channel = channels.get(name)
        if channel is None and name in process.spec.channels and channels and doing != "subscribe to":
            raise Refused(500, "process has too many channels")
        if channel is None:
            raise Refused(404, "Channel not found")
        if callerid not in (process.initiatorid, process.channelsid or process.initiatorid):
            raise Refused(403, f"Not authorized to {doing} channel")
        return channel

    def admit(self, process: Process, channel: Channel, payload: bytes | None, now: int) -> None:
        """Admit one more entry.

        Raises:
            Refused: if it is too large, too soon, or one too many.
        """
        if len(payload or b"") > MAX_PAYLOAD:
            raise Refused(500, "message payload exceeds maximum size")
        if not self._limits:
            return
        bucket = self._buckets.setdefault(process.processid, _Bucket(now))
        if not bucket.take(now):
            raise Refused(500, "rate limit exceeded")
        if len(channel.log) >= MAX_ENTRIES:
            raise Refused(500, "channel log is full")
