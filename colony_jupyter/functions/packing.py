"""From a Python function to the environment variables by which a function spec carries its source.

As pycolonies does: ``code`` is the source in base64, ``args_spec`` the names of the parameters. In addition the code
begins with what the function needs, and ``colony_jupyter`` states from which cells and lines the text is.

ColonyOS's Python executor runs the text with ``exec(code)`` inside a method, where a function does not see names that
the text defines beside it (from Python 3.13 on the method itself does not see them), and passes a keyword argument
``ctx``. So the text begins with a ``global`` statement and ends with lines that accept ``ctx``; our own executor leaves
the latter out.
"""

from __future__ import annotations

import base64
import functools
import inspect
import platform
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.errors import UsageError
from colony_jupyter.functions.names import has_annotations
from colony_jupyter.functions.needs import check_function, find_needs
from colony_jupyter.functions.source import function_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from colony_jupyter.functions.source import Source

CODE: Final = "code"
ARGS_SPEC: Final = "args_spec"
ORIGIN: Final = "colony_jupyter"
"""Names of the environment variables."""

CONTEXT: Final = "context"
"""Name of the first parameter of a function that wants channels, progress and the log."""
CTX: Final = "ctx"
"""Name of the parameter that ColonyOS's Python executor passes."""

_FUTURE: Final = "from __future__ import annotations"
_ACCEPTS_CTX: Final = '''

def _with_ctx(function):
    """Accept the argument that ColonyOS's Python executor passes."""

    def call(*args, ctx=None, **kwargs):
        return function(*args, **kwargs)

    return call


{name} = _with_ctx({name})
'''


class Segment(msgspec.Struct, frozen=True, array_like=True):
    """Lines of the code that are from one place.

    Attributes:
        start: number of its first line in the code, from 1 on.
        count: how many lines.
        place: ``Cell In[5]`` or the name of a file.
        line: number of its first line there.
    """

    start: int
    count: int
    place: str
    line: int


class Origin(msgspec.Struct, frozen=True):
    """Where a code is from.

    Attributes:
        python: version of Python that it was written with.
        lines: how many lines of the code define the function; those after them serve ColonyOS's Python executor.
        segments: the parts of it.
    """

    python: str
    lines: int
    segments: list[Segment]


@dataclass(frozen=True)
class Packed:
    """A function that is ready to be sent.

    Attributes:
        funcname: its name.
        env: the environment variables that carry it.
        signature: its parameters without ``context`` and ``ctx``.
    """

    funcname: str
    env: Mapping[str, str]
    signature: inspect.Signature

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments, by position where possible: ColonyOS's Python executor passes no others.

        Raises:
            UsageError: if they do not fit the function.
        """
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            shown = self.signature.replace(
                parameters=[each.replace(annotation=each.empty) for each in self.signature.parameters.values()],
                return_annotation=inspect.Signature.empty,
            )
            raise UsageError(f"The arguments do not fit: {error}. The function is {self.funcname}{shown}.") from None
        return list(bound.args), dict(bound.kwargs)


def pack(function: Callable[..., Any]) -> Packed:
    """Read the source of a function and of what it needs.

    Raises:
        UsageError: if the function cannot be sent; the message names each reason.
    """
    plain = _plain_function(function)
    source = function_source(plain)
    needs = find_needs(plain, source)
    if needs.faults:
        raise UsageError(f"'{source.name}' cannot be sent: {'; '.join(needs.faults)}.")
    trees = [each.tree for each in (*needs.definitions, source)]
    is_annotated = any(map(has_annotations, trees))
    shared = sorted({*needs.names, source.name})
    head = [
        *([_FUTURE] if is_annotated else []),
        f"global {', '.join(shared)}",
        *needs.imports,
        *needs.constants,
    ]
    parts, segments = _joined(head, [*needs.definitions, source], needs.aliases)
    signature = inspect.signature(plain)
    text, lines = "".join(parts), sum(part.count("\n") for part in parts)
    if not _accepts(signature, CTX):
        text += _ACCEPTS_CTX.format(name=source.name)
    origin = Origin(platform.python_version(), lines, segments)
    env = {
        CODE: base64.b64encode(text.encode()).decode("ascii"),
        ARGS_SPEC: ",".join(inspect.getfullargspec(plain).args),
        ORIGIN: msgspec.json.encode(origin).decode(),
    }
    return Packed(source.name, env, _for_callers(signature))


def _joined(head: list[str], sources: list[Source], aliases: list[str]) -> tuple[list[str], list[Segment]]:
    """Join the parts of a code, and note on which line each source begins."""
    parts = [f"{line}\n" for line in head]
    segments = []
    for number, source in enumerate(sources, 1):
        if number == len(sources):
            parts += [f"{line}\n" for line in aliases]
        if parts:
            parts.append("\n\n")
        count = source.text.count("\n")
        segments.append(Segment(sum(part.count("\n") for part in parts) + 1, count, source.place, source.line))
        parts.append(source.text)
    return parts, segments


def _plain_function(function: Callable[..., Any]) -> FunctionType:
    """Return the function that was defined with `def`, which decorators may have wrapped.

    Raises:
        UsageError: if it is something else.
    """
    if inspect.ismethod(function):
        raise UsageError(
            f"'{function.__qualname__}' is a method, whose object stays here: define a function that gets what it "
            "needs as arguments."
        )
    if isinstance(function, type):
        raise UsageError(f"'{function.__name__}' is a class: define a function that makes and uses an instance of it.")
    if isinstance(function, functools.partial):
        raise UsageError("A functools.partial cannot be sent: submit its function, with the arguments.")
    plain = inspect.unwrap(function)
    if not isinstance(plain, FunctionType) and not inspect.isroutine(plain):
        raise UsageError(
            f"An object of class '{type(plain).__name__}' cannot be sent: define a function with `def` that makes and "
            "calls one."
        )
    if not isinstance(plain, FunctionType):
        raise UsageError(f"'{plain.__name__}' is not written in Python: define a function with `def` that calls it.")
    check_function(plain, function)
    if inspect.isgeneratorfunction(plain) or inspect.isasyncgenfunction(plain):
        raise UsageError(f"'{plain.__name__}' is a generator: return a list, or send its pieces on a channel.")
    return plain


def _accepts(signature: inspect.Signature, name: str) -> bool:
    parameters = signature.parameters
    return name in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())


def _for_callers(signature: inspect.Signature) -> inspect.Signature:
    parameters = list(signature.parameters.values())
    if takes_context(signature):
        del parameters[0]
    return signature.replace(parameters=[each for each in parameters if each.name != CTX])


def takes_context(signature: inspect.Signature) -> bool:
    """Whether the first parameter is named ``context``."""
    return next(iter(signature.parameters), None) == CONTEXT
