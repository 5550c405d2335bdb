"""The channels of the processes: order of their logs, listeners, access and rates (docs/protocol.md section 5)."""

from __future__ import annotations

import enum
import functools
import itertools
import sys
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from colony_jupyter.server.errors import Refused
from colony_jupyter.server.state.changes import note
from colony_jupyter.server.state.quantities import SECOND
from colony_jupyter.wire.limits import INT64_MAX, MAX_CHANNELS, MAX_ENTRIES, MAX_PAYLOAD
from colony_jupyter.wire.models import ProcessState
from colony_jupyter.wire.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from colony_jupyter.server.state.records import Process, StoredEntry
    from colony_jupyter.server.storage.entries import Entries

_STEP: Final = 100
"""Entries that are read at once to find the place of one that is not the highest of its sender."""


class Gone(enum.Enum):
    """What listeners get instead of an entry."""

    VANISHED = enum.auto()
    """The process has closed, and its channels are gone."""

    READ_AGAIN = enum.auto()
    """The state was read from disk: listen again, to the channel that replaced this one."""


Listener = Callable[["int", "StoredEntry | Gone"], None]


class _Key(Struct, gc=False):
    """What the place of an entry in a log follows from, and its place by arrival."""

    senderid: str
    sequence: int
    timestamp: int
    place: int


class ChannelLog:
    """One channel: its log and its listeners.

    The log is on disk. In memory are the entries that are not written yet, and the order of those behind the first that
    is not in the order of arrival.

    Args:
        name: its name.
        processid: its process.
        stored: what is on disk.
        empty: whether nothing of it is on disk, or what is there is about to be deleted.
    """

    def __init__(self, name: str, processid: str, stored: Entries, *, empty: bool = False) -> None:
        self.name = name
        self.arrived = 0  # entries ever appended: what the store numbers them by
        self.listeners: set[Listener] = set()
        self._processid = processid
        self._stored = stored
        self._unwritten: deque[StoredEntry] = deque()  # the last that arrived
        self._highest: dict[str, int] = {}  # sequence, by sender
        self._plain = 0  # how many come first in the log, as they arrived
        self._tail: list[_Key] = []  # those behind them
        if not empty:
            self._load()

    def append(self, entry: StoredEntry) -> None:
        """Add an entry where the server's sorting puts it: at the end, if its sender's sequences grow."""
        note()
        key = _key(self.arrived + 1, entry)
        if not self._note(entry):
            self._insert(key)
        elif self._tail:
            self._tail.append(key)
        else:
            self._plain += 1
        self._unwritten.append(entry)
        self.arrived += 1

    def publish(self, place: int, entry: StoredEntry) -> None:
        """Pass an entry that has been written, the first of those that were not, to the listeners.

        Args:
            place: its number by arrival.
            entry: the entry.
        """
        self._unwritten.popleft()
        self._pass_on(place, entry)

    def announce_gone(self, how: Gone) -> None:
        """Notify the listeners that nothing comes any more."""
        self._pass_on(self.arrived + 1, how)

    def read(self, start: int, end: int | None) -> list[StoredEntry]:
        """Return a part of the log, as a slice does.

        Raises:
            Refused: if it cannot be read.
        """
        end = self.arrived if end is None else min(end, self.arrived)
        if start >= end:
            return []
        entries = [entry for _, entry in self._by_arrival(start + 1, min(end, self._plain))]
        places = [key.place for key in self._tail[max(start - self._plain, 0) : max(end - self._plain, 0)]]
        if places:
            found = dict(self._by_arrival(min(places), max(places)))
            entries += [found[place] for place in places]
        return entries

    def _by_arrival(self, first: int, last: int) -> Iterator[tuple[int, StoredEntry]]:
        written = self.arrived - len(self._unwritten)
        if first <= min(last, written):
            yield from self._stored.read(self._processid, self.name, first, min(last, written))
        first = max(first, written + 1)
        waiting = itertools.islice(self._unwritten, first - written - 1, max(first, last + 1) - written - 1)
        yield from enumerate(waiting, first)

    def _load(self) -> None:
        """Find out how many entries are on disk, and in which order."""
        grows = True
        for place, entry in self._stored.read(self._processid, self.name, 1, INT64_MAX):
            grows = self._note(entry) and grows
            self.arrived = place
        self._plain = self.arrived
        if not grows:
            self._lengthen(self.arrived)
            self._tail.sort(key=functools.cmp_to_key(_compare))

    def _insert(self, key: _Key) -> None:
        at = len(self._tail)
        while at or self._plain:
            if not at:
                at = self._lengthen(_STEP)
            if _compare(key, self._tail[at - 1]) >= 0:
                break
            at -= 1
        self._tail.insert(at, key)

    def _lengthen(self, most: int) -> int:
        """Move the last of those that are as they arrived to the tail; returns how many."""
        first = max(self._plain - most, 0) + 1
        keys = [_key(place, entry) for place, entry in self._by_arrival(first, self._plain)]
        self._tail[:0] = keys
        self._plain = first - 1
        return len(keys)

    def _note(self, entry: StoredEntry) -> bool:
        """Record a sequence; return whether it is the highest of its sender."""
        highest = self._highest.get(entry.senderid, entry.sequence)
        self._highest[entry.senderid] = max(entry.sequence, highest)
        return entry.sequence >= highest

    def _pass_on(self, place: int, what: StoredEntry | Gone) -> None:
        for listener in list(self.listeners):
            listener(place, what)


