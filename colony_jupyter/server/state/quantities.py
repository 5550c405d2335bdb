"""Amounts of cpu, memory and time as a ColonyOS server reads them (docs/protocol.md section 3, trap 26)."""

from __future__ import annotations

import re
from typing import Final

from colony_jupyter.server.errors import Refused
from colony_jupyter.wire.limits import INT64_MAX, INT64_MIN
from colony_jupyter.wire.quantities import UNITS, UNRELIABLE

SECOND: Final = 1_000_000_000
"""Nanoseconds of a second: times of the server are Unix nanoseconds."""
DAY: Final = 86_400 * SECOND
"""Nanoseconds of a day."""

_LONGEST_WAIT: Final = 30 * 86_400.0
_MOST_DIGITS: Final = 40
_SHOWN: Final = 100

_CPU = re.compile(r"(-?\d+)m")
_AMOUNT = re.compile(r"(-?\d+)([A-Za-z]+)")
_MI: Final = 1024**2
# A real server accepts some units at random; accepting them always is one of its two answers.
_BYTES: Final = {**UNITS, **UNRELIABLE}


def millicores(text: str) -> int:
    """Read an amount of cpu; text that does not end in ``m`` counts as none.

    Raises:
        Refused: if the number is beyond 64 bits.
    """
    found = _CPU.fullmatch(text)
    return _integer(found[1], Refused(400, "Error converting CPU to int")) if found else 0


def mebibytes(text: str) -> int:
    """Read an amount of memory, rounded down to whole Mi; an empty text is none.

    Raises:
        Refused: if it has no known unit, or is beyond 64 bits.
    """
    if not text:
        return 0
    found = _AMOUNT.fullmatch(text)
    invalid = Refused(400, f"error converting memory to int: {text[:_SHOWN]}")
    if found is None or found[2] not in _BYTES:
        raise invalid
    far = f'strconv.ParseInt: parsing "{found[1][:_SHOWN]}": value out of range'
    invalid = Refused(400, f"error converting memory to int: {far}")
    amount = _integer(found[1], invalid) * _BYTES[found[2]]
    if not INT64_MIN <= amount <= INT64_MAX:
        raise invalid
    return amount // _MI if amount >= 0 else -(-amount // _MI)


def _integer(digits: str, invalid: Refused) -> int:
    # The length first: Python refuses to convert thousands of digits.
    number = int(digits) if len(digits) <= _MOST_DIGITS else INT64_MAX + 1
    if not INT64_MIN <= number <= INT64_MAX:
        raise invalid
    return number


def later(time: int, seconds: int) -> int:
    """Return a time some seconds later, in Unix nanoseconds; the year 2262, where these end, for all that is beyond."""
    return min(time + seconds * SECOND, INT64_MAX)


def wait(seconds: int) -> float:
    """Limit the seconds that a caller asked to wait: not negative, and few enough for any event loop."""
    return min(max(0.0, float(seconds)), _LONGEST_WAIT)
