"""How a failure is reported to the submitter: its type and text, and the lines of the user's code it passed (pure)."""

from __future__ import annotations

import linecache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from colony_jupyter.wire.storable import storable

if TYPE_CHECKING:
    from types import TracebackType

_MOST_FRAMES: Final = 6
_MOST_SUBEXCEPTIONS: Final = 10
_MOST_NESTED_GROUPS: Final = 3
_LONGEST_TEXT: Final = 20_000
"""Characters of one text in a report."""
_OURS: Final = str(Path(__file__).parents[1])
_LIBRARY: Final = str(Path(linecache.__file__).parent)


def report(error: BaseException) -> tuple[str, ...]:
    """Return what the process fails with: the message, then the trace if there is one. All texts can be stored."""
    cause = _unwrapped(error)
    texts = (message(cause), trace(cause))
    return tuple(shortened(storable(text)) for text in texts if text)


def message(error: BaseException) -> str:
    """Return one line with the error's type and text; for an exception group, also those of its exceptions."""
    return _message(error, _MOST_NESTED_GROUPS)


def shortened(text: str) -> str:
    """Return a text, cut to 20,000 characters with a note of its length."""
    if len(text) <= _LONGEST_TEXT:
        return text
    return f"{text[:_LONGEST_TEXT]} ... (cut; {len(text):,} characters in all)"


def trace(error: BaseException) -> str:
    """Return the lines of the user's code that an error passed, the innermost last; empty if there are none.

    Folders are left out: they belong to the executor's machine and mean nothing to the submitter.
    """
    places = []
    found: TracebackType | None = error.__traceback__
    while found is not None:
        code = found.tb_frame.f_code
        if not _is_foreign(code.co_filename):
            line = linecache.getline(code.co_filename, found.tb_lineno, found.tb_frame.f_globals).strip()
            where = f"{_file(code.co_filename)}, line {found.tb_lineno}, in {code.co_name}"
            places.append(f"{where}: {line}" if line else where)
        found = found.tb_next
    return "\n".join(places[-_MOST_FRAMES:])


def _message(error: BaseException, depth: int) -> str:
    name = type(error).__name__
    try:
        text = str(error).strip()
    except BaseException as fault:  # noqa: BLE001 - a `__str__` of the user's may raise anything
        text = f"its text cannot be shown, since its __str__ raised {type(fault).__name__}"
    line = f"{name}: {text}" if text else name
    if not isinstance(error, BaseExceptionGroup) or not depth:
        return line
    members = [_message(member, depth - 1) for member in error.exceptions[:_MOST_SUBEXCEPTIONS]]
    more = len(error.exceptions) - len(members)
    if more:
        members.append(f"{more} more")
    return f"{line}: {'; '.join(members)}"


def _unwrapped(error: BaseException) -> BaseException:
    """Return the StopIteration that Python replaced by a RuntimeError, which lacks the user's line."""
    cause = error.__cause__
    if (
        type(error) is RuntimeError
        and isinstance(cause, (StopIteration, StopAsyncIteration))
        and str(error).endswith(f"raised {type(cause).__name__}")
    ):
        return cause
    return error


def _is_foreign(file: str) -> bool:
    """Whether a file belongs to this package, the standard library or an installed package."""
    return file.startswith((_OURS, _LIBRARY, "<frozen")) or "site-packages" in file


def _file(file: str) -> str:
    if "ipykernel" in file or file.startswith("<ipython-input"):
        return "the notebook"
    return Path(file).name
