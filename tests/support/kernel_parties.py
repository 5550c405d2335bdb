"""Both sides of a kernel in one program: a host on an executor of its own, and a caller; the kernel itself is real."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from typing import TYPE_CHECKING, Any

from parties import reach
from servers import own

from colony_jupyter import AsyncColony
from colony_jupyter.errors import ColonyError
from colony_jupyter.executor.callers.environment import without_keys
from colony_jupyter.kernels.events import Target
from colony_jupyter.kernels.host.host import Host
from colony_jupyter.kernels.remote import RemoteKernel
from colony_jupyter.wire.identity import PrivateKey

if TYPE_CHECKING:
    from colony_jupyter.client.process import AsyncProcess


class MiniExecutor:
    """An executor that has the function of kernels only."""

    def __init__(self, colony: AsyncColony, name: str, **options: Any) -> None:
        self.colony = colony
        self.name = name
        self.host = Host(lambda: without_keys(os.environ), lambda: name, **options)
        self.serving: dict[str, asyncio.Task[None]] = {}
        self.failures: dict[str, str] = {}
        self._assigning: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._assigning = asyncio.create_task(self._assign())

    def stop_asking(self) -> None:
        """Ask for no more work, as an executor does whose places are all taken."""
        assert self._assigning is not None
        self._assigning.cancel()

    async def _assign(self) -> None:
        while True:
            try:
                process = await self.colony.assign(2)
            except ColonyError:
                await asyncio.sleep(0.2)
                continue
            if process is not None:
                self.serving[process.processid] = asyncio.create_task(self._serve(process))

    async def _serve(self, process: AsyncProcess) -> None:
        async with process.shared.watch.following():
            try:
                await self.host.serve(process)
            except ColonyError as error:
                self.failures[process.processid] = str(error)
                with contextlib.suppress(ColonyError):
                    await self.colony.fail(process, [str(error)])
            else:
                with contextlib.suppress(ColonyError):
                    await self.colony.close(process)

    async def aclose(self) -> None:
        tasks = [*self.serving.values(), *([self._assigning] if self._assigning else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.host.aclose()


@contextlib.asynccontextmanager
async def parties(server, *, caller_port=None, executor_port=None, caller_limits=None, start=True, **options):
    """A kernel that has started: the caller's handle, the executor and the caller's colony."""
    key = PrivateKey.generate(random.randbytes)
    name = own(f"kernels-{key.id[:8]}")
    async with (
        AsyncColony(reach(server)) as direct,
        AsyncColony(reach(server, caller_port)) as user,
        AsyncColony(reach(server, executor_port), prvkey=key) as colony,
    ):
        await direct.add_executor(name, key.id, name)
        await direct.approve_executor(name)
        executor = MiniExecutor(colony, name, **options)
        executor.start()
        kernel = RemoteKernel(user, Target(name), limits=caller_limits)
        try:
            if start:
                await kernel.start()
            yield kernel, executor, user
        finally:
            await kernel.shut_down()
            await executor.aclose()


async def run(kernel: RemoteKernel, code: str, seconds: float = 40.0) -> str:
    """Run code; what it printed. An error raises."""
    texts: list[str] = []
    async with asyncio.timeout(seconds):
        reply = await kernel.execute(code, lambda message: texts.append(message.content.get("text", "")))
    if reply.content["status"] != "ok":
        raise RuntimeError(f"{reply.content.get('ename')}: {reply.content.get('evalue')}")
    return "".join(texts)
