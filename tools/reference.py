"""Makes the pages of reference from docstrings and ``--help``: ``make docs``.

``docs/api.md`` describes the Python API of ``colony_jupyter``, ``docs/magics.md`` the magics and the command line. All
content comes from the code; a test finds pages that are out of date.
"""

from __future__ import annotations

import contextlib
import enum
import inspect
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args, get_origin

import colony_jupyter
from colony_jupyter import cli, errors
from colony_jupyter.executor.context import Context, ThreadContext
from colony_jupyter.notebook.magics import commands
from colony_jupyter.notebook.magics.magics import ColonyMagics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

DOCS: Final = Path(__file__).parents[1] / "docs"

_WIDTH: Final = 100
_MADE: Final = "<!-- Made by `make docs`: change the docstrings, or the tables of commands, not this page. -->"
_SECTIONS: Final = {"Args": "Arguments"} | {name: name for name in ("Raises", "Attributes", "Returns", "Yields")}
_SOURCE: Final = re.compile(r"\s+\((?:docs/protocol\.md\s+)?(?:traps?|sections?)\s+[\d,\s]+(?:and\s+\d+)?\)")
"""Where a rule comes from, in notes on the protocol that readers of the pages do not have."""
_ARGUMENTS: Final = re.compile(r"\n\nArgs:\n(?: .*(?:\n|$))+")
"""The arguments of a class, which its users do not need if another object makes it."""
_PAIRS: Final = (
    "Most classes come in pairs: `Colony` for ordinary code, whose calls block, and `AsyncColony` for `await`. Both "
    "have the same methods, which are listed once; those marked *await* are coroutines in the second class. All names "
    "can be imported from `colony_jupyter`."
)
_PLUMBING: Final = frozenset({"portal", "asynchronous", "around"})


@dataclass(frozen=True)
class Pair:
    """A class for code that blocks and the one for ``await`` that it is derived from, described as one.

    Attributes:
        blocking: the first.
        awaited: the second, whose docstrings are the full ones.
        only: methods of the second alone that users call.
    """

    blocking: type
    awaited: type
    only: tuple[str, ...] = ()


def _public(name: str) -> Any:
    return getattr(colony_jupyter, name)


def _groups() -> dict[str, Sequence[Any]]:
    """Return the contents of the page of the API, by headings, in order."""
    return {
        "The colony": [Pair(_public("Colony"), _public("AsyncColony"), ("aclose",)), _public("Settings")],
        "Processes and channels": [
            Pair(_public("Process"), _public("AsyncProcess")),
            Pair(_public("Channel"), _public("AsyncChannel")),
            Pair(_public("Stream"), _public("AsyncStream"), ("batch",)),
            Pair(_public("LogStream"), _public("AsyncLogStream"), ("batch",)),
        ],
        "Many processes": [
            Pair(_public("ProcessGroup"), _public("AsyncProcessGroup")),
            _public("interrupted_group"),
        ],
        "Functions of the notebook": [_public("remote"), _public("Remote")],
        "Workflows": [_public("Workflow"), Pair(_public("WorkflowRun"), _public("AsyncWorkflowRun"))],
        "Executors": [_public("Executor"), Pair(ThreadContext, Context)],
        "Values": [
            _public(name)
            for name in (
                "Entry",
                "Log",
                "DataTable",
                "MimeBundle",
                "FunctionSpec",
                "Conditions",
                "Gpu",
                "WorkflowSpec",
                "ProcessState",
                "PrivateKey",
            )
        ],
        "In IPython": [
            _public(name) for name in ("load_ipython_extension", "unload_ipython_extension", "allow_nested_asyncio")
        ],
    }


def _errors() -> list[type]:
    found = [value for value in map(_public, colony_jupyter.__all__) if _is_error(value)]
    return sorted(found, key=lambda error: list(vars(errors)).index(error.__name__))


def _is_error(value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, errors.ColonyError)


# --- docstrings -------------------------------------------------------------------------------------------------------


def markdown(doc: str) -> list[str]:
    """Turn a docstring into lines of Markdown; its sections become lists."""
    lines: list[str] = []
    section = ""
    for line in doc.replace("``", "`").splitlines():
        found = re.fullmatch(r"(\w+):", line)
        if found and found[1] in _SECTIONS:
            section = found[1]
            lines += [f"*{_SECTIONS[section]}*", ""]
        elif not section or not line.strip():
            lines.append(line)
        elif not line.startswith(" "):
            section = ""
            lines.append(line)
        elif re.match(r" {4}\S", line):
            name, colon, text = line.strip().partition(": ")
            names = ", ".join(f"`{each}`" for each in name.split(", "))
            lines.append(f"* {names}: {text}" if colon else f"* {name}")
        else:
            lines.append(f"  {line.strip()}")
    return [*lines, ""]