def _key(place: int, entry: StoredEntry) -> _Key:
    # Thousands of entries have two senders: their ids are stored once.
    return _Key(sys.intern(entry.senderid), entry.sequence, entry.timestamp, place)


def _compare(one: _Key, other: _Key) -> int:
    if one.senderid == other.senderid:
        return one.sequence - other.sequence
    return one.timestamp - other.timestamp


class ChannelLogs:
    """All channels of all processes; each is made when it is first used.

    Args:
        stored: entries that are on disk.
        limits: whether rate and number of entries are limited as on a real server.
    """

    def __init__(self, stored: Entries, *, limits: bool) -> None:
        self._stored = stored
        self._limits = limits
        self._channels: dict[str, dict[str, ChannelLog]] = {}
        self._buckets: dict[str, TokenBucket] = {}
        self._dropping: dict[str, object] = {}  # processes whose entries are still on disk, with their last `drop`

    def drop(self, processid: str) -> Callable[[], None]:
        """Let a process's channels vanish with their content, which the caller deletes from the disk.

        Returns:
            a function that notifies the listeners; it must run once this is on disk, after all earlier entries were
            passed to them.
        """
        note()
        self._buckets.pop(processid, None)
        dropped = self._channels.pop(processid, {})
        this = self._dropping[processid] = object()

        def publish() -> None:
            if self._dropping.get(processid) is this:
                del self._dropping[processid]
            for channel in dropped.values():
                channel.announce_gone(Gone.VANISHED)

        return publish

    def end_subscriptions(self) -> None:
        """Ask all listeners to subscribe again: other channels replace these."""
        for channels in self._channels.values():
            for channel in channels.values():
                channel.announce_gone(Gone.READ_AGAIN)

    def open(self, process: Process, name: str, callerid: str, doing: str) -> ChannelLog:
        """Return a channel, if the caller may use it.

        Raises:
            Refused: if there is none of that name, the caller is no party, or it cannot be read.
        """
        channel = self._channels.get(process.processid, {}).get(name)
        if channel is None and name not in (declared := _declared(process)):
            if declared and name in process.spec.channels and doing != "subscribe to":
                raise Refused(500, "process has too many channels")
            raise Refused(404, "Channel not found")
        if callerid not in (process.initiatorid, process.channelsid or process.initiatorid):
            raise Refused(403, f"Not authorized to {doing} channel")
        if channel is None:
            channel = ChannelLog(name, process.processid, self._stored, empty=process.processid in self._dropping)
            self._channels.setdefault(process.processid, {})[name] = channel
        return channel

    def admit(self, process: Process, channel: ChannelLog, payload: bytes | None, now: int) -> None:
        """Admit one more entry.

        Raises:
            Refused: if it is too large, too soon, or one too many.
        """
        if len(payload or b"") > MAX_PAYLOAD:
            raise Refused(500, "message payload exceeds maximum size")
        if not self._limits:
            return
        seconds = now / SECOND
        bucket = self._buckets.setdefault(process.processid, TokenBucket(seconds))
        if bucket.refill(seconds) < 1:
            raise Refused(500, "rate limit exceeded")
        bucket.tokens -= 1
        if channel.arrived >= MAX_ENTRIES:
            raise Refused(500, "channel log is full")


def _declared(process: Process) -> list[str]:
    """Return the names of a process's channels. One that was cancelled, unlike a closed one, has them again, empty."""
    if process.state in (ProcessState.SUCCESS, ProcessState.FAILED):
        return []
    return list(dict.fromkeys(process.spec.channels or ()))[:MAX_CHANNELS]
