"""What Tab offers in the lines of magics, from what is known already (pure); `Matcher` hands it to IPython.

IPython completes in the kernel, so a slow answer holds the kernel up: names of the colony come from a cache.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

import msgspec

from colony_jupyter.notebook.magics import commands

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colony_jupyter.notebook.magics.parser import Command

_LINE: Final = re.compile(r"^\s*(?:[\w.\[\]'\", ]+=\s*)?(?P<magic>%%?colony(?:_chat)?)(?:\s+(?P<rest>.*))?$")
_SHORT: Final = 12
"""Characters of an id that are offered; the whole of it where they are not enough."""


class Known(msgspec.Struct, frozen=True):
    """Names of a colony that may be typed.

    Attributes:
        functions: of executors that are approved.
        types: of executors.
        executors: their names.
        processes: channels by the process's id, the newest process first.
    """

    functions: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    executors: tuple[str, ...] = ()
    processes: dict[str, tuple[str, ...]] = {}


class Offer(msgspec.Struct, frozen=True):
    """What may replace the word before the cursor.

    Attributes:
        fragment: that word, as far as it was typed.
        words: what it may become.
    """

    fragment: str
    words: list[str]


def complete(line: str, known: Known, variables: Iterable[str] = ()) -> Offer | None:
    """Complete a line up to the cursor; None if it is no line of ours.

    Args:
        line: from its beginning to the cursor.
        known: names of the colony.
        variables: those that hold a process.
    """
    found = _LINE.match(line)
    if found is None or found["rest"] is None:
        return None
    words = found["rest"].split()
    fragment = "" if not words or line[-1].isspace() else words.pop()
    magic = found["magic"]
    if magic == "%%colony_chat":
        candidates = _of_command(commands.CHAT, words, fragment, known, variables)
    elif magic == "%colony_chat":
        return None
    elif not words:
        candidates = [*commands.CELLS] if magic == "%%colony" else [*commands.LINES, "--help"]
    elif magic == "%%colony" and words[0] in commands.CELLS:
        candidates = _of_command(commands.CELLS[words[0]], words[1:], fragment, known, variables)
    elif magic == "%colony" and words[0] in commands.LINES:
        candidates = _of_command(commands.LINES[words[0]], words[1:], fragment, known, variables)
    else:
        candidates = []
    offered = [word for word in map(_quoted, candidates) if word.startswith(fragment)]
    return Offer(fragment, list(dict.fromkeys(offered)))


def _of_command(command: Command, words: list[str], fragment: str, known: Known, variables: Iterable[str]) -> list[str]:
    option: str | None = None  # whose value comes next
    place = 0  # number of the operand that comes next
    for word in words:
        if word in command.options:
            option = word if command.takes_value(word) else None
        elif option is None:
            place += 1
        elif not command.takes_several(option):
            option = None
    if fragment.startswith("-"):
        return command.options
    operands = [*command.operands, *([command.text] if command.text else [])]
    if option is not None:
        what = {
            "--type": "TYPE",
            "--executor": "EXECUTOR",
            "--channel": "CHANNEL",
            "--pid": "PID",
            "--function": "FUNCNAME",
        }.get(option, "")
        process = words[words.index("--pid") + 1] if "--pid" in words[:-1] else ""
    elif place < len(operands) or (operands and operands[-1].many):
        what = operands[min(place, len(operands) - 1)].name
        process = words[0] if words else ""
    else:
        what = process = ""
    names = _names(what, process, known, variables)
    return names or ([] if option is not None else command.options)


def _names(what: str, process: str, known: Known, variables: Iterable[str]) -> list[str]:
    if what == "PID":
        return [*variables, *_short_ids(known)]
    if what == "CHANNEL":
        chosen = [
            channels for processid, channels in known.processes.items() if process and processid.startswith(process)
        ]
        several = chosen[:1] or list(known.processes.values())
        return list(dict.fromkeys(name for channels in several for name in channels))
    names = {"FUNCNAME": known.functions, "TYPE": known.types, "EXECUTOR": known.executors}
    return list(names.get(what, ()))


def _short_ids(known: Known) -> list[str]:
    short = [processid[:_SHORT] for processid in known.processes]
    return [one if short.count(one) == 1 else whole for one, whole in zip(short, known.processes, strict=True)]


def _quoted(word: str) -> str:
    return word if word.startswith("-") else shlex.quote(word)
