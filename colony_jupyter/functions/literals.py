"""Expressions that make constants again: numbers, texts, and lists, tuples, sets and dicts of them."""

from __future__ import annotations

import datetime as dt
import logging
import math
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePath
from types import NoneType
from typing import Any, Final, TypeVar
from uuid import UUID

LONGEST: Final = 64_000
"""Characters of an expression at the most; what is larger is an argument, not a constant."""
_DEEPEST: Final = 50
"""Levels of nesting at the most; a value that contains itself exceeds it."""

_NUMPY: Final = re.compile(r"numpy\.(bool_?|u?int\d+|float(16|32|64)|complex(64|128))")
"""Types of numpy's numbers that Python's own hold without loss."""


class NoLiteralError(ValueError):
    """A value that no expression makes again."""


def literal(value: Any) -> str:
    """Return an expression that makes an equal value.

    Loggers, compiled regular expressions, paths, dates, numbers of numpy and type variables have one too, since they
    are constants of many programs; and so have named tuples, which no `class` statement defines.

    Raises:
        NoLiteralError: if there is none, or it is longer than 64,000 characters.
    """
    text = _expression(value, 0)
    if len(text) > LONGEST:
        raise NoLiteralError
    return text


def is_namedtuple(value: object) -> bool:
    """Whether an object is a class of named tuples."""
    return isinstance(value, type) and value.__bases__ == (tuple,) and "_field_defaults" in vars(value)


def _expression(value: Any, depth: int) -> str:
    kind = type(value)
    if kind in (float, complex):
        return _number(value)
    if value is None or value is Ellipsis or kind in (bool, int, str, bytes):
        return repr(value)
    if kind is logging.Logger:
        return f'__import__("logging").getLogger({value.name!r})'
    if kind is re.Pattern:
        return f'__import__("re").compile({value.pattern!r}, {value.flags})'
    if (constant := _constant(value, depth)) is not None:
        return constant
    if kind not in (dict, list, tuple, set, frozenset) or len(value) > LONGEST or depth > _DEEPEST:
        raise NoLiteralError
    if kind is dict:
        items = [f"{_expression(key, depth + 1)}: {_expression(each, depth + 1)}" for key, each in value.items()]
        return f"{{{', '.join(items)}}}"
    members = ", ".join(_expression(each, depth + 1) for each in value)
    if kind is tuple:
        return f"({members}{',' if len(value) == 1 else ''})"
    return f"[{members}]" if kind is list else f"{kind.__name__}([{members}])"


def _constant(value: Any, depth: int) -> str | None:
    """Return an expression for an object of the standard library or a number of numpy; None for anything else."""
    kind = type(value)
    library = f'__import__("{kind.__module__}")'
    if kind is range:
        return repr(value)
    if kind is dt.timedelta:
        return f"{library}.{repr(value).removeprefix('datetime.')}"
    if kind is dt.date or (kind in (dt.datetime, dt.time) and type(value.tzinfo) in (NoneType, dt.timezone)):
        fold = ".replace(fold=1)" if getattr(value, "fold", 0) else ""  # no text of ISO 8601 has it
        return f"{library}.{kind.__name__}.fromisoformat({value.isoformat()!r}){fold}"
    if kind in (Decimal, Fraction, UUID):
        return f"{library}.{kind.__name__}({str(value)!r})"
    if isinstance(value, PurePath) and kind.__module__.partition(".")[0] == "pathlib":
        return f'__import__("pathlib").{"Path" if isinstance(value, Path) else kind.__name__}({str(value)!r})'
    if kind is TypeVar:
        return f'__import__("typing").TypeVar({value.__name__!r})'
    if _NUMPY.fullmatch(f"{kind.__module__}.{kind.__name__}"):
        return f"{library}.{kind.__name__}({_expression(value.item(), depth)})"
    if is_namedtuple(value):
        defaults = _expression(tuple(value._field_defaults.values()), depth + 1)
        return f'__import__("collections").namedtuple({value.__name__!r}, {value._fields!r}, defaults={defaults})'
    return None


def _number(value: complex) -> str:
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else f'float("{value}")'
    return f"complex({_number(value.real)}, {_number(value.imag)})"
