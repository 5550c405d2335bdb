"""The command ``colony-jupyter``.

A subcommand is a function that adds its parser and sets ``run``, a function from the parsed arguments to the exit
status. What a subcommand needs is imported when it runs: a child of a notebook must take its lock first.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from colony_jupyter import __version__
from colony_jupyter.errors import ColonyError, EmbeddedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colony_jupyter.datafolder.layout import Layout
    from colony_jupyter.server.process.parent_watch import Lifeline

_DEFAULT_PORT: Final = 50080
_MAX_PORT: Final = 65535
_FAILED: Final = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and give its exit status.

    Args:
        argv: the words after the command's name; those of this process by default.
    """
    parser = argparse.ArgumentParser(prog="colony-jupyter", description="ColonyOS in Jupyter.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in (_add_serve, _add_lab, _add_executor, _add_doctor):
        add(commands)
    for command in commands.choices.values():
        command.set_defaults(parser=command)
    arguments, further = parser.parse_known_args(argv)
    if further and not hasattr(arguments, "further"):
        arguments.parser.error(_unknown(further[0], arguments.parser))
    arguments.further = further
    try:
        status: int = arguments.run(arguments)
    except ColonyError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command speaks
        return _FAILED
    except KeyboardInterrupt:
        return 130
    return status


def _unknown(word: str, parser: argparse.ArgumentParser) -> str:
    """Say that a command takes no such word, and what may have been meant."""
    import difflib  # noqa: PLC0415 - see the module's docstring

    if not word.startswith("-"):
        return f"'{word}' is one word too many"
    name = word.partition("=")[0]
    known = parser._option_string_actions  # noqa: SLF001 - no public way
    near = difflib.get_close_matches(name, known, n=1)
    return f"there is no option {name}" + (f"; did you mean {near[0]}?" if near else "")


# --- serve ------------------------------------------------------------------------------------------------------------


def _add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "serve",
        allow_abbrev=False,
        help="run a ColonyOS server of your own",
        description="Run a ColonyOS server of your own. Its keys are made at the first run; the line it prints makes "
        "a shell, and what is started from it, a user of its colony 'dev'.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (%(default)s)")
    parser.add_argument(
        "--port", type=_port, default=None, help=f"port to listen at; 0 for any free one ({_DEFAULT_PORT})"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="data folder (the one notebooks use)")
    parser.add_argument("--tls", action="store_true", help="speak TLS, with a certificate made for it")
    parser.add_argument("--keep", type=_days, metavar="DAYS", help="forget processes that closed so many days ago")
    parser.add_argument(
        "--durability",
        choices=("normal", "full"),
        default="normal",
        help="full: what was answered survives a power cut, not only a crash (%(default)s)",
    )
    parser.add_argument("--no-limits", action="store_true", help="no limits of rate and size, for benchmarks")
    parser.add_argument(
        "--deaf", action="store_true", help="answer no pings while a channel is subscribed to, as ColonyOS"
    )
    parser.add_argument("--insecure-bind", action="store_true", help="listen beyond this machine even without TLS")
    # For a notebook's own child: its standard input is held open by its owner, and it ends with it.
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(run=_serve)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _MAX_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is no port: a number from 0 to {_MAX_PORT} is needed")
    return int(text)


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not 0 <= days < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is no number of days")
    return days


def _serve(arguments: argparse.Namespace) -> int:
    lifeline = _hold_on() if arguments.child else None
    os.umask(0o077)

    from colony_jupyter.datafolder import layout  # noqa: PLC0415 - see the module's docstring
    from colony_jupyter.datafolder.lock import LOST, Lock  # noqa: PLC0415

    place = layout.prepare(arguments.data or _default_data())
    # Never released: the operating system does that, whichever way this process ends.
    if not Lock(place.lock).take():
        if arguments.child:
            return LOST
        raise EmbeddedError(_in_use(place))

    from colony_jupyter.server.process import main  # noqa: PLC0415

    port = arguments.port
    options = main.Options(
        host=arguments.host,
        port=(0 if arguments.child else _DEFAULT_PORT) if port is None else port,
        tls=arguments.tls,
        keep_days=arguments.keep,
        durability=arguments.durability,
        limits=not arguments.no_limits,
        deaf=arguments.deaf,
        insecure_bind=arguments.insecure_bind,
    )
    main.serve(place, options, lifeline=lifeline, say=_say)
    return 0


def _hold_on() -> Lifeline:
    from colony_jupyter.server.process.parent_watch import Lifeline  # noqa: PLC0415

    return Lifeline(sys.stdin.fileno())


def _default_data() -> Path:
    from colony_jupyter.embedded import default_data_dir  # noqa: PLC0415

    return default_data_dir()


