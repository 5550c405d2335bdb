"""Amounts of cpu, memory and time as a ColonyOS server reads them (docs/protocol.md section 3, trap 26)."""

from __future__ import annotations

import re
from typing import Final

from colony_jupyter.server.errors import Refused
from colony_jupyter.wire.limits import INT64_MAX

_NS: Final = 1_000_000_000
_LONGEST_WAIT: Final = 30 * 86_400.0

_CPU = re.compile(r"(-?\d+)m")
_AMOUNT = re.compile(r"(-?\d+)([A-Za-z]+)")
_KI: Final = 1024
_BYTES: Final = {
    "Ki": _KI,
    "KiB": _KI,
    "Mi": _KI**2,
    "MiB": _KI**2,
    "Gi": _KI**3,
    "GiB": _KI**3,
    "TiB": _KI**4,
    "K": 1000,
    "M": 1000**2,
    "G": 1000**3,
    # Decimal by their letters. A real server accepts these at random; accepting them always is one of its two answers.
    "KB": 1000,
    "Kb": 1000,
    "MB": 1000**2,
    "Mb": 1000**2,
    "Gb": 1000**3,
    "TB": 1000**4,
    "Tb": 1000**4,
}


def millicores(text: str) -> int:
    """Read an amount of cpu; whatever does not end in ``m`` is none."""
    found = _CPU.fullmatch(text)
    return int(found[1]) if found else 0


def mebibytes(text: str) -> int:
    """Read an amount of memory, rounded down to whole Mi; an empty text is none.

    Raises:
        Refused: if it has no known unit.
    """
    if not text:
        return 0
    found = _AMOUNT.fullmatch(text)
    if found is None or found[2] not in _BYTES:
        raise Refused(400, f"error converting memory to int: {text}")
    amount = int(found[1]) * _BYTES[found[2]]
    return amount // _KI**2 if amount >= 0 else -(-amount // _KI**2)


def later(time: int, seconds: int) -> int:
    """Give a time some seconds later, in Unix nanoseconds; the year 2262, where these end, for all that is beyond."""
    return min(time + seconds * _NS, INT64_MAX)


def wait(seconds: int) -> float:
    """Give the seconds to wait for somebody who asked for so many: not negative, and few enough for any event loop."""
    return min(max(0.0, float(seconds)), _LONGEST_WAIT)
