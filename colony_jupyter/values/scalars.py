"""Single values that JSON does not have: their form as text or as a number."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import os
import pathlib
import sys
import uuid
from typing import Any, Final

UNKNOWN: Final = object()
"""Stands for the form of a value that is no single value."""


def simplify(value: Any) -> Any:  # noqa: C901 - a table of types
    """Return a single value as text, number, boolean or None; `UNKNOWN` if it is none of the kinds known here.

    The result may still be NaN, infinite or a large integer.
    """
    if is_missing(value):
        return None
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    if isinstance(value, pathlib.PurePath):
        return str(value)
    if isinstance(value, os.PathLike):
        return simplify(os.fspath(value))
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        return _numpy_scalar(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    return _library_scalar(value)


def is_missing(value: Any) -> bool:
    """Whether a value is one of pandas' signs for "no value": ``NA`` and ``NaT``."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and (value is pandas.NA or value is pandas.NaT)


def digits(value: int) -> str:
    """Write an integer of any size in decimal digits. Python limits ``str()`` to 4,300 of them."""
    try:
        return str(value)
    except ValueError:
        return format(decimal.Decimal(value), "f")


def _library_scalar(value: Any) -> Any:
    pandas, pyarrow = sys.modules.get("pandas"), sys.modules.get("pyarrow")
    if pandas is not None and isinstance(value, (pandas.Period, pandas.Interval)):
        return str(value)
    if pyarrow is not None and isinstance(value, pyarrow.Scalar):
        return value.as_py()
    return UNKNOWN


def _numpy_scalar(value: Any) -> Any:
    kind = value.dtype.kind
    if kind in "bi":
        return value.item()
    if kind == "u":
        return int(value)
    if kind == "f":
        return float(value)
    if kind == "M":
        text = str(value)
        return None if text == "NaT" else text
    if kind == "m":
        return None if str(value) == "NaT" else float(value / type(value)(1, "s"))
    return UNKNOWN
