"""Source text of a function or class, and the notebook cell or file that it is from.

The text is read through `linecache`, where IPython puts each cell that runs, so a function that was defined again has
the text of its newest definition.
"""

from __future__ import annotations

import ast
import linecache
import re
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FunctionType

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_PACKAGE: Final = "colony_jupyter"
_TERMINAL_CELL: Final = re.compile(r"<ipython-input-(\d+)-")
_GENERATED: Final = "<string>"
"""File name of code that `exec` and dataclasses make; since Python 3.13 its text seems to be that of ``python -c``."""
_KERNEL_CELL: Final = re.compile(r"ipykernel_\d+|<ipython-input-")


@dataclass(frozen=True)
class Source:
    """The text of one definition.

    Attributes:
        name: its name in the text.
        text: its lines without indentation, ended by a line break.
        place: ``Cell In[5]`` in a notebook, else the name of the file.
        line: number of its first line there, from 1 on.
    """

    name: str
    text: str
    place: str
    line: int

    @property
    def tree(self) -> ast.Module:
        """The parsed text."""
        return ast.parse(self.text)


def function_source(function: FunctionType) -> Source:
    """Return the source of a function, without decorators of this package.

    Raises:
        UsageError: if its text is not available, or has changed since it was defined.
    """
    code = function.__code__
    lines = _lines(code.co_filename, function.__globals__)
    if not lines:
        raise UsageError(
            f"The source of '{code.co_name}' is not available: define it in a cell of its own, without a magic such as "
            "%%time in the first line, or in a file."
        )
    for node in _definitions(lines):
        if node.name == code.co_name and _first_line(node) == code.co_firstlineno:
            return _cut(lines, node, code.co_filename, function.__globals__)
    raise UsageError(
        f"The source of '{code.co_name}' in {place_of(code.co_filename, function.__globals__)} has changed since it "
        "was defined: define it again (run its cell, or import its file in a new kernel)."
    )


def class_source(kind: type, scope: Mapping[str, Any]) -> Source:
    """Return the source of a class.

    Args:
        kind: the class.
        scope: the globals of the code that uses it.

    Raises:
        UsageError: if its text is not available.
    """
    for filename in _files_of(kind):
        lines = _lines(filename, scope)
        found = [node for node in _definitions(lines) if isinstance(node, ast.ClassDef) and node.name == kind.__name__]
        if found:
            return _cut(lines, found[-1], filename, scope)
    raise UsageError(f"The source of class '{kind.__name__}' is not available: define it inside the function.")


def place_of(filename: str, scope: Mapping[str, Any]) -> str:
    """Name the cell or file of code, as IPython names it in tracebacks.

    Args:
        filename: the file name in the code object.
        scope: the globals of the code; in a notebook they hold ``get_ipython``.
    """
    get_shell = scope.get("get_ipython")
    shell = get_shell() if callable(get_shell) else None
    name_cell = getattr(getattr(shell, "compile", None), "format_code_name", None)
    named = name_cell(filename) if name_cell is not None else None
    if isinstance(named, tuple):
        return " ".join(map(str, named))
    if (cell := _TERMINAL_CELL.match(filename)) is not None:
        return f"Cell In[{cell[1]}]"
    return filename if filename.startswith("<") else Path(filename).name


def is_ours(value: object) -> bool:
    """Whether an object is of this package: a module, a function, or an instance of one of its classes."""
    module = getattr(value, "__name__" if type(value).__name__ == "module" else "__module__", None)
    kind = type(value).__module__
    return any(isinstance(name, str) and name.partition(".")[0] == _PACKAGE for name in (module, kind))


def _lines(filename: str, scope: Mapping[str, Any]) -> list[str]:
    if filename == _GENERATED:
        return []
    linecache.checkcache(filename)
    return linecache.getlines(filename, dict(scope))


def _definitions(lines: list[str]) -> Iterator[Definition]:
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, Definition):
            yield node


def _first_line(node: Definition) -> int:
    return min(node.lineno, *(each.lineno for each in node.decorator_list)) if node.decorator_list else node.lineno


def _cut(lines: list[str], node: Definition, filename: str, scope: Mapping[str, Any]) -> Source:
    first, last = _first_line(node), node.end_lineno or node.lineno
    text = [line.rstrip("\r\n") for line in lines[first - 1 : last]]
    for decorator in node.decorator_list:
        if _is_our_decorator(decorator, scope):
            for number in range(decorator.lineno, (decorator.end_lineno or decorator.lineno) + 1):
                text[number - first] = ""
    while not text[0].strip():
        del text[0]
        first += 1
    indented = text[0][:1].isspace()
    plain = textwrap.dedent("\n".join(text)) if indented else "\n".join(text)
    if plain[:1].isspace():  # lines of a text in it begin at the margin
        plain, first = "if True:\n" + plain, first - 1
    return Source(node.name, plain + "\n", place_of(filename, scope), first)


def _is_our_decorator(decorator: ast.expr, scope: Mapping[str, Any]) -> bool:
    """Whether a decorator is ``@cj.remote(...)``, ``@executor.function(...)`` or another one of this package."""
    node: ast.expr = decorator
    while isinstance(node, (ast.Call, ast.Attribute)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return isinstance(node, ast.Name) and node.id in scope and is_ours(scope[node.id])


def _files_of(kind: type) -> Iterator[str]:
    """Yield files that may define a class: those of its methods, that of its module, then cells, the newest first."""
    for method in vars(kind).values():
        code = getattr(getattr(method, "__func__", method), "__code__", None)
        if code is not None and code.co_filename != _GENERATED:
            yield code.co_filename
    if file := getattr(sys.modules.get(kind.__module__), "__file__", None):
        yield file
    yield from [filename for filename in reversed(linecache.cache) if _KERNEL_CELL.search(filename)]
