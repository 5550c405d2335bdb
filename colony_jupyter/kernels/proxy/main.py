"""The program of the proxy: its arguments, signals and log."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.errors import ColonyError
from colony_jupyter.kernels.events import Target
from colony_jupyter.kernels.proxy.proxy import Proxy
from colony_jupyter.kernels.proxy.saved_state import SavedState
from colony_jupyter.kernels.proxy.unable import Unable

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Run the proxy of one kernel; returns the exit status.

    Args:
        argv: the arguments, as a kernelspec has them.
    """
    parser = argparse.ArgumentParser(prog="python -m colony_jupyter.kernels")
    parser.add_argument("-f", dest="connection_file", type=Path, required=True, help="connection file")
    parser.add_argument("--type", required=True, help="type of executor")
    parser.add_argument("--executor", action="append", default=[], help="only this executor; can be repeated")
    parser.add_argument("--kernel", default="", help="kernel on the executor")
    parser.add_argument("--language", default="python", help="language of the kernel")
    parser.add_argument("--trust", action="append", default=[], help="id of an executor; can be repeated")
    parser.add_argument("--verbose", action="store_true", help="log every step")
    arguments = parser.parse_args(argv)
    logging.basicConfig(
        level=logging.INFO if arguments.verbose else logging.WARNING,
        format="%(asctime)s colony kernel %(levelname)s %(message)s",
    )
    try:
        return asyncio.run(_run(arguments))
    except ColonyError as error:
        print(error, file=sys.stderr)  # noqa: T201 - Jupyter's log
        return 1


async def _run(arguments: argparse.Namespace) -> int:
    target = Target(arguments.type, arguments.executor, arguments.kernel, arguments.trust)
    file: Path = arguments.connection_file
    loop = asyncio.get_running_loop()
    try:
        colony = AsyncColony()
        await colony.connect()
    except ColonyError as error:
        unable = Unable(file, str(error), arguments.language)
        loop.add_signal_handler(signal.SIGINT, lambda: None)
        loop.add_signal_handler(signal.SIGTERM, unable.end)
        return await unable.run()
    async with colony:
        proxy = Proxy(colony, target, file, SavedState(file), arguments.language)
        loop.add_signal_handler(signal.SIGINT, proxy.interrupt)
        loop.add_signal_handler(signal.SIGTERM, proxy.end)
        return await proxy.run()
