"""The functions an executor has, and how arguments of a spec fit them (pure)."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec

from colony_jupyter.client.function_spec import check_name
from colony_jupyter.errors import ExecutorError, UsageError
from colony_jupyter.functions.receiving import carries_code
from colony_jupyter.values.conversion import convert
from colony_jupyter.values.report import Converted
from colony_jupyter.wire.models import FunctionArgument

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from colony_jupyter.wire.models import FunctionSpec

Handler = Any
"""A function of the user's, of any kind that `Definition` knows."""


_SECTION: Final = re.compile(r"(Args|Arguments|Parameters):\s*")
_ARGUMENT: Final = re.compile(r"\*{0,2}(\w+)\s*(\([^)]*\))?:\s*(.*)")


class Offer(msgspec.Struct, frozen=True):
    """A function as the colony lists it.

    Attributes:
        description: the first line of its docstring.
        arguments: those that a spec may give.
    """

    description: str
    arguments: list[FunctionArgument]


class Unfit(ExecutorError):
    """A process that cannot be run as it was submitted; the sentences are for its submitter."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True)
class Definition:
    """A function that was given to an executor.

    Attributes:
        name: its name in the colony.
        handler: the function itself.
        channel: of a chat, the channel it talks on; None for a function that is called once.
    """

    name: str
    handler: Handler
    channel: str | None = None

    @property
    def is_async(self) -> bool:
        """Whether it is called on the loop; otherwise it is called in a thread, also where it returns an awaitable."""
        return _is_async(self.handler) or _is_async(_call_method(self.handler))

    @property
    def takes_async_context(self) -> bool:
        """Whether its code awaits, so that the context it gets is the asynchronous one.

        This includes an ``async def`` function behind a plain decorator that uses `functools.wraps`.
        """
        return self.is_async or _is_async(_innermost(self.handler))

    @property
    def is_generator(self) -> bool:
        """Whether it yields pieces."""
        return any(
            inspect.isasyncgenfunction(each) or inspect.isgeneratorfunction(each)
            for each in (self.handler, _call_method(self.handler), _innermost(self.handler))
        )

    @property
    def offer(self) -> Offer:
        """Its description for the colony, from its signature and its docstring."""
        doc = inspect.getdoc(self.handler) or ""
        descriptions = _described(doc)
        try:
            hints = get_type_hints(self.handler)
        except (NameError, TypeError, AttributeError, SyntaxError):  # they name what is not there, or it has none
            hints = {}
        taken = list(inspect.signature(self.handler).parameters.values())[1 if self.channel is None else 2 :]
        return Offer(
            doc.partition("\n")[0],
            [
                _argument(each, hints.get(each.name, each.annotation), descriptions)
                for each in taken
                if each.kind is not each.VAR_KEYWORD
            ],
        )

    def bind(self, context: object, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Callable[[], Any]:
        """Make the call that a spec asks for.

        Raises:
            Unfit: if the arguments do not fit the function.
        """
        signature = inspect.signature(self.handler)
        try:
            bound = signature.bind(context, *args, **kwargs)
        except TypeError as error:
            taken = list(signature.parameters.values())[1:]
            shown = signature.replace(
                parameters=[each.replace(annotation=inspect.Parameter.empty) for each in taken],
                return_annotation=inspect.Signature.empty,
            )
            raise Unfit(f"The arguments do not fit: {error}. The function is {self.name}{shown}.") from None
        return lambda: self.handler(*bound.args, **bound.kwargs)


def check_decorated(name: object, decorator: str) -> None:
    """Refuse a decorator that was written without its parentheses, so that it got the function for a name.

    Raises:
        UsageError: with the form that is expected.
    """
    if not isinstance(name, str):
        raise UsageError(f'The decorator needs a name in parentheses: @executor.{decorator}("name").')


def define(name: str, handler: Handler) -> Definition:
    """Describe a function that is called once for a process.

    Raises:
        UsageError: if it could never be called.
    """
    definition = Definition(check_name(name, "a function"), _callable(handler, name))
    if definition.is_generator:
        raise UsageError(
            f"'{name}' is a generator, whose pieces would go nowhere: send them on a channel, or make it a chat with "
            "@executor.chat."
        )
    _check_positional(handler, name, ("context",))
    return definition


def define_chat(name: str, handler: Handler, channel: str) -> Definition:
    """Describe a function that is called for each message of a conversation.

    Raises:
        UsageError: if it could never be called.
    """
    _check_positional(_callable(handler, name), name, ("context", "message"))
    return Definition(check_name(name, "a function"), handler, channel)


class Functions:
    """The functions of one executor, by name; a name given again replaces the earlier one."""

    def __init__(self) -> None:
        self._definitions: dict[str, Definition] = {}
        self.from_callers: Callable[[FunctionSpec], Definition] | None = None
        """Makes a definition of a function that a spec carries; None if none are accepted."""

        self.closers: list[Callable[[], Awaitable[None]]] = []
        """Called when the executor stops, after its processes have ended."""

    def add(self, definition: Definition) -> None:
        """Add a function, or put it in the place of the one of its name."""
        self._definitions = {**self._definitions, definition.name: definition}

    def find(self, spec: FunctionSpec, executortype: str) -> Definition:
        """Find the function of a spec: the one that it carries, if such are accepted, else the one of its name.

        Raises:
            Unfit: if there is none of that name; it lists those there are.
        """
        funcname = spec.funcname
        if self.from_callers is not None and carries_code(spec.env):
            return self.from_callers(spec)
        definition = self._definitions.get(funcname)
        if definition is None and carries_code(spec.env):
            raise Unfit(
                f"This executor of type '{executortype}' does not run functions that callers send, such as "
                f"'{funcname}': its owner allows it with executor.functions_from_callers()."
            )
        if definition is None:
            has = ", ".join(sorted(self._definitions)) or "none at all"
            raise Unfit(f"This executor of type '{executortype}' has no function '{funcname}'. It has: {has}.")
        return definition

    def offers(self) -> dict[str, Offer]:
        """Return the description of each function for the colony, by name."""
        return {name: definition.offer for name, definition in self._definitions.items()}


def as_output(value: Any) -> Converted:
    """Convert what a function returned into a process's output, by the table of docs/values.md.

    A list or tuple gives its members, None gives an empty output, any other value is the only member.
    """
    if value is None:
        return Converted([])
    converted = convert(value, "result", large="text")
    if type(value) in (list, tuple):
        return converted
    output = [] if converted.value is None and converted.faults else [converted.value]
    return dataclasses.replace(converted, value=output)


def _is_async(handler: Handler) -> bool:
    return inspect.iscoroutinefunction(handler) or inspect.isasyncgenfunction(handler)


def _call_method(handler: Handler) -> Handler:
    """Return the ``__call__`` of an object; of a function, the function."""
    return handler if inspect.isroutine(handler) else getattr(type(handler), "__call__", handler)  # noqa: B004


def _innermost(handler: Handler) -> Handler:
    """Return the function behind `functools.partial` and decorators that use `functools.wraps`."""
    try:
        inner = inspect.unwrap(handler)
    except ValueError:  # a circle of wrappers
        return handler
    return _innermost(inner.func) if isinstance(inner, functools.partial) else _call_method(inner)


def _argument(parameter: inspect.Parameter, annotation: Any, descriptions: Mapping[str, str]) -> FunctionArgument:
    several = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
    allowed = get_args(annotation) if get_origin(annotation) is Literal else ()
    return FunctionArgument(
        name=several + parameter.name,
        type=_type(annotation),
        description=descriptions.get(parameter.name, ""),
        required=parameter.default is parameter.empty and not several,
        enum=[str(each) for each in allowed] or None,
    )


def _type(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return ""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return text.replace("typing.", "")


def _described(doc: str) -> dict[str, str]:
    """Read the descriptions of arguments in a docstring: the section ``Args:``, a name with a colon for each."""
    found: dict[str, str] = {}
    lines = iter(doc.splitlines())
    if not any(_SECTION.fullmatch(line) for line in lines):
        return found
    name, indent = "", 0
    for line in lines:
        text = line.strip()
        if not text or not line[0].isspace():
            break  # the section is over
        depth = len(line) - len(line.lstrip())
        argument = _ARGUMENT.fullmatch(text)
        if argument is not None and depth <= (indent or depth):
            name, indent = argument[1], depth
            found[name] = argument[3]
        elif name:
            found[name] = f"{found[name]} {text}".strip()
    return found


def _callable(handler: Handler, name: str) -> Handler:
    if not callable(handler):
        raise UsageError(f"'{name}' is given a {type(handler).__name__}, which is no function.")
    return handler


def _check_positional(handler: Handler, name: str, expected: tuple[str, ...]) -> None:
    """Refuse a function that does not accept what it gets by position.

    Raises:
        UsageError: naming what it must accept.
    """
    try:
        inspect.signature(handler).bind_partial(*expected)
    except TypeError:
        raise UsageError(
            f"The function for '{name}' must take {' and '.join(expected)} first: def f({', '.join(expected)}, ...)."
        ) from None
