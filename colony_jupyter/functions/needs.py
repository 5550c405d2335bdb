"""What a function needs of the globals around it: imports, constants, helper functions and classes."""

from __future__ import annotations

import builtins
import inspect
import sys
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from colony_jupyter.errors import UsageError
from colony_jupyter.functions.literals import NoLiteralError, is_namedtuple, literal
from colony_jupyter.functions.names import attribute_chains, declared_globals, global_names
from colony_jupyter.functions.source import Source, class_source, function_source, is_ours

if TYPE_CHECKING:
    import ast


@dataclass
class Needs:
    """What has to be defined before a function is.

    Attributes:
        imports: lines that import modules and what is in them.
        constants: lines that assign constants.
        definitions: helper functions and classes, each after those that it needs.
        aliases: lines that give a helper a second name.
        names: all global names that these lines and definitions bind.
        faults: sentences about names that cannot be sent.
    """

    imports: list[str] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    definitions: list[Source] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


def find_needs(function: FunctionType, source: Source) -> Needs:
    """Find what a function needs, and what its helpers need."""
    search = _Search(function)
    search.visit(source.tree, source.name)
    return search.needs


class _Search:
    def __init__(self, function: FunctionType) -> None:
        self.needs = Needs()
        self._scope: dict[str, Any] = function.__globals__
        self._module = function.__module__
        self._seen: set[str] = {function.__name__}

    def visit(self, tree: ast.Module, own_name: str) -> None:
        """Add what a definition needs."""
        for name in sorted(global_names(tree) - {own_name}):
            if name.startswith("__") and name.endswith("__"):
                continue
            value = self._scope.get(name, self)
            if value is self:
                if not hasattr(builtins, name) and name not in declared_globals(tree):
                    self.needs.faults.append(f"`{name}` is not defined")
                continue
            if isinstance(value, ModuleType):
                self._import_module(name, value, tree)
            if name not in self._seen:
                self._seen.add(name)
                self._add(name, value)

    def _add(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType):
            return
        self.needs.names.add(name)
        inner = inspect.unwrap(value) if callable(value) else value
        if isinstance(inner, (FunctionType, type)) and inner.__module__ == self._module and not is_generated(inner):
            self._define(name, inner, value)
            return
        origin = _origin(value)
        if origin is not None:
            module, attribute = origin
            self.needs.imports.append(f"from {module} import {attribute}{_renamed(attribute, name)}")
            return
        try:
            self.needs.constants.append(f"{name} = {literal(value)}")
        except NoLiteralError:
            self.needs.names.discard(name)
            self.needs.faults.append(_fault(name, value))

    def _import_module(self, name: str, module: ModuleType, tree: ast.Module) -> None:
        """Import a module, and those of its submodules that the code uses through it."""
        full = module.__name__
        if full == "__main__" or sys.modules.get(full) is not module:
            self.needs.faults.append(f"`{name}` is the module '{full}', which cannot be imported by that name")
            return
        lines = [f"import {full}{'' if name == full else f' as {name}'}"]
        submodules = {f"{full}.{path}" for path in attribute_chains(tree, name)} & sys.modules.keys()
        lines += [f"import {each}" for each in sorted(submodules)]
        self.needs.names |= {name} | ({full.partition(".")[0]} if submodules else set())
        self.needs.imports += [line for line in lines if line not in self.needs.imports]

    def _define(self, name: str, value: FunctionType | type, wrapped: object) -> None:
        own_name = value.__name__
        try:
            if isinstance(value, FunctionType):
                check_function(value, wrapped)
                source = function_source(value)
            else:
                source = class_source(value, self._scope)
        except UsageError as error:
            self.needs.faults.append(f"`{name}` cannot be sent: {str(error).removesuffix('.')}")
            return
        if own_name not in self._seen or own_name == name:
            self._seen.add(own_name)
            self.visit(source.tree, own_name)
            self.needs.definitions.append(source)
            self.needs.names.add(own_name)
        if own_name != name:
            self.needs.aliases.append(f"{name} = {own_name}")


def is_generated(value: object) -> bool:
    """Whether an object is a class that `namedtuple` has made: an expression makes it again, no source does.

    A class statement with `typing.NamedTuple` has a source, and may have methods.
    """
    return is_namedtuple(value) and "__orig_bases__" not in vars(value)


def check_function(function: FunctionType, wrapped: object = None) -> None:
    """Refuse a function that its text alone does not define.

    Args:
        function: the function that was defined with `def`.
        wrapped: what decorators made of it.

    Raises:
        UsageError: with what to do.
    """
    name = function.__code__.co_name
    if name == "<lambda>":
        raise UsageError("A lambda cannot be sent, since its source has no name: define a function with `def`.")
    if hasattr(wrapped, "registry") and hasattr(wrapped, "dispatch"):
        raise UsageError(
            f"'{name}' is a functools.singledispatch, and its text has one of its functions only: define a function "
            "that distinguishes the types."
        )
    free = function.__code__.co_freevars
    if free:
        used = ", ".join(f"`{each}`" for each in free)
        raise UsageError(
            f"'{name}' uses {used} of the function around it, which its source does not contain: pass "
            f"{'it' if len(free) == 1 else 'them'} as {'an argument' if len(free) == 1 else 'arguments'}. (A decorator "
            "without functools.wraps looks like this, too.)"
        )


def _origin(value: Any) -> tuple[str, str] | None:
    """Return the module and the name by which an object can be imported, from the outermost package that has it."""
    attribute = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    module = getattr(value, "__module__", None) or type(value).__module__
    if not isinstance(attribute, str) or not isinstance(module, str) or not attribute.isidentifier():
        return None
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        name = ".".join(parts[:end])
        if name != "__main__" and getattr(sys.modules.get(name), attribute, None) is value:
            return name, attribute
    return None


def _renamed(attribute: str, name: str) -> str:
    return "" if attribute == name else f" as {name}"


def _fault(name: str, value: Any) -> str:
    kind = type(value).__name__
    if name == "get_ipython":
        return "a line with `%` or `!` belongs to this kernel: use Python in its place, such as `subprocess.run`"
    if is_ours(value):
        return (
            f"`{name}` is a global {kind}, which belongs to this kernel: use the `context` of the function in its place"
        )
    if inspect.isroutine(value) or isinstance(value, type):
        return f"`{name}` is a global {kind} that cannot be imported: define it with `def` or `class` in a cell"
    return f"`{name}` is a global {kind}: pass it as an argument"
