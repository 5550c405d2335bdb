"""How a failure is told to the submitter: its message, and where in the user's own code it came from (pure)."""

from __future__ import annotations

import linecache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from colony_jupyter.errors import ColonyError

if TYPE_CHECKING:
    from types import TracebackType

_MOST_FRAMES: Final = 6
_OURS: Final = str(Path(__file__).parents[1])
_LIBRARY: Final = str(Path(linecache.__file__).parent)


def message(error: BaseException) -> str:
    """Give the one line that says what went wrong."""
    if isinstance(error, ColonyError):
        return str(error)
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def trace(error: BaseException) -> str:
    """Give the way through the user's code to an error, the innermost place last; empty if it was not there.

    Folders are left out: they are of the executor's machine, and no business of the submitter's.
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


def _is_foreign(file: str) -> bool:
    """Whether a file is ours, the library's or somebody's package, so that its lines say nothing to the user."""
    return file.startswith((_OURS, _LIBRARY, "<frozen")) or "site-packages" in file


def _file(file: str) -> str:
    if "ipykernel" in file or file.startswith("<ipython-input"):
        return "the notebook"
    return Path(file).name
