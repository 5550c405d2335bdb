"""Both sides of a kernel over a simulated server, on virtual time.

The sides are the real ones (`Link`, `Host`, `Traffic`); the server, the kernel's program and the front end are not.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any, Self

from relay_server import Party, Process, Server

from colony_jupyter.errors import ColonyError
from colony_jupyter.kernels.events import KernelGone, Target
from colony_jupyter.kernels.host.host import Host
from colony_jupyter.kernels.host.hosted import Hosted
from colony_jupyter.kernels.host.launch import Program
from colony_jupyter.kernels.link import Link
from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.layout import IN, Limits
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import ProcessState

PROGRAM = Program("python3", [], {}, "Python 3", "python", interrupt_by_message=False)


class Sockets:
    """A kernel: for each request some output, one after the other, and the reply."""

    cell = b""

    def __init__(self, server: Server, receive: Any, executed: list[bytes], put_out: list[bytes]) -> None:
        self._random = server.random
        self._receive, self._executed, self._put_out = receive, executed, put_out
        self._requests: asyncio.Queue[bytes] = asyncio.Queue()
        self._running = asyncio.create_task(self._run())

    @property
    def is_busy(self) -> bool:
        return not self._requests.empty()

    async def send(self, item: Item) -> None:
        self._requests.put_nowait(item.frames[0])

    async def _run(self) -> None:
        while True:
            request = await self._requests.get()
            self._executed.append(request)
            for number in range(self._random.randint(0, 12)):
                self._say("iopub", request + b" %d " % number + b"x" * self._random.randint(0, 200))
                if self._random.random() < 0.5:
                    await asyncio.sleep(self._random.uniform(0, 0.3))
            self._say("shell", request + b" reply")

    def _say(self, name: str, text: bytes) -> None:
        self._put_out.append(text)
        self._receive(Item(name, [text]))

    async def close(self) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)


class StandIn(Hosted):
    """A kernel whose program is `Sockets`."""

    server: Server
    executed: list[bytes]
    put_out: list[bytes]
    starts = 0
    start_seconds = 0.0

    async def _start(self) -> None:
        await asyncio.sleep(self.start_seconds)
        self._sockets: Any = Sockets(self.server, self._receive, self.executed, self.put_out)
        self.starts += 1
        self.id = f"kernel {self.starts}"
        self._ready.set()

    async def _stop(self) -> None:
        self._ready.clear()
        self.id = ""
        await self._clear()

    async def _clear(self) -> None:
        sockets, self._sockets = self._sockets, None
        if sockets is not None:
            await sockets.close()


class Kernels(Host):
    """The kernels of an executor, with stand-ins for programs."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(dict, lambda: "node", limits=scene.limits)
        self._scene = scene

    def new_kernel(self) -> Hosted:
        kernel = StandIn("python3", {}, lambda: "node", self._scene.limits)
        kernel.server, kernel.executed, kernel.put_out = self._scene.server, [], []
        kernel.start_seconds = self._scene.start_seconds
        self._scene.kernels.append(kernel)
        return kernel


class FrontEnd:
    """One program of the caller: its link, and the front end behind it; what it has delivered is on a disk."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.party = Party(scene.server, scene.caller_key)
        self.link = scene.new_link(self)
        self.running = asyncio.create_task(self._run())
        self.has_started = asyncio.Event()
        self._held: list[Item] = []

    def request(self, text: bytes) -> None:
        """Send a request, once the kernel has started."""
        self._held.append(Item("shell", [text]))
        if self.has_started.is_set():
            self._forward()

    def _forward(self) -> None:
        held, self._held = self._held, []
        for item in held:
            self.link.put(IN, item)

    async def _run(self) -> None:
        while True:
            try:
                await self.link.run(self.scene.processid)
            except KernelGone:
                raise
            except ColonyError:  # Jupyter starts the program again
                self.link = self.scene.new_link(self)

    async def kill(self) -> None:
        """End it as SIGKILL does: nothing more is sent, delivered or written."""
        self.party.is_dead = True
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)

    async def deliver(self, item: Item, note: Any) -> None:
        scene = self.scene
        if scene.server.random.random() < 0.2:
            await asyncio.sleep(scene.absence or scene.server.random.uniform(0, 0.2))
        if self.party.is_dead:
            await asyncio.Event().wait()
        note()
        scene.received.append(item.frames[0])

    def delivered(self, lane: str, position: Any) -> None:
        if not self.party.is_dead:
            self.scene.positions[lane] = position

    async def started(self, about: Any) -> None:
        self.has_started.set()
        self._forward()

    def using(self, processid: str) -> None:
        if not self.party.is_dead:
            self.scene.processid, self.scene.positions = processid, self.link.line.positions()

    async def waiting(self, sentence: str) -> None:
        pass

    def is_expecting(self) -> bool:
        return True


class Scene:
    """A server, an executor and a caller."""

    def __init__(self, seed: int, limits: Limits | None = None, start_seconds: float = 0.1) -> None:
        self.server = Server(seed)
        self.limits = limits
        self.start_seconds = start_seconds
        keys = random.Random(seed)
        self.caller_key, self.host_key = (PrivateKey.generate(keys.randbytes) for _ in range(2))
        self.processid, self.positions = "", {}  # on the caller's disk
        self.received: list[bytes] = []
        self.absence = 0.0  # seconds that a front end is away, now and then
        self.kernels: list[StandIn] = []
        self.failures: list[str] = []
        self.serving: dict[str, asyncio.Task[None]] = {}
        self.takes_work = True

    async def __aenter__(self) -> Self:
        self.start_executor()
        self.front = FrontEnd(self)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.front.kill()
        await self.kill_executor()

    def new_link(self, front: FrontEnd) -> Link:
        link = Link(front.party, Target("hpc"), front, "key", limits=self.limits)  # type: ignore[arg-type]
        link.line.resume_at(self.positions)
        return link

    def start_executor(self) -> None:
        self.party = Party(self.server, self.host_key)
        self.host = Kernels(self)
        self.assigning = asyncio.create_task(self._assign())

    async def kill_executor(self) -> None:
        """End it as SIGKILL does; its kernels end with it."""
        self.party.is_dead = True
        tasks = [self.assigning, *self.serving.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.serving.clear()
        await self.host.aclose()

    async def _assign(self) -> None:
        while True:
            for processid, record in list(self.server.records.items()):
                if record.state is ProcessState.WAITING and self.takes_work and self.host_key.id not in self.server.cut:
                    self.server.set_state(processid, ProcessState.RUNNING, self.host_key.id)
                    self.serving[processid] = asyncio.create_task(self._serve(Process(self.party, processid)))
            await self.server.changed.wait()

    async def _serve(self, process: Process) -> None:
        try:
            await self.host.serve(process)  # type: ignore[arg-type]
        except ColonyError as error:
            self.failures.append(str(error))
            self.server.fail(process.processid, str(error))
        else:
            self.server.set_state(process.processid, ProcessState.SUCCESS, self.host_key.id)

    async def requeue(self, seconds: float) -> None:
        """Put the present process back to waiting; the same executor gets it again."""
        processid = self.processid
        serving = self.serving.pop(processid, None)
        if serving is None or self.server.records[processid].state is not ProcessState.RUNNING:
            return
        self.takes_work = False
        self.server.set_state(processid, ProcessState.WAITING)
        serving.cancel()
        await asyncio.sleep(seconds)
        self.takes_work = True
        self.server.change()

    async def kill_caller(self, seconds: float) -> None:
        """Kill the caller's program, and start it again."""
        await self.front.kill()
        await asyncio.sleep(seconds)
        self.front = FrontEnd(self)
