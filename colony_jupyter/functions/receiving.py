"""From the environment variables of a function spec to code that can run, of ours or of pycolonies."""

from __future__ import annotations
import __future__

import ast
import base64
import binascii
import linecache
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from colony_jupyter.errors import UsageError
from colony_jupyter.functions.packing import CODE, ORIGIN, Origin, Segment

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Received:
    """A function that a caller has sent.

    Attributes:
        funcname: its name.
        text: the code that defines it.
        segments: the places its lines are from.
        python: version of Python that it was written with; empty if that is not known.
    """

    funcname: str
    text: str
    segments: tuple[Segment, ...]
    python: str = ""


def carries_code(env: Mapping[str, str]) -> bool:
    """Whether a spec's environment carries a function."""
    return bool(env.get(CODE))


def receive(funcname: str, env: Mapping[str, str]) -> Received:
    """Read the function of a spec.

    Raises:
        UsageError: if the environment holds none that can be read.
    """
    try:
        text = base64.b64decode(env[CODE], validate=True).decode()
    except (KeyError, binascii.Error, UnicodeDecodeError) as error:
        raise UsageError(f"The variable '{CODE}' of the spec is not UTF-8 text in base64: {error}.") from None
    origin = _origin(env.get(ORIGIN, ""))
    if origin is None:
        return Received(funcname, text, (Segment(1, text.count("\n") + 1, f"{funcname}.py", 1),))
    lines = text.splitlines(keepends=True)[: origin.lines]
    return Received(funcname, "".join(lines), tuple(origin.segments), origin.python)


def _origin(text: str) -> Origin | None:
    try:
        return msgspec.json.decode(text, type=Origin)
    except msgspec.DecodeError:
        return None


def define(received: Received, scope: dict[str, Any]) -> Any:
    """Run the code of a function, and return the function.

    Each part is compiled under the name of its cell or file, with its line numbers there, so that tracebacks name them.

    Args:
        received: the function.
        scope: the globals that it is run with.

    Raises:
        UsageError: if the code does not define the function.
        Exception: whatever the code raises.
    """
    tree = _parsed(received)
    has_future = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
    flags = __future__.annotations.compiler_flag if has_future else 0
    for node in tree.body:
        segment = _segment_of(received.segments, node)
        place = f"{received.funcname} (sent with it)"
        if segment is not None:
            place = segment.place
            ast.increment_lineno(node, segment.line - segment.start)
        code = compile(ast.Module([node], []), place, "exec", flags=flags, dont_inherit=True)
        exec(code, scope)  # noqa: S102 - to run code of callers is the purpose
    found = scope.get(received.funcname)
    if not callable(found):
        raise UsageError(f"The code that was sent does not define '{received.funcname}'.")
    return found


def register_lines(received: Received) -> None:
    """Make the lines known to `linecache`, so that tracebacks and `inspect` show them."""
    lines = received.text.splitlines(keepends=True)
    texts: dict[str, list[str]] = {}
    for segment in received.segments:
        known = texts.setdefault(segment.place, [])
        end = segment.line - 1 + segment.count
        known += ["\n"] * (end - len(known))
        known[segment.line - 1 : end] = lines[segment.start - 1 : segment.start - 1 + segment.count]
    for place, known in texts.items():
        linecache.cache[place] = (sum(map(len, known)), None, known, place)


def _parsed(received: Received) -> ast.Module:
    try:
        return ast.parse(received.text, f"{received.funcname}.py")
    except SyntaxError as error:
        for segment in received.segments:  # name the line in its cell
            if error.lineno is not None and segment.start <= error.lineno < segment.start + segment.count:
                error.filename, error.lineno = segment.place, error.lineno + segment.line - segment.start
                break
        raise


def _segment_of(segments: tuple[Segment, ...], node: ast.stmt) -> Segment | None:
    for segment in segments:
        if segment.start <= node.lineno < segment.start + segment.count:
            return segment
    return None
