"""One kernel of an executor, across the processes that carry it."""

from __future__ import annotations

import asyncio
import logging
import math
import platform
import secrets
import time
from typing import TYPE_CHECKING, Final

import msgspec

from colony_jupyter.errors import ExecutorError
from colony_jupyter.kernels import names
from colony_jupyter.kernels.host.folders import Folder
from colony_jupyter.kernels.host.launch import Launched, Program, find_program
from colony_jupyter.kernels.host.sockets import KernelSockets
from colony_jupyter.kernels.host.wall_time import WallTime
from colony_jupyter.kernels.relay.backlog import Backlog
from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.layout import CTL, OUT, Limits
from colony_jupyter.kernels.relay.line import Delivery, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from colony_jupyter.kernels.relay.layout import Lane

logger = logging.getLogger(__name__)

_SOCKETS: Final = ("shell", "stdin")


class Hosted:
    """A kernel: started and restarted by its caller, and fed with what the caller sends.

    Args:
        default: name of the kernel that is started where the caller names none.
        environ: environment of the kernel, without keys.
        executorname: gives the name of the executor.
        limits: when channels and processes are full.
        ends: when the batch job of the executor ends, in seconds since 1970.
    """

    def __init__(
        self,
        default: str,
        environ: Mapping[str, str],
        executorname: Callable[[], str],
        limits: Limits | None = None,
        ends: float = math.inf,
    ) -> None:
        self._default = default
        self._environ = environ
        self._executorname = executorname
        self._wall_time = WallTime(ends)
        self._backlog = Backlog(lambda: secrets.token_hex(16))
        self.line = Line(is_caller=False, pending=self._backlog, limits=limits)
        self.wake: Callable[[], None] = lambda: None
        """Called when something waits to be sent."""
        self.id = ""
        """Id of the running kernel; empty while none runs."""
        self.ended = asyncio.Event()
        """Set when the caller has ended it for good."""
        self._program: Program | None = None  # None before the first start
        self._key = ""
        self._folder: Folder | None = None
        self._launched: Launched | None = None
        self._sockets: KernelSockets | None = None
        self._watching: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()  # starts and ends of the kernel, one after the other
        self._ready = asyncio.Event()
        self._inputs: asyncio.Queue[Item] = asyncio.Queue()
        self._commands: asyncio.Queue[Item] = asyncio.Queue()
        self._tasks = [asyncio.create_task(self._feed()), asyncio.create_task(self._obey())]

    @property
    def is_busy(self) -> bool:
        """Whether it executes something."""
        return self._sockets is not None and self._sockets.is_busy

    def state(self, *, attached: bool) -> names.State:
        """Return what the colony may know of it."""
        memory = self._launched.memory() if self._launched is not None else 0
        program = self._program.name if self._program else ""
        return names.State(program, memory, attached, self.is_busy, platform.node())

    # from the caller

    def deliver(self, delivery: Delivery) -> None:
        """Accept what the caller sent."""
        for item in delivery.items:
            if item.name in _SOCKETS:
                self._inputs.put_nowait(item)
            elif item.name == names.INTERRUPT:
                self._interrupt()
            elif delivery.lane == CTL and delivery.number:
                self._commands.put_nowait(item)

    def _interrupt(self) -> None:
        program = self._program
        if self._sockets is not None and program is not None:
            task = asyncio.create_task(self._sockets.interrupt(by_message=program.interrupt_by_message))
            self._tasks.append(task)
            task.add_done_callback(self._tasks.remove)

    async def _feed(self) -> None:
        while True:
            item = await self._inputs.get()
            if self._ready.is_set() and self._sockets is not None:  # else it was for a kernel that has ended
                if item.name == "shell":
                    self._backlog.expect(item)
                await self._sockets.send(item)

    async def _obey(self) -> None:
        while True:
            item = await self._commands.get()
            try:
                await self._command(item)
            except ExecutorError as error:
                self._send(names.NOT_STARTED, str(error))
            except Exception as error:
                logger.exception("the kernel's command %r", item.name)
                self._send(names.NOT_STARTED, f"The executor failed with {type(error).__name__}; its log has more.")

    async def _command(self, item: Item) -> None:
        if item.name == "control":
            if self._sockets is not None and self._ready.is_set():
                await self._sockets.send(item)
        elif item.name == names.START:
            wanted = msgspec.json.decode(item.frames[0], type=names.Start)
            is_new = not self.id
            if is_new:
                await self._stop()  # a former program may have ended a moment ago, and is not cleared yet
                self._key = wanted.key
                self._program = find_program(wanted.kernel or self._default)
                await self._start()
            self._send_started(is_new=is_new)
        elif item.name == names.RESTART:
            await self._stop()
            if self._program is not None:
                await self._start()
                self._send_started(is_new=True)
        elif item.name == names.BYE:
            await self._stop()
            self.ended.set()

    # to the caller

    def _send(self, name: str, text: str | bytes = b"", lane: Lane = OUT) -> None:
        data = text.encode() if isinstance(text, str) else text
        self.line.put(lane, Item(name, [data]))
        self.wake()

    def _send_started(self, *, is_new: bool) -> None:
        assert self._program is not None  # noqa: S101 - it was started
        program = self._program
        about = names.Started(
            self._key, program.name, program.display_name, program.language, self._executorname(), is_new
        )
        self._send(names.STARTED, msgspec.json.encode(about), CTL)

    def _receive(self, item: Item) -> None:
        self.line.put(CTL if item.name == "control" else OUT, item)
        self.announce(time.time())
        self.wake()

    def announce(self, now: float) -> None:
        """Announce the end of the batch job in the cell that runs, if it is time to.

        Args:
            now: seconds since 1970.
        """
        if self._wall_time.is_due(now) and self._sockets is not None and self._sockets.cell:
            text = self._wall_time.announcement(now, self._executorname())
            self.line.put(OUT, self._sockets.output(text))
            self.wake()

    # the program

    async def _start(self) -> None:
        async with self._turn:
            program = self._program
            assert program is not None  # noqa: S101 - the caller has set it
            self._backlog.key = self._key.encode()
            self._folder = Folder()
            self._launched = Launched(program, self._folder.path, self._key, self._environ)
            self._sockets = KernelSockets(self._launched, self._key, self._receive)
            try:
                await self._launched.start()
                await self._sockets.connect()
            except BaseException:
                await self._clear()
                raise
            self.id = secrets.token_hex(8)
            self._ready.set()
            self._watching = asyncio.create_task(self._watch(self._launched, self._sockets))

    async def _watch(self, launched: Launched, sockets: KernelSockets) -> None:
        """Report the end of a kernel that was not asked to end."""
        code = await launched.exited()
        self._ready.clear()
        self.id = ""
        await sockets.drain()
        words = launched.last_words()
        async with self._turn:
            self._watching = None
            await self._clear()
        self._send(names.DIED, msgspec.json.encode({"code": code, "words": words}))

    async def _stop(self) -> None:
        """End the program, if it runs."""
        self._ready.clear()
        self.id = ""
        async with self._turn:
            watching, self._watching = self._watching, None
            if watching is not None:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
            if self._sockets is not None and self._launched is not None:
                await self._sockets.shut_down()
            await self._clear()

    async def _clear(self) -> None:
        """Close what belongs to a program; if this is cancelled, the next call closes the rest."""
        if self._launched is not None:
            await self._launched.aclose()
        if self._sockets is not None:
            await self._sockets.aclose()
        if self._folder is not None:
            self._folder.remove()
        self._launched = self._sockets = self._folder = None

    async def kill(self) -> None:
        """End it at once."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self._clear()
        self.ended.set()
