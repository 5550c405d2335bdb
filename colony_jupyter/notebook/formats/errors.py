"""How an error of ours, or an interrupt, shows in a cell: a sentence, no stack of ours."""

from __future__ import annotations

import asyncio
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import IPython

from colony_jupyter.errors import ProcessFailed, RemoteCellFailed
from colony_jupyter.notebook.formats.plain_text import clean

if TYPE_CHECKING:
    from colony_jupyter.errors import ColonyError

_NOT_THE_USERS = tuple(
    str(Path(file).parent) for file in (Path(__file__).parents[1], IPython.__file__, asyncio.__file__)
)
_PLACES = 5
_RED = "\x1b[31m"
_PLAIN = "\x1b[0m"


def error_lines(error: ColonyError) -> list[str]:
    """Return the lines that are shown instead of a traceback: the sentence, the executor's error, and notes."""
    return [*_sentences(error), *(clean(str(note)) for note in getattr(error, "__notes__", ()))]


def _sentences(error: ColonyError) -> list[str]:
    if isinstance(error, RemoteCellFailed):
        place = f"On executor '{clean(error.executorname)}':"
        return [place, *(error.traceback or [f"{error.ename}: {error.evalue}"])]
    kind = _coloured(type(error).__name__)
    if isinstance(error, ProcessFailed) and error.errors:
        first, _, rest = error.errors[0].partition("\n")
        sentence = str(ProcessFailed(error.processid, error.funcname, [first]))
        reasons = [*rest.splitlines(), *error.errors[1:]]
        return [f"{kind}: {clean(sentence)}", *(clean(line) for line in reasons)]
    return [f"{kind}: {clean(str(error))}"]


def _coloured(kind: str) -> str:
    """Return the name of an error in IPython's colour for it, unless there are to be none (``%colors nocolor``)."""
    shell = IPython.get_ipython()
    return kind if shell is not None and str(shell.colors).casefold() == "nocolor" else f"{_RED}{kind}{_PLAIN}"


def error_lines_with_place(error: ColonyError) -> list[str]:
    """As `error_lines`, for an error of a call in a cell: with the lines of the user's own code that led to it."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_NOT_THE_USERS)
    ]
    places = [
        f"  {'the cell' if 'ipykernel_' in frame.filename or frame.filename.startswith('<') else frame.filename}, "
        f"line {frame.lineno}: {clean(frame.line or '')}"
        for frame in frames
    ]
    return [*error_lines(error), *list(dict.fromkeys(places))[-_PLACES:]]


def show_as(error: BaseException, lines: list[str]) -> None:
    """Make IPython show these lines when the error reaches the cell; it still is an error for what runs the cell."""
    # IPython asks the exception itself; and it shows Python's own traceback if a group of errors was on the way.
    vars(error)["_render_traceback_"] = lambda: lines
    error.__context__ = error.__cause__ = None
