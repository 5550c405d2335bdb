"""The channels of a kernel's process, and when the next one, or the next process, takes over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from colony_jupyter.wire.limits import MAX_ENTRIES

Lane = Literal["ctl", "in", "out"]
"""One ordered stream: ``ctl`` in both directions, ``in`` to the kernel, ``out`` from it."""

CTL: Final = "ctl"
IN: Final = "in"
OUT: Final = "out"
_OUT: Final = "out."

OUT_CHANNELS: Final = 12
"""Channels for what the kernel sends. A new session begins on a new one, so that nothing old is read again."""
CHANNELS: Final = [CTL, IN, *(f"{_OUT}{number}" for number in range(OUT_CHANNELS))]
"""The channels that a process for a kernel declares."""


def out_channel(number: int) -> str:
    """Return the name of a channel for what the kernel sends."""
    return f"{_OUT}{number}"


def out_number(channel: str) -> int | None:
    """Return the number of such a channel; None for any other name."""
    digits = channel.removeprefix(_OUT)
    return int(digits) if channel.startswith(_OUT) and digits.isascii() and digits.isdecimal() else None


def channel_number(channel: str) -> int:
    """Return a number that no other channel of the process has.

    Raises:
        ValueError: for a channel of another name.
    """
    if channel in (CTL, IN):
        return (CTL, IN).index(channel)
    number = out_number(channel)
    if number is None:
        raise ValueError(f"a kernel has no channel '{channel}'")
    return 2 + number


@dataclass(frozen=True)
class Limits:
    """When a channel and a process are full.

    Attributes:
        entries: entries of one channel; then the next is used, or the next process.
        size: bytes that a process holds; a server keeps them in memory until it closes.
        channels: channels for what the kernel sends.
        window: bytes that are sent before they are acknowledged.
    """

    entries: int = MAX_ENTRIES - 1000
    size: int = 128 * 2**20
    channels: int = OUT_CHANNELS
    window: int = 64 * 2**20


class Occupancy:
    """How full the logs of one process are, as far as one party sees them.

    Args:
        limits: the limits.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._entries: dict[str, int] = {}
        self._size = 0

    def note(self, channel: str, size: int) -> None:
        """Count an entry of either party."""
        self._entries[channel] = self._entries.get(channel, 0) + 1
        self._size += size

    @property
    def entries(self) -> int:
        """Entries of all channels."""
        return sum(self._entries.values())

    def fill(self, channel: str) -> float:
        """Return how full the log of a channel is, from 0 to 1."""
        return self._entries.get(channel, 0) / self._limits.entries

    def pressure(self, channel: str) -> float:
        """Return how full a channel is that none follows; 0 for one that another follows."""
        number = out_number(channel)
        return 0.0 if number is not None and number + 1 < self._limits.channels else self.fill(channel)

    def is_full(self, channel: str) -> bool:
        """Whether a channel takes no more entries."""
        return self.fill(channel) >= 1

    @property
    def needs_successor(self) -> bool:
        """Whether another process should take over soon."""
        last = max((number for name in self._entries if (number := out_number(name)) is not None), default=0)
        shared = max(self.fill(CTL), self.fill(IN))
        return self._size >= self._limits.size or last >= self._limits.channels - 3 or shared >= 1
