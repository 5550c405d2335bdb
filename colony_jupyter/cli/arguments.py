"""What the subcommands share: the description of a command, its parser and the types of its arguments."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_PORT: Final = 65535


@dataclass(frozen=True)
class Command:
    """One subcommand.

    Attributes:
        name: the word that selects it.
        help: its line in the list of commands.
        description: the text above its own options.
        add_arguments: adds its options and operands to a parser.
        run: runs it and returns the exit status.
        passes_arguments_on: whether it accepts unknown arguments, as ``further``.
    """

    name: str
    help: str
    description: str
    add_arguments: Callable[[Parser], None]
    run: Callable[[argparse.Namespace], int]
    passes_arguments_on: bool = False


class Parser(argparse.ArgumentParser):
    """A parser that knows the names of its options, and suggests one for a name that it does not know."""

    def __init__(self, **how: Any) -> None:
        self.options: list[str] = []
        super().__init__(allow_abbrev=False, **how)

    def add_argument(self, *names: str, **how: Any) -> argparse.Action:
        """Add an argument, as argparse does, and record the names of an option that the help shows."""
        action = super().add_argument(*names, **how)
        if action.help != argparse.SUPPRESS:
            self.options += action.option_strings
        return action

    def reject(self, word: str) -> NoReturn:
        """End with a message about an argument that the command does not accept."""
        import difflib  # noqa: PLC0415 - see the package's docstring

        if not word.startswith("-"):
            self.error(f"unexpected argument '{word}'")
        name = word.partition("=")[0]
        near = difflib.get_close_matches(name, self.options, n=1)
        self.error(f"there is no option {name}" + (f"; did you mean {near[0]}?" if near else ""))


def no_arguments(_: Parser) -> None:
    """Add nothing: for a command without options."""


def port(text: str) -> int:
    """Read the number of a port; 0 is any free one."""
    if not (text.isascii() and text.isdecimal()) or int(text) > _MAX_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port: use a number from 0 to {_MAX_PORT}")
    return int(text)


def days(text: str) -> float:
    """Read a number of days."""
    return _number(text, "days")


def seconds(text: str) -> float:
    """Read a number of seconds."""
    return _number(text, "seconds")


def _number(text: str, unit: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of {unit}")
    return number


def write(line: str) -> None:
    """Write a line of output at once: another program may read it through a pipe."""
    print(line, flush=True)  # noqa: T201 - the output of a command


def start_log(*, verbose: bool) -> None:
    """Log to standard error.

    Args:
        verbose: whether every step is logged, or warnings only.
    """
    import logging  # noqa: PLC0415 - see the package's docstring

    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
    )
