"""``colony-jupyter kernel``: Jupyter kernels on executors, from both sides."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.cli.arguments import Command, Parser, start_log, write

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from colony_jupyter.client.colony import AsyncColony

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_KEEP: Final = "12h"
_PID: Final = "id of the kernel's process, or the beginning of the id"


def duration(text: str) -> float:
    """Read a time span such as ``90m`` or ``12h``, in seconds."""
    number, unit = (text[:-1], text[-1:]) if text[-1:] in _UNITS else (text, "s")
    try:
        seconds = float(number) * _UNITS[unit]
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a time span: use a number with s, m, h or d, such as 12h")
    return seconds


def _add_arguments(parser: Parser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    serve = actions.add_parser("serve", help="run kernels on this machine", description=_SERVE)
    serve.add_argument("--type", required=True, metavar="T", help="type of the executor")
    serve.add_argument(
        "--name", metavar="NAME", help="name of the executor (default: made of its type, the machine and its id)"
    )
    serve.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="USER",
        help="a user of the colony who may run kernels, too; can be repeated",
    )
    serve.add_argument("--allow-anyone", action="store_true", help="every member of the colony may run kernels")
    serve.add_argument(
        "--keep",
        type=duration,
        default=_KEEP,
        metavar="TIME",
        help="how long a kernel runs while no notebook is attached, such as 90m or 12h (default: %(default)s)",
    )
    serve.add_argument(
        "--kernel", default="python3", metavar="NAME", help="installed kernel to run (default: %(default)s)"
    )
    serve.add_argument("--verbose", action="store_true", help="log every step")
    serve.set_defaults(action=_serve, parser=serve)

    install = actions.add_parser("install", help="put a kernel into Jupyter's menus", description=_INSTALL)
    install.add_argument("--type", required=True, metavar="T", help="type of the executors")
    install.add_argument(
        "--executor", action="append", default=[], metavar="NAME", help="trust only this executor; can be repeated"
    )
    install.add_argument("--name", default="", metavar="NAME", help="name of the kernelspec (default: colony-T)")
    install.add_argument("--display-name", default="", metavar="TEXT", help="name of the kernel in Jupyter's menus")
    install.add_argument(
        "--kernel", default="", metavar="NAME", help="kernel to run on the executor (default: that of `serve --kernel`)"
    )
    install.add_argument(
        "--language", default="python", metavar="NAME", help="language of the kernel (default: %(default)s)"
    )
    install.set_defaults(action=_install, parser=install)

    listing = actions.add_parser(
        "list", help="list running kernels", description="List the running kernels of the colony."
    )
    listing.set_defaults(action=_list, parser=listing)

    attach = actions.add_parser("attach", help="attach to a running kernel", description=_ATTACH)
    attach.add_argument("process", metavar="PID", help=_PID)
    attach.set_defaults(action=_attach, parser=attach)

    stop = actions.add_parser("stop", help="end a kernel", description="End a kernel; its variables are lost.")
    stop.add_argument("process", metavar="PID", help=_PID)
    stop.set_defaults(action=_stop, parser=stop)


_SERVE: Final = (
    "Run Jupyter kernels on this machine for notebooks elsewhere, until SIGTERM or Ctrl-C. Only outgoing connections "
    "are made. Kernels run as your operating-system user. By default only the user of the colony whose key is in the "
    "environment may use them."
)
_INSTALL: Final = (
    "Add a kernel that runs on an executor to Jupyter's launcher and menus. Its code is sent only to the executors of "
    "the type that are members of the colony now; install it again to trust others. No key is stored."
)
_ATTACH: Final = (
    "Attach to a running kernel, also from another machine of the same user, and write a connection file for "
    "`jupyter console --existing`. Ctrl-C detaches."
)


def _run(arguments: argparse.Namespace) -> int:
    status: int = arguments.action(arguments)
    return status


def _serve(arguments: argparse.Namespace) -> int:
    from colony_jupyter.executor.command_line import run_until_signalled  # noqa: PLC0415 - see the package's docstring
    from colony_jupyter.executor.executor import Executor  # noqa: PLC0415

    start_log(verbose=arguments.verbose)
    executor = Executor(arguments.type, arguments.name)
    executor.kernels(
        "anyone" if arguments.allow_anyone else arguments.allow, kernel=arguments.kernel, keep=arguments.keep
    )
    write(f"This executor of type '{arguments.type}' offers the kernel '{arguments.kernel}' until Ctrl-C.")
    write(f"Where the notebooks are: colony-jupyter kernel install --type {arguments.type}")
    run_until_signalled(executor, finish=0.0)
    return 0


def _install(arguments: argparse.Namespace) -> int:
    from colony_jupyter.kernels.kernelspec import install  # noqa: PLC0415

    async def work(colony: AsyncColony) -> int:
        done = await install(
            colony,
            arguments.type,
            executors=arguments.executor,
            name=arguments.name,
            display_name=arguments.display_name,
            kernel=arguments.kernel,
            language=arguments.language,
        )
        write(f"Kernel '{done.name}' is in Jupyter's menus as \"{done.display_name}\" ({done.folder}).")
        write(f"Its code goes to these executors only: {', '.join(done.trusted)}.")
        return 0

    return _with_colony(work)


def _list(_: argparse.Namespace) -> int:
    from colony_jupyter.kernels.listing import kernel_row, kernels  # noqa: PLC0415

    async def work(colony: AsyncColony) -> int:
        rows = [kernel_row(each) for each in await kernels(colony)]
        for line in _table(rows) if rows else ["No kernel runs."]:
            write(line)
        return 0

    return _with_colony(work)


def _attach(arguments: argparse.Namespace) -> int:
    from pathlib import Path  # noqa: PLC0415

    from jupyter_core.paths import jupyter_runtime_dir  # noqa: PLC0415

    from colony_jupyter.kernels.listing import find  # noqa: PLC0415
    from colony_jupyter.kernels.proxy.attach import attach  # noqa: PLC0415

    def announce(file: Path) -> None:
        write(f"Attached. In another terminal: jupyter console --existing {file}")
        write("Ctrl-C here detaches; the kernel goes on.")

    folder = Path(jupyter_runtime_dir())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def work(colony: AsyncColony) -> int:
        process = await find(colony, arguments.process)
        return await attach(colony, process, folder, announce)

    return _with_colony(work)


def _stop(arguments: argparse.Namespace) -> int:
    from colony_jupyter.kernels.listing import find  # noqa: PLC0415

    async def work(colony: AsyncColony) -> int:
        process = await find(colony, arguments.process)
        await process.cancel()
        write(f"The kernel of process {process.processid[:8]} was ended.")
        return 0

    return _with_colony(work)


def _with_colony(work: Callable[[AsyncColony], Awaitable[int]]) -> int:
    import asyncio  # noqa: PLC0415 - see the package's docstring

    from colony_jupyter.client.colony import AsyncColony  # noqa: PLC0415

    async def run() -> int:
        async with AsyncColony() as colony:
            return await work(colony)

    return asyncio.run(run())


def _table(rows: list[dict[str, Any]]) -> list[str]:
    """Return the lines of a table with its head."""
    head = {name: name for name in rows[0]}
    widths = {name: max(len(str(row[name])) for row in (head, *rows)) for name in head}
    return ["  ".join(f"{row[name]!s:<{widths[name]}}" for name in head).rstrip() for row in (head, *rows)]


COMMAND: Final = Command(
    name="kernel",
    help="run Jupyter kernels on executors, and use them",
    description="Jupyter kernels that run on executors: `serve` on the remote machine, `install` where the notebooks "
    "are.",
    add_arguments=_add_arguments,
    run=_run,
)
