"""Attaches a front end to a kernel that runs: a connection file for it, and the proxy behind that."""

from __future__ import annotations

import asyncio
import secrets
import signal
from typing import TYPE_CHECKING, Any

from jupyter_client.connect import write_connection_file

from colony_jupyter.kernels.events import Target
from colony_jupyter.kernels.link import Link
from colony_jupyter.kernels.proxy.proxy import Proxy
from colony_jupyter.kernels.proxy.saved_state import SavedState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.kernels import names
    from colony_jupyter.kernels.relay.framing import Item
    from colony_jupyter.kernels.relay.layout import Lane
    from colony_jupyter.kernels.relay.line import Position


class _Key:
    """Events of a link that waits for a kernel's key."""

    def __init__(self) -> None:
        self.about: asyncio.Future[names.Started] = asyncio.get_running_loop().create_future()

    async def deliver(self, item: Item, note: Callable[[], None]) -> None:
        """Leave what the kernel sent for the front end."""

    def delivered(self, lane: Lane, position: Position) -> None:
        """Do nothing."""

    async def started(self, about: names.Started) -> None:
        """Store the key."""
        if not self.about.done():
            self.about.set_result(about)

    def using(self, processid: str) -> None:
        """Do nothing."""

    async def waiting(self, sentence: str) -> None:
        """Do nothing."""

    def is_expecting(self) -> bool:
        """Whether a cell runs."""
        return False


async def attach(colony: AsyncColony, process: AsyncProcess, folder: Path, announce: Callable[[Path], None]) -> int:
    """Relay between a kernel that runs and front ends, until a signal; then the kernel is detached and kept.

    Args:
        colony: the colony, as the kernel's user.
        process: the process that carries it.
        folder: where the connection file is written.
        announce: called with that file once front ends can connect.

    Raises:
        ColonyError: if the kernel has ended.
    """
    target = Target(process.spec.conditions.executortype, trusted=[process.record.assignedexecutorid])
    about = await _ask_for_key(colony, process, target)
    file = folder / f"kernel-colony-{process.processid[:8]}-{secrets.token_hex(4)}.json"
    saved = SavedState(file)
    try:
        write_connection_file(str(file), key=about.key.encode(), kernel_name=about.kernel)  # of mode 0600
        saved.use(process.processid, {})
        proxy = Proxy(colony, target, file, saved, about.language)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, proxy.detach)
        announce(file)
        return await proxy.run()
    finally:
        saved.remove()
        file.unlink(missing_ok=True)


async def _ask_for_key(colony: AsyncColony, process: AsyncProcess, target: Target) -> names.Started:
    events = _Key()
    link = Link(colony, target, events, secrets.token_hex(16), confirms=False)
    running = asyncio.create_task(link.run(process.processid))
    try:
        waits: set[asyncio.Future[Any]] = {running, events.about}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        return events.about.result()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
