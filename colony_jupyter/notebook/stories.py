"""How an error of ours, or an interrupt, shows in a cell: a sentence, no stack of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colony_jupyter.errors import ProcessFailed
from colony_jupyter.notebook.text import clean

if TYPE_CHECKING:
    from colony_jupyter.errors import ColonyError

_RED = "\x1b[31m"
_PLAIN = "\x1b[0m"


def story(error: ColonyError) -> list[str]:
    """Give the lines that are shown instead of a traceback: the sentence, and the executor's own story if it failed."""
    kind = type(error).__name__
    if isinstance(error, ProcessFailed) and error.errors:
        first, _, rest = error.errors[0].partition("\n")
        sentence = str(ProcessFailed(error.processid, error.funcname, [first]))
        told = [*rest.splitlines(), *error.errors[1:]]
        return [f"{_RED}{kind}{_PLAIN}: {clean(sentence)}", *(clean(line) for line in told)]
    return [f"{_RED}{kind}{_PLAIN}: {clean(str(error))}"]


def show_as(error: BaseException, lines: list[str]) -> None:
    """Have IPython show these lines when the error reaches the cell; it still is an error to whoever runs it."""
    # IPython asks the exception itself; and it shows Python's own traceback if a group of errors was on the way.
    vars(error)["_render_traceback_"] = lambda: lines
    error.__context__ = error.__cause__ = None
