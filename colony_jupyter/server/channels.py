"""The channels of the processes: logs, who may use them, how fast (PROTOCOL.md section 5)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from colony_jupyter.server.refusal import Refused
from colony_jupyter.wire.limits import APPEND_BURST, APPEND_RATE, MAX_CHANNELS, MAX_ENTRIES, MAX_PAYLOAD
from colony_jupyter.wire.models import DATA, ProcessState

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.server.state import Process

_NS: Final = 1_000_000_000


class StoredEntry(Struct, kw_only=True, frozen=True):
    """An entry in a log; the timestamp in Unix nanoseconds."""

    sequence: int
    inreplyto: int
    timestamp: int
    senderid: str
    payload: bytes | None
    type: str


class Channel:
    """One channel: its log, and those who listen.

    Args:
        name: its name.
        log: entries that are there already, as the store has them.
    """

    def __init__(self, name: str, log: list[StoredEntry] | None = None) -> None:
        self.name = name
        self.log = log or []
        self.arrived = len(self.log)  # entries ever appended: what the store numbers them by
        self.listeners: set[Callable[[int, StoredEntry | None], None]] = set()
        self._highest: dict[str, int] = {}
        for entry in self.log:
            self._note(entry)

    def append(self, entry: StoredEntry) -> None:
        """Add an entry where the server's sorting puts it: at the end, if its sender's sequences grow."""
        self.log.append(entry)
        self.arrived += 1
        if entry.sequence < self._highest.get(entry.senderid, entry.sequence):
            self.log.sort(key=functools.cmp_to_key(_compare))
        self._note(entry)

    def tell(self, place: int, entry: StoredEntry | None) -> None:
        """Give an entry to those who listen, with its number by arrival; None when the channel has vanished."""
        for listener in list(self.listeners):
            listener(place, entry)

    def _note(self, entry: StoredEntry) -> None:
        self._highest[entry.senderid] = max(entry.sequence, self._highest.get(entry.senderid, entry.sequence))


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
        if process.spec.channels:
            names = list(dict.fromkeys(process.spec.channels))[:MAX_CHANNELS]
            self._channels[process.processid] = {name: Channel(name, (logs or {}).get(name)) for name in names}

    def drop(self, processid: str) -> None:
        """Let a process's channels vanish with their content."""
        self._buckets.pop(processid, None)
        for channel in self._channels.pop(processid, {}).values():
            channel.tell(channel.arrived + 1, None)

    def all(self) -> list[tuple[str, dict[str, Channel]]]:
        """Give all channels, by process and name."""
        return list(self._channels.items())

    def of(self, processid: str) -> dict[str, Channel]:
        """Give a process's channels."""
        return self._channels.get(processid, {})

    def open(self, process: Process, name: str, callerid: str, doing: str) -> Channel:
        """Give a channel to somebody who may use it.

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


def make_entry(
    *, sequence: int, inreplyto: int, now: int, senderid: str, payload: bytes | None, kind: str
) -> StoredEntry:
    """Make an entry; an empty type means data."""
    return StoredEntry(
        sequence=sequence, inreplyto=inreplyto, timestamp=now, senderid=senderid, payload=payload, type=kind or DATA
    )
