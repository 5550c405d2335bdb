"""Amounts of cpu and memory as texts (docs/protocol.md section 3, trap 26)."""

from __future__ import annotations

import re
from typing import Final

from colony_jupyter.wire.limits import INT64_MAX

_CPU: Final = re.compile(r"(\d+)m")
_AMOUNT: Final = re.compile(r"(\d+)([A-Za-z]+)")
_DIGITS: Final = 19
"""Digits of the largest number of 64 bits: Python refuses to convert thousands of them."""
_KI: Final = 1024

UNITS: Final = {
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
    "Gb": 1000**3,
}
"""Bytes of the units of memory that a server always accepts."""

UNRELIABLE: Final = {
    "KB": 1000,
    "Kb": 1000,
    "MB": 1000**2,
    "Mb": 1000**2,
    "TB": 1000**4,
    "Tb": 1000**4,
}
"""Bytes of the units that a server accepts at random."""


def millicores(text: str) -> int | None:
    """Return the thousandths of a core that a text such as ``500m`` names; None for any other text."""
    found = _CPU.fullmatch(text)
    if found is None or (amount := _number(found[1])) > INT64_MAX:
        return None
    return amount


def mebibytes(text: str) -> int | None:
    """Return the whole Mi that a text such as ``2Gi`` names, rounded down; None for a text that a server may refuse."""
    found = _AMOUNT.fullmatch(text)
    if found is None or found[2] not in UNITS or (amount := _number(found[1]) * UNITS[found[2]]) > INT64_MAX:
        return None
    return amount // _KI**2


def unit(text: str) -> str:
    """Return the letters at the end of an amount."""
    found = _AMOUNT.fullmatch(text)
    return found[2] if found else ""


def _number(digits: str) -> int:
    """Return a number of at most 64 bits; one that is too large for all others."""
    return int(digits) if len(digits) <= _DIGITS else INT64_MAX + 1
