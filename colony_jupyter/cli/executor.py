"""``colony-jupyter executor``: an executor of a Python module, without a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from colony_jupyter.cli.arguments import Command, Parser, seconds, start_log

if TYPE_CHECKING:
    import argparse


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="MODULE:EXECUTOR", help="the executor: worker:executor for one in worker.py")
    parser.add_argument(
        "--finish",
        type=seconds,
        default=30.0,
        metavar="S",
        help="seconds that running processes have to finish (default: %(default)g)",
    )
    parser.add_argument("--verbose", action="store_true", help="log every step")


def _run(arguments: argparse.Namespace) -> int:
    from colony_jupyter.executor.command_line import run_until_signalled  # noqa: PLC0415 - see the package's docstring
    from colony_jupyter.executor.import_path import load  # noqa: PLC0415

    start_log(verbose=arguments.verbose)
    run_until_signalled(load(arguments.name, Path.cwd()), finish=arguments.finish)
    return 0


COMMAND: Final = Command(
    name="executor",
    help="run an executor until it receives a signal",
    description="Run an executor of a Python module. After SIGTERM or Ctrl-C it accepts no more processes and lets "
    "running ones finish. A second signal, or the end of the time given with --finish, fails them.",
    add_arguments=_add_arguments,
    run=_run,
)
