"""``colony-jupyter serve``: a ColonyOS server on this machine. Notebooks start it too, as a child process."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from colony_jupyter.cli.arguments import Command, Parser, days, port, write
from colony_jupyter.errors import EmbeddedError

if TYPE_CHECKING:
    from colony_jupyter.datafolder.layout import Layout
    from colony_jupyter.server.process.parent_watch import ParentWatch

_DEFAULT_PORT: Final = 50080


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=port, default=None, help=f"port to listen on; 0 selects a free one (default: {_DEFAULT_PORT})"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="data folder (default: the one that notebooks use)")
    parser.add_argument("--tls", action="store_true", help="use TLS, with a certificate that the server creates")
    parser.add_argument(
        "--keep", type=days, metavar="DAYS", help="remove processes so many days after their end (default: never)"
    )
    parser.add_argument(
        "--durability",
        choices=("normal", "full"),
        default="normal",
        help="normal: acknowledged data survives a crash of the server; full: also a power failure "
        "(default: %(default)s)",
    )
    parser.add_argument("--no-limits", action="store_true", help="apply no limits of rate and size, for benchmarks")
    parser.add_argument(
        "--deaf",
        action="store_true",
        help="for tests: answer no WebSocket pings while a channel is subscribed, as a ColonyOS server",
    )
    parser.add_argument(
        "--insecure-bind", action="store_true", help="accept an address other than this machine's even without TLS"
    )
    # For the child process of a notebook: it ends when its standard input closes.
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)


def _run(arguments: argparse.Namespace) -> int:
    parent_watch = _watch_parent() if arguments.child else None
    os.umask(0o077)

    from colony_jupyter.datafolder import layout  # noqa: PLC0415 - see the package's docstring
    from colony_jupyter.datafolder.lock import LOST, Lock  # noqa: PLC0415

    place = layout.prepare(arguments.data or _default_data())
    # Never released here: the operating system releases it however this process ends.
    if not Lock(place.lock).acquire():
        if arguments.child:
            return LOST
        raise EmbeddedError(_in_use(place))

    from colony_jupyter.server.process import main  # noqa: PLC0415

    options = main.Options(
        host=arguments.host,
        port=(0 if arguments.child else _DEFAULT_PORT) if arguments.port is None else arguments.port,
        tls=arguments.tls,
        keep_days=arguments.keep,
        durability=arguments.durability,
        limits=not arguments.no_limits,
        deaf=arguments.deaf,
        insecure_bind=arguments.insecure_bind,
    )
    main.serve(place, options, parent_watch=parent_watch, write_line=write)
    return 0


def _watch_parent() -> ParentWatch:
    from colony_jupyter.server.process.parent_watch import ParentWatch  # noqa: PLC0415

    return ParentWatch(sys.stdin.fileno())


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


COMMAND: Final = Command(
    name="serve",
    help="run the embedded colony as a server for other programs",
    description="Run the embedded colony as a server for other programs. The first run creates its keys. The line that "
    "it prints sets ColonyOS's variables in a shell: programs started from that shell act as a user of its colony "
    "'dev'.",
    add_arguments=_add_arguments,
    run=_run,
)