def _in_use(place: Layout) -> str:
    from colony_jupyter.datafolder import info  # noqa: PLC0415

    running = info.read(place.info)
    other = "Name another folder with --data."
    if running is None:
        return f"The data folder {place.path} is in use by another process. {other}"
    if running.child:
        return (
            f"The data folder {place.path} is in use by the embedded colony of a notebook (process {running.pid}). "
            "End that notebook's kernel; notebooks started afterwards use this server. Or name another folder with "
            "--data."
        )
    return (
        f"The data folder {place.path} is in use by another `colony-jupyter serve` (process {running.pid} on "
        f"{running.machine}, port {running.port}). {other}"
    )


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command speaks; others may wait for it through a pipe


# --- lab --------------------------------------------------------------------------------------------------------------


def _add_lab(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "lab",
        allow_abbrev=False,
        help="open the tutorial in JupyterLab",
        description="Open the tutorial notebooks in JupyterLab. All other arguments are passed on to it, for instance "
        "--no-browser or --port 8890.",
    )
    parser.set_defaults(run=_lab, further=())


def _lab(arguments: argparse.Namespace) -> int:
    import importlib.util  # noqa: PLC0415 - see the module's docstring

    if importlib.util.find_spec("jupyterlab") is None:
        raise UsageError("JupyterLab is not installed: pip install 'colony-jupyter[lab]'.")
    folder = notebooks_folder()
    _say(f"Tutorial notebooks: {folder}")
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}", *arguments.further]
    if os.name == "posix":
        os.execv(sys.executable, command)  # noqa: S606 - JupyterLab takes our place, signals and all
    import subprocess  # noqa: PLC0415

    return subprocess.run(command, check=False).returncode  # noqa: S603


def notebooks_folder() -> Path:
    """Give the folder of the tutorial notebooks, one that can be written to.

    In a checkout it is the checkout's own. Of an installed package they are copied to the user's data folder, once per
    version; what the user changed there stays.

    Raises:
        UsageError: if there are none, or they cannot be copied.
    """
    package = Path(__file__).parent
    shipped = package / "_notebooks"
    if not shipped.is_dir():
        checkout = package.parent / "notebooks"
        if not checkout.is_dir():
            raise UsageError(f"The tutorial notebooks are missing: neither {shipped} nor {checkout} is there.")
        return checkout
    target = _default_data().with_name("colony_jupyter-notebooks") / __version__
    try:
        for source in sorted(shipped.rglob("*")):
            copy = target / source.relative_to(shipped)
            if source.is_file() and not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, copy)
    except OSError as error:
        raise EmbeddedError(
            f"The tutorial notebooks cannot be copied to {target}: {error.strerror or error}."
        ) from None
    return target


# --- executor ---------------------------------------------------------------------------------------------------------


def _add_executor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "executor",
        allow_abbrev=False,
        help="run an executor until it is told to end",
        description="Run an executor of a Python module. SIGTERM and Ctrl-C let running processes finish; a second "
        "one, or the end of that time, fails them.",
    )
    parser.add_argument("name", metavar="MODULE:EXECUTOR", help="where it is, as in worker:executor for worker.py")
    parser.add_argument(
        "--finish", type=_seconds, default=30.0, metavar="S", help="seconds for running processes (%(default)g)"
    )
    parser.add_argument("--verbose", action="store_true", help="log what it does")
    parser.set_defaults(run=_executor)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is no number of seconds")
    return seconds


def _executor(arguments: argparse.Namespace) -> int:
    import logging  # noqa: PLC0415 - see the module's docstring

    from colony_jupyter.executor.command_line import run_until_signalled  # noqa: PLC0415
    from colony_jupyter.executor.import_path import load  # noqa: PLC0415

    logging.basicConfig(
        level=logging.INFO if arguments.verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
    )
    run_until_signalled(load(arguments.name, Path.cwd()), finish=arguments.finish)
    return 0


# --- doctor -----------------------------------------------------------------------------------------------------------


def _add_doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "doctor",
        allow_abbrev=False,
        help="find out what is wrong with the connection to a colony",
        description="Check settings, server, keys, membership and channels, and say what is wrong and what to do. The "
        "exit status is 1 if something does not work. Nothing is left behind in the colony.",
    )
    parser.set_defaults(run=_doctor)


def _doctor(_: argparse.Namespace) -> int:
    from colony_jupyter import doctor  # noqa: PLC0415 - see the module's docstring
    from colony_jupyter.client.portal import PORTAL  # noqa: PLC0415

    report = PORTAL.run(doctor.examine)
    _say(repr(report))
    return report.exit_status