def _doc(thing: Any, instead: Any = None) -> list[str]:
    doc = _SOURCE.sub("", inspect.getdoc(thing if instead is None else instead) or "")
    if "Made by `" in doc:
        doc = _ARGUMENTS.sub("", doc)
    return markdown(doc) if doc else []


# --- signatures -------------------------------------------------------------------------------------------------------


def signature(name: str, thing: Any) -> str:
    """Write how something is called, one argument a line where it is long."""
    taken = [each for each in inspect.signature(thing).parameters.values() if each.name != "self"]
    words: list[str] = []
    starred = False
    for at, parameter in enumerate(taken):
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            words.append("*")
        starred = starred or parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL)
        words.append(_parameter(parameter))
        is_last = at + 1 == len(taken) or taken[at + 1].kind is not parameter.POSITIONAL_ONLY
        if parameter.kind is parameter.POSITIONAL_ONLY and is_last:
            words.append("/")
    returned = inspect.signature(thing).return_annotation
    gives = "" if inspect.isclass(thing) or returned is inspect.Signature.empty else f" -> {_annotation(returned)}"
    line = f"{name}({', '.join(words)}){gives}"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {word}," for word in words), f"){gives}"])


def _parameter(parameter: inspect.Parameter) -> str:
    stars = "*" * (int(parameter.kind is parameter.VAR_POSITIONAL) + 2 * int(parameter.kind is parameter.VAR_KEYWORD))
    text = f"{stars}{parameter.name}"
    if parameter.annotation is not parameter.empty:
        text += f": {_annotation(parameter.annotation)}"
    if parameter.default is not parameter.empty:
        text += f" = {_default(parameter.default)}"
    return text


def _annotation(annotation: Any) -> str:
    if isinstance(annotation, str):
        return annotation
    if get_origin(annotation) is Annotated:  # of a struct's field: a bound that only the wire knows
        return _annotation(get_args(annotation)[0])
    if inspect.isclass(annotation) and not get_args(annotation):
        return annotation.__name__
    return re.sub(r"\b(typing|colony_jupyter(\.\w+)*)\.", "", str(annotation))


def _default(value: Any) -> str:
    if repr(value) == "<factory>":
        return "..."
    return f"{type(value).__name__}.{value.name}" if isinstance(value, enum.Enum) else repr(value)


# --- the page of the API ----------------------------------------------------------------------------------------------


def api() -> str:
    """Make the page of the Python API."""
    lines = [
        _MADE,
        "",
        "# The Python API",
        "",
        (inspect.getdoc(colony_jupyter) or "").partition("\n")[0],
        "",
        _PAIRS,
        "",
    ]
    for heading, things in _groups().items():
        lines += [f"## {heading}", ""]
        for thing in things:
            lines += _documented(thing)
    lines += ["## Errors", "", "```", *_tree(), "```", ""]
    for error in _errors():
        lines += [f"### `{error.__name__}`", "", *_doc(error)]
    return _page(lines)


def _documented(thing: Any) -> Iterator[str]:
    if isinstance(thing, Pair):
        yield from _pair(thing)
    elif inspect.isclass(thing):
        yield from _class(thing)
    else:
        name = thing.__name__
        yield from [f"### `{name}`", "", "```python", signature(name, thing), "```", "", *_doc(thing)]


def _pair(pair: Pair) -> Iterator[str]:
    first, second = pair.blocking.__name__, pair.awaited.__name__
    sentence = (inspect.getdoc(pair.blocking) or "").partition("\n")[0]
    text = _doc(pair.awaited)
    yield from [f"### `{first}`, `{second}`", "", f"`{first}`: {sentence}", "", f"`{second}`: {text[0]}", *text[1:]]
    own = _members(pair.blocking)
    order = _members(pair.awaited)
    for name in sorted(own, key=lambda name: order.index(name) if name in order else len(order)):
        yield from _member(pair, name)
    for name in pair.only:
        yield from _member(pair, name, f", `{pair.awaited.__name__}` only")


def _member(pair: Pair, name: str, remark: str = "") -> Iterator[str]:
    both = hasattr(pair.awaited, name)
    owner = pair.awaited if both else pair.blocking
    member = inspect.getattr_static(owner, name)
    if not both and not isinstance(member, property):  # what is a property here is a plain attribute there
        remark = f", `{pair.blocking.__name__}` only"
    if inspect.iscoroutinefunction(member):
        remark = f", *await*{remark}"
    yield from _method(owner, name, remark)


def _class(kind: type) -> Iterator[str]:
    yield from [f"### `{kind.__name__}`", ""]
    if issubclass(kind, enum.Enum):
        yield from _doc(kind)
        yield from [*(f"* `{member.name}` = {member.value}" for member in kind), ""]
        return
    is_made_by_users = kind.__init__ is not dict.__init__ and not hasattr(kind, "__dataclass_fields__")
    if is_made_by_users:
        yield from ["```python", signature(kind.__name__, kind), "```", ""]
    yield from _doc(kind)
    for name in _members(kind):
        yield from _method(kind, name)


