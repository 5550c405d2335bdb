"""Counts of a stream."""

from __future__ import annotations

from dataclasses import dataclass

from colony_jupyter.wire.models import moment


@dataclass(frozen=True)
class StreamStatistics:
    """Counts of a stream.

    Attributes:
        delivered: entries that the consumer has received.
        waiting: entries that arrived and that the consumer has not received yet.
        repeats: entries that arrived again and were dropped.
        resumes: number of times the connection was lost and restored.
        lag: seconds between the server's time of the latest entry and its arrival here, which include the difference of
            the two clocks. None before the first entry.
        missing: numbers that are missing in the numbering of the senders, so that entries may have been dropped on the
            way between nodes of the server.
    """

    delivered: int
    waiting: int
    repeats: int
    resumes: int
    lag: float | None
    missing: int = 0


def lag(timestamp: str, arrived: float) -> float | None:
    """Return the seconds from an entry's time to its arrival; None without a time.

    Args:
        timestamp: the server's time of the entry.
        arrived: our time, in seconds since 1970.
    """
    try:
        written = moment(timestamp)
    except ValueError:
        return None
    return None if written is None else arrived - written.timestamp()
