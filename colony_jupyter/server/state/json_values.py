"""JSON values as a ColonyOS server returns them (docs/protocol.md section 9, "Values change").

A ColonyOS server holds every JSON number as a 64-bit float and writes the shortest digits that identify that float.
Integers beyond 2^53 therefore lose digits, ``1.0`` returns as ``1``, ``-0.0`` as ``0``, and object members return
sorted by name. The embedded colony applies the same changes, so that code that works here works there.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from colony_jupyter.wire.limits import EXACT_INTEGER

_EXPONENT: Final = 1e21
"""Numbers from here on are written with an exponent, so that clients read floats."""


def restored(value: Any) -> Any:
    """Return a decoded JSON value as it comes back from a ColonyOS server."""
    if isinstance(value, dict):
        return {name: restored(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [restored(item) for item in value]
    if isinstance(value, float) or (type(value) is int and not -EXACT_INTEGER <= value <= EXACT_INTEGER):
        return _number(float(value))
    return value


def _number(number: float) -> int | float:
    if abs(number) >= _EXPONENT or not number.is_integer():
        return number
    return int(Decimal(repr(number)))