def _method(owner: type, name: str, remark: str = "") -> Iterator[str]:
    member = inspect.getattr_static(owner, name)
    if isinstance(member, property):
        returned = _annotation(inspect.signature(member.fget).return_annotation) if member.fget else ""
        yield from [f"#### `.{name}`: {f'`{returned}`' if returned else ''}{remark}", ""]
    else:
        called = getattr(owner, name)
        yield from [f"#### `.{name}()`{remark}", "", "```python", signature(name, called), "```", ""]
    yield from _doc(member, getattr(owner, name) if isinstance(member, classmethod) else None)


def _members(kind: type) -> list[str]:
    """Return the public methods and properties of a class and of its bases of ours, in the order they are written."""
    names: dict[str, None] = {}
    for base in kind.__mro__:
        if base.__module__.startswith("colony_jupyter."):
            for name, value in vars(base).items():
                is_documented = isinstance(value, (property, classmethod)) or inspect.isfunction(value)
                if is_documented and not name.startswith("_") and name not in _PLUMBING:
                    names.setdefault(name)
    return list(names)


def _tree() -> list[str]:
    lines = (inspect.getdoc(errors) or "").split("::\n\n", 1)[1].splitlines()
    end = next(at for at, line in enumerate(lines) if line and not line.startswith(" "))
    return [line.removeprefix("    ") for line in lines[:end] if line.strip()]


# --- the page of the magics -------------------------------------------------------------------------------------------


def magics() -> str:
    """Make the page of the magics and of the command line."""
    lines = [
        _MADE,
        "",
        "# The magics and the command line",
        "",
        "`%load_ext colony_jupyter` loads the magics. Each block is the output of `--help`. Tab completes names.",
        "",
        "## `%colony`",
        "",
        *_block(commands.overview()),
    ]
    for name, command in commands.LINES.items():
        lines += [f"### `%colony {name}`", "", *_block(command.help())]
        if name == "submit":
            lines += ["### `%%colony submit`", "", *_block(commands.SUBMIT_CELL.help())]
            lines += ["### `%%colony execute`", "", *_block(commands.EXECUTE.help())]
        if name == "kernels":
            lines += ["### `%%colony run`", "", *_block(commands.RUN_CELL.help())]
        if name == "workflow":
            lines += ["### `%%colony workflow`", "", *_block(commands.WORKFLOW_CELL.help())]
    lines += ["## `%%colony_chat`", "", *_block(commands.CHAT.help())]
    lines += ["## Settings", ""]
    lines += ["`%config ColonyMagics` shows the settings, `%config ColonyMagics.settle = 3` changes one.", ""]
    for name, trait in sorted(ColonyMagics.class_own_traits(config=True).items()):
        lines.append(f"* `{name}` ({trait.default_value!r}): {trait.help}")
    lines += ["", "## In a shell", "", *_block(_shell_help())]
    for name in _shell_commands():
        lines += [f"### `colony-jupyter {name}`", "", *_block(_shell_help(name))]
        for action in _shell_actions(name):
            lines += [f"#### `colony-jupyter {name} {action}`", "", *_block(_shell_help(name, action))]
    return _page(lines)


def _block(text: str) -> list[str]:
    return ["```", *text.rstrip().splitlines(), "```", ""]


def _shell_help(*words: str) -> str:
    """Ask the command line for its help, at a width of our own."""
    printed = io.StringIO()
    before = {name: os.environ.get(name) for name in ("COLUMNS", "NO_COLOR")}
    os.environ.update(COLUMNS=str(_WIDTH), NO_COLOR="1")
    try:
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            cli.main([*words, "--help"])
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
    return printed.getvalue()


def _shell_commands() -> list[str]:
    listed = _shell_help().split("COMMAND", 2)[-1]
    return re.findall(r"^ {4}(\w+)", listed, flags=re.MULTILINE)


def _shell_actions(name: str) -> list[str]:
    """List the actions of a command that has some."""
    _, _, listed = _shell_help(name).partition("  ACTION\n")
    return re.findall(r"^ {4}(\w+)", listed, flags=re.MULTILINE)


def _page(lines: Iterable[str]) -> str:
    text = "\n".join(line.rstrip() for line in "\n".join(lines).splitlines())
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def pages() -> dict[Path, str]:
    """Make all pages; their texts by the files they belong in."""
    return {DOCS / "api.md": api(), DOCS / "magics.md": magics()}


def main() -> None:
    """Write the pages that are out of date."""
    DOCS.mkdir(exist_ok=True)
    for path, text in pages().items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            print(f"{path.name}: written", flush=True)  # noqa: T201 - a command speaks


if __name__ == "__main__":
    main()
