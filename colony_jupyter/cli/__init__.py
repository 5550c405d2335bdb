"""The command ``colony-jupyter``.

Each subcommand is a module with a `Command`. A module imports what its command needs when the command runs: the child
process of a notebook must acquire its lock before it imports anything expensive.
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Final

from colony_jupyter import __version__
from colony_jupyter.cli import demo, doctor, executor, kernel, lab, serve
from colony_jupyter.cli.arguments import Parser
from colony_jupyter.errors import ColonyError

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS: Final = (demo.COMMAND, lab.COMMAND, serve.COMMAND, executor.COMMAND, kernel.COMMAND, doctor.COMMAND)
_FAILED: Final = 1
_INTERRUPTED: Final = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status.

    Args:
        argv: the words after the command's name; by default those of this process.
    """
    for stream in (sys.stdout, sys.stderr):
        # A console that is not UTF-8 gets escapes instead of a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    parser = Parser(
        prog="colony-jupyter", description="ColonyOS in Jupyter: run functions, cells and kernels on other machines."
    )
    parser.add_argument("--version", action="version", version=__version__)
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in _COMMANDS:
        added = subparsers.add_parser(command.name, help=command.help, description=command.description)
        command.add_arguments(added)
        added.set_defaults(parser=added, command=command)
    arguments, further = parser.parse_known_args(argv)
    if further and not arguments.command.passes_arguments_on:
        arguments.parser.reject(further[0])
    arguments.further = further
    try:
        status: int = arguments.command.run(arguments)
    except ColonyError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the output of a command
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    return status
