"""Warnings that name the line of the user's program that called this package, also from the loop's thread."""

from __future__ import annotations

import contextvars
import inspect
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_FOLDER: Final = str(Path(__file__).parent)
_NAME: Final = __name__.partition(".")[0]
_PASSED_OVER: Final = {_NAME, "IPython"}
_LOOPS: Final = {"asyncio", "threading"}
"""Modules that call what was scheduled on a loop; with another loop than asyncio's, the thread alone does."""
_Line = tuple[str, int]

_blocking_call: Final[contextvars.ContextVar[_Line | None]] = contextvars.ContextVar("_blocking_call", default=None)
_shown: Final[dict[str | tuple[str, type[Warning], int], int]] = {}
"""Where the warnings module records what it has shown, so that a loop shows a warning once."""


def run_with_line(function: Callable[..., T], *args: Any) -> T:
    """Call a function in a context that records the caller's line; callbacks and tasks made by it inherit the line."""
    token = _blocking_call.set(_line())
    try:
        return function(*args)
    finally:
        _blocking_call.reset(token)


def warn(message: str) -> None:
    """Issue a UserWarning for the line of the caller."""
    filename, number = _line()
    warnings.warn_explicit(message, UserWarning, filename, number, registry=_shown)


def _line() -> _Line:
    """Return the file and the line of the nearest caller outside this package; for a magic, of its cell.

    What an event loop calls has none: the line is that of the blocking call which began it, if one did.
    """
    frame: Any = inspect.currentframe()
    while frame.f_back is not None and _package(frame) in _PASSED_OVER:
        frame = frame.f_back
    begun = _blocking_call.get() if _package(frame) in _LOOPS else None
    return begun or (frame.f_code.co_filename, frame.f_lineno)


def _package(frame: Any) -> str:
    if frame.f_code.co_filename.startswith(_FOLDER):
        return _NAME
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
