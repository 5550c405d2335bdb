"""The one argument parser of all magics: argparse for the options, without its exits, and with help on mistakes (pure).

Words that are no options are given to the operands in their order, wherever they stand among the options.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from colony_jupyter.errors import UsageError
from colony_jupyter.notebook.magics.shell_words import Word, split
from colony_jupyter.notebook.magics.suggestions import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMBER: Final = re.compile(r"-\d+(\.\d*)?([eE][-+]?\d+)?|-\.\d+")
_END_OF_OPTIONS: Final = "--"
_PLAIN: Final = (
    (re.compile(r": invalid int value: (.*)"), r" needs a whole number, not \1"),
    (re.compile(r": invalid (number of seconds) value: (.*)"), r" needs a \1, not \2"),
    (re.compile(r": ignored explicit argument (.*)"), r" has no value, so \1 cannot follow it"),
    (re.compile(r": expected one argument"), " needs a value"),
    (re.compile(r": expected at least one argument"), " needs at least one value"),
)
"""Messages of argparse, and what is shown in their place."""


class HelpAsked(Exception):
    """The line asked for help; ``str()`` is the help."""


@dataclass(frozen=True)
class Operand:
    """A word of a line that is no option.

    Attributes:
        name: as in the usage line, in capitals; in small letters the attribute of what was read.
        help: a few words.
        required: whether the line needs it.
        many: whether it accepts all words that are left, as a list.
    """

    name: str
    help: str
    required: bool = True
    many: bool = False

    @property
    def usage(self) -> str:
        """How the usage line shows it."""
        shown = f"{self.name} ..." if self.many else self.name
        return shown if self.required else f"[{shown}]"


class Command:
    """What one magic accepts.

    Args:
        name: the magic, as typed: ``%colony submit``.
        summary: one sentence on what it does.
        operands: its words that are no options, in order.
        text: an operand that is the rest of the line as it was typed, without any reading of quotes; it comes after
            the others and after the options.
    """

    def __init__(
        self, name: str, summary: str, operands: Sequence[Operand] = (), *, text: Operand | None = None
    ) -> None:
        self.name = name
        self.summary = summary
        self.operands = tuple(operands)
        self.text = text
        self._options: dict[str, argparse.Action] = {}
        self._wire_names: dict[str, str] = {}
        self._parser = _Options(
            usage=argparse.SUPPRESS, add_help=False, allow_abbrev=False, formatter_class=_Formatter, prog=name
        )
        self.option("-h", "--help", action="store_true", help="show this")

    def option(self, *names: str, wire: str = "", **how: Any) -> None:
        """Add an option; its values are plain strings, unless a type is given.

        Args:
            names: the option as typed.
            wire: name of the same field in ColonyOS's specs; as an option it leads to a suggestion.
            how: arguments of argparse's ``add_argument``.
        """
        if "action" not in how or how["action"] == "extend":
            how.setdefault("type", str)
        action = self._parser.add_argument(*names, **how)
        self._options |= dict.fromkeys(action.option_strings, action)
        if wire:
            self._wire_names[f"--{wire}"] = names[0]

    @property
    def options(self) -> list[str]:
        """All options, long ones first."""
        return sorted(self._options, key=lambda name: (not name.startswith("--"), name))

    def takes_value(self, option: str) -> bool:
        """Whether an option is followed by a value."""
        action = self._options.get(option)
        return action is not None and action.nargs != 0

    def takes_several(self, option: str) -> bool:
        """Whether an option is followed by any number of values."""
        action = self._options.get(option)
        return action is not None and action.nargs == "+"

    def _takes_text(self, option: str) -> bool:
        return self.takes_value(option) and option != "--kw"

    def help(self) -> str:
        """Return the help, as text."""
        operands = [*self.operands, *([self.text] if self.text else [])]
        usage = " ".join([self.name, *(operand.usage for operand in operands), "[options]"])
        width = max((len(operand.name) for operand in operands), default=0)
        lines = [f"usage: {usage}", "", self.summary, ""]
        lines += [f"  {operand.name.ljust(width)}  {operand.help}" for operand in operands]
        return "\n".join([*lines, *([""] if operands else []), self._parser.format_help().rstrip()])

    def read(self, line: str) -> argparse.Namespace:
        """Read a line.

        Raises:
            HelpAsked: if it asks for help.
            UsageError: if it is not as it must be; the message shows the correct form.
        """
        if self.text is None:
            words, text = split(line, text_follows=self._takes_text), None
        else:
            words, text = self._split_text(line)
        end = next((at for at, word in enumerate(words) if word == _END_OF_OPTIONS and not word.quoted), len(words))
        if any(word in ("-h", "--help") and not word.quoted for word in words[:end]):
            raise HelpAsked(self.help())
        try:
            found, operands = self._parser.parse_known_args(list(words[:end]))
        except _Mistake as mistake:
            raise self._wrong(_plain(str(mistake).removeprefix("argument "))) from None
        for word in operands:
            if (
                len(word) > 1
                and word.startswith("-")
                and not getattr(word, "quoted", False)
                and not _NUMBER.fullmatch(word)
            ):
                name = word.partition("=")[0]
                raise self._wrong(f"There is no option {name}.{self._suggestion(name)}")
        self._place([*operands, *words[end + 1 :]], found)
        if self.text is not None:
            setattr(found, self.text.name.lower(), text)
        return found

    def _suggestion(self, name: str) -> str:
        known = self._wire_names.get(name)
        if known is not None:
            return f" Did you mean '{known}'?"
        bare = {option.lstrip("-"): option for option in self.options}  # the dashes would make any two alike
        near = nearest(name.lstrip("-"), bare)
        return (
            f" Did you mean '{bare[near]}'?" if near else " A word that begins with a dash can be quoted, or follow --."
        )

    def _place(self, words: list[str], found: argparse.Namespace) -> None:
        for operand in self.operands:
            given: Any
            if operand.many:
                given, words = words, []
            else:
                given, words = (str(words[0]), words[1:]) if words else (None, [])
            if operand.required and not given:
                raise self._wrong(f"{operand.name} is missing: {operand.help}.")
            setattr(found, operand.name.lower(), given)
        if words:
            raise self._wrong(f"'{words[0]}' is an unexpected argument.")

    def _split_text(self, line: str) -> tuple[list[Word], str]:
        """Part a line into the words of the operands, and the text after them as it was typed."""
        pieces = line.strip().split(None, len(self.operands))
        first = " ".join(pieces[: len(self.operands)])
        words = split(first)
        asks = any(word in ("-h", "--help") for word in pieces[: len(self.operands)])
        if len(pieces) <= len(self.operands):
            if not asks and self.text is not None and len(pieces) == len(self.operands):
                raise self._wrong(f"{self.text.name} is missing: {self.text.help}.")
            return words, ""
        return words, pieces[-1]

    def _wrong(self, sentence: str) -> UsageError:
        operands = " ".join(operand.usage for operand in [*self.operands, *([self.text] if self.text else [])])
        stop = "" if sentence.endswith((".", "?", ")")) else "."
        return UsageError(
            f"{sentence}{stop} Usage: {' '.join(filter(None, [self.name, operands]))} [options]; --help explains them."
        )


def _plain(message: str) -> str:
    for pattern, words in _PLAIN:
        message = pattern.sub(words, message, count=1)
    return message


class _Mistake(Exception):
    """What argparse found wrong."""


class _Options(argparse.ArgumentParser):
    """A parser of options alone; mistakes are raised."""

    def error(self, message: str) -> NoReturn:
        raise _Mistake(message)


class _Formatter(argparse.HelpFormatter):
    """Wide enough for a notebook, and the same in every terminal."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32, width=100)
