"""A kernel for Jupyter that runs on an executor: requests go to it, and what it sends comes back."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, Literal

from colony_jupyter.errors import ColonyError
from colony_jupyter.kernels import names
from colony_jupyter.kernels.events import KernelGone
from colony_jupyter.kernels.link import Link
from colony_jupyter.kernels.proxy.frontend import FrontEnd, information
from colony_jupyter.kernels.relay.layout import CTL, IN
from colony_jupyter.kernels.relay.messages import content_of, header_of, parent_of, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.kernels.events import Target
    from colony_jupyter.kernels.proxy.saved_state import SavedState
    from colony_jupyter.kernels.relay.framing import Item
    from colony_jupyter.kernels.relay.layout import Lane
    from colony_jupyter.kernels.relay.line import Position

logger = logging.getLogger(__name__)

_INFO: Final = 3.0
"""Seconds after which a front end is answered here, since it gives up otherwise."""
_REASON_AFTER: Final = 1.5
"""Seconds after which a cell shows what is waited for."""
_LEAVE: Final = 6.0
_POLL: Final = 0.1
_DIED: Final = 1
_EXECUTE: Final = "execute_request"
_End = Literal["end", "restart", "detach"]


class Proxy:
    """One run of the process.

    Args:
        colony: the colony, as the user.
        target: where the kernel is to run.
        connection_file: the front end's.
        saved: what a former run has left.
        language: the kernel's language, for a front end that asks before the kernel runs.
    """

    def __init__(
        self, colony: AsyncColony, target: Target, connection_file: Path, saved: SavedState, language: str = "python"
    ) -> None:
        self._front = FrontEnd(connection_file, self._request)
        self._link = Link(colony, target, self, self._front.key)
        self._saved = saved
        self._language = language
        self._has_started = False
        self._held: list[tuple[float, Item]] = []  # requests until the kernel has started, with the time they came
        self._running: dict[str, Item] = {}  # requests to execute that were not answered
        self._dropping: set[asyncio.Future[None]] = set()
        self._sentence = ""
        self._shown = ""
        self._ending: asyncio.Future[_End] = asyncio.get_running_loop().create_future()

    async def run(self) -> int:
        """Relay until the kernel or the front end ends it; returns the exit status."""
        processid, positions = self._saved.read()
        self._link.line.resume_at(positions)
        if self._saved.is_to_restart:
            self._link.command(names.RESTART)
        self._front.bind()
        running = asyncio.create_task(self._link.run(processid))
        holding = asyncio.create_task(self._serve_held())
        try:
            tasks: set[asyncio.Future[Any]] = {running, self._ending, holding}
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if holding.done():
                holding.result()
            if not self._ending.done():
                return await self._report(running)
            await self._leave(running, self._ending.result())
            return 0
        finally:
            for task in (running, holding):
                task.cancel()
            await asyncio.gather(running, holding, return_exceptions=True)
            self._saved.close()
            await self._front.aclose()

    def interrupt(self) -> None:
        """Interrupt what is executed."""
        if self._has_started:
            self._link.command(names.INTERRUPT)
        else:
            task = asyncio.ensure_future(self._drop_held())
            self._dropping.add(task)
            task.add_done_callback(self._dropping.discard)

    def end(self) -> None:
        """End this run, and the kernel."""
        self._end("end")

    def detach(self) -> None:
        """End this run; the kernel is kept."""
        self._end("detach")

    def _end(self, how: _End) -> None:
        if not self._ending.done():
            self._ending.set_result(how)

    async def _leave(self, running: asyncio.Task[None], how: _End) -> None:
        """End the kernel, detach it, or have it restarted for the next run."""
        link = self._link
        if how == "detach":
            await link.detach(_LEAVE)
        elif how == "restart":
            if self._has_started:
                link.command(names.RESTART)
                self._saved.restarts(wanted=not await link.sent(_LEAVE))
        else:
            if link.attached.is_set():
                link.command(names.BYE)
                await asyncio.wait({running}, timeout=_LEAVE)
            if not running.done():
                await link.cancel()
            self._saved.remove()

    async def _report(self, running: asyncio.Task[None]) -> int:
        """Show why the kernel has ended, in the cells that run."""
        has_died = is_elsewhere = False
        is_kept = True  # for the next run, which starts another kernel on the same process, or takes this one back
        try:
            running.result()
        except KernelGone as gone:
            text, has_died, is_elsewhere = str(gone), gone.died, gone.is_elsewhere
            is_kept = has_died or is_elsewhere
        except ColonyError as error:
            text = str(error)  # it was not found out whether the kernel runs
        else:
            return 0
        logger.warning(text)
        if not has_died:
            await self._await_cell()
        for request in (*self._running.values(), *(item for _, item in self._held)):
            if header_of(request.frames).msg_type == _EXECUTE:
                await self._front.fail(request, "KernelGone", text)
        if not is_kept or (self._ending.done() and self._ending.result() == "end"):
            if not is_elsewhere:
                await self._link.cancel()
            self._saved.remove()
        return _DIED

    async def _await_cell(self) -> None:
        """Wait for a cell that can show a failure, or for the end: Jupyter would start this program again and again."""
        self._has_started = False
        while not (self._running or self._ending.done()):
            if any(header_of(item.frames).msg_type == _EXECUTE for _, item in self._held):
                return
            await asyncio.sleep(_POLL)

    # from the front end

    async def _request(self, item: Item) -> None:
        header = header_of(item.frames)
        if item.name == "control" and header.msg_type == "shutdown_request":
            restarts = bool(content_of(item.frames).get("restart"))
            await self._front.answer(item, "shutdown_reply", {"status": "ok", "restart": restarts})
            self._end("restart" if restarts else "end")
        elif item.name == "control" and header.msg_type == "interrupt_request":
            self.interrupt()
            await self._front.answer(item, "interrupt_reply", {"status": "ok"})
        elif self._has_started:
            self._forward(item)
        else:
            self._held.append((asyncio.get_running_loop().time(), item))

    def _forward(self, item: Item) -> None:
        header = header_of(item.frames)
        if item.name == "shell" and header.msg_type == _EXECUTE:
            self._running[header.msg_id] = item
        self._link.put(CTL if item.name == "control" else IN, item)

    async def _serve_held(self) -> None:
        """Answer front ends that would give up, and show in cells what they wait for."""
        while True:
            await asyncio.sleep(_POLL)
            now = asyncio.get_running_loop().time()
            for since, item in list(self._held):
                if (since, item) not in self._held:
                    continue  # the kernel has started while another request was answered
                kind = header_of(item.frames).msg_type
                if kind == "kernel_info_request" and now - since > _INFO:
                    self._held.remove((since, item))
                    await self._front.answer(item, "kernel_info_reply", information(self._language))
                elif kind == _EXECUTE and now - since > _REASON_AFTER and self._sentence not in ("", self._shown):
                    self._shown = self._sentence
                    content = {"name": "stderr", "text": f"{self._sentence}\n"}
                    await self._front.publish("stream", content, parts_of(item.frames)[1][0])

    async def _drop_held(self) -> None:
        """Interrupt cells that wait for an executor."""
        held, self._held = self._held, []
        for since, item in held:
            if header_of(item.frames).msg_type == _EXECUTE:
                await self._front.fail(item, "KeyboardInterrupt", self._sentence or "The kernel has not started yet.")
            else:
                self._held.append((since, item))

    # from the kernel

    async def deliver(self, item: Item, note: Callable[[], None]) -> None:
        """Hand a message to the front end."""
        if item.name == "shell":
            self._running.pop(parent_of(item.frames).msg_id, None)
        await self._front.send(item, note)

    def delivered(self, lane: Lane, position: Position) -> None:
        """Note on disk what the front end has."""
        self._saved.delivered(lane, position)

    async def started(self, about: names.Started) -> None:
        """Send what was held."""
        del about
        self._saved.restarts(wanted=False)
        self._has_started = True
        held, self._held = self._held, []
        for _, item in held:
            self._forward(item)

    def using(self, processid: str) -> None:
        """Note the process, for the next run."""
        self._saved.use(processid, self._link.line.positions())

    async def waiting(self, sentence: str) -> None:
        """Show what is waited for."""
        self._sentence = sentence
        logger.info(sentence)

    def is_expecting(self) -> bool:
        """Whether a cell runs."""
        return bool(self._running)
