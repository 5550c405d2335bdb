"""The numbers a ColonyOS server enforces (docs/protocol.md sections 3 to 5)."""

from __future__ import annotations

from typing import Final

MAX_PAYLOAD: Final = 10 * 1024 * 1024
"""Bytes of one channel entry, after decoding."""

MAX_ENTRIES: Final = 10_000
"""Entries of one channel; then it is full for good."""

MAX_CHANNELS: Final = 100
"""Channels of one process; the rest is quietly not created (trap 25)."""

APPEND_RATE: Final = 100.0
"""Appends a second, sustained, of both parties to all channels of one process."""

APPEND_BURST: Final = 500
"""Appends that may come at once after a rest."""

MAX_PRIORITY: Final = 50_000
"""Largest priority, and smallest with its sign turned."""

MAX_PROCESSES: Final = 100
"""Largest count of one list of processes or workflows."""

MAX_LOGS: Final = 500
"""Largest count of one list of log lines."""

MAX_FOUND_LOGS: Final = 100
"""Largest count of one search in the logs."""

MAX_LOG_DAYS: Final = 30
"""Days that a search in the logs may look back."""

DEFAULT_WINDOW: Final = 30.0
"""Seconds of a channel subscription that names no timeout."""

STALE_EXECUTOR: Final = 600.0
"""Seconds without an assign call after which a server removes an executor (trap 3)."""

EXACT_INTEGER: Final = 2**53
"""Integers up to this one, of either sign, keep their digits in JSON: a server reads numbers as 64-bit floats."""

INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1
