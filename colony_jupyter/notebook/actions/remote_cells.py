"""Cells that run in a kernel on an executor: finds or starts the kernel, runs code, moves variables."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.errors import ColonyError, RemoteCellFailed, UsageError
from colony_jupyter.executor import registry
from colony_jupyter.kernels import listing, names
from colony_jupyter.kernels.events import KernelGone, Target
from colony_jupyter.kernels.kernelspec import trusted_ids
from colony_jupyter.kernels.remote import RemoteKernel
from colony_jupyter.kernels.values import Values
from colony_jupyter.notebook.formats.tables import Cell, Table
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.kernels.remote import Message

_COMPLETE_SECONDS: Final = 8.0
"""Seconds for the remote kernel to complete; the first time, it reads all that it has imported."""
_INSPECT_SECONDS: Final = 3.0
"""Seconds for the remote kernel to describe an object; it cannot while a cell runs there."""


class CellKernel:
    """One kernel of this notebook's.

    Args:
        kernel: the kernel, which has started.
        values: its variables.
        trusted: ids of the executors whose output may hold markup and scripts; None for any.
    """

    def __init__(self, kernel: RemoteKernel, values: Values, *, trusted: Collection[str] | None) -> None:
        self.kernel = kernel
        self.values = values
        self._trusted = trusted

    @property
    def is_trusted(self) -> bool:
        """Whether what it displays may hold markup and scripts; what an executor states of itself does not count."""
        return self._trusted is None or self.kernel.executorid in self._trusted

    @property
    def executorname(self) -> str:
        """Name of its executor."""
        return self.kernel.about.executorname if self.kernel.about is not None else ""


class RemoteCells:
    """The kernels on executors that this notebook uses, by type and names of executors; on the client's loop."""

    def __init__(self) -> None:
        self._kernels: dict[tuple[str, tuple[str, ...]], CellKernel] = {}
        self._latest: tuple[str, tuple[str, ...]] | None = None
        self._turn = asyncio.Lock()
        self.on_message: Callable[[CellKernel, Message], None] = lambda *_: None
        """Called with what a kernel sends outside of cells."""

    @property
    def latest(self) -> CellKernel | None:
        """The kernel that was used last, if it runs."""
        chosen = self._kernels.get(self._latest) if self._latest is not None else None
        return chosen if chosen is not None and chosen.kernel.gone is None else None

    async def choose(
        self,
        colony: AsyncColony,
        executortype: str,
        executornames: Sequence[str],
        waiting: Callable[[str], None],
        *,
        new: bool = False,
        attach: str = "",
    ) -> CellKernel:
        """Return the kernel to use: this notebook's, else one of the same user that runs, else a new one.

        Args:
            colony: the colony.
            executortype: type of executor; empty for the kernel that was used last, or the only type with kernels.
            executornames: only these executors.
            waiting: called with sentences about what is waited for.
            new: whether a new one is started in any case.
            attach: the process of the kernel to attach to, or the beginning of its id; empty to choose.

        Raises:
            KernelGone: if it cannot be started.
            UsageError: if executors of several types run kernels, or none.
        """
        async with self._turn:
            await colony.connect()
            process = await listing.find(colony, attach) if attach else None
            if process is not None:
                executortype, executornames = process.spec.conditions.executortype, ()
            elif not executortype and not executornames and self._latest is not None:
                executortype, executornames = self._latest
            else:
                executortype = executortype or await colony.type_offering(names.FUNCTION)
            key = (executortype, tuple(executornames))
            chosen = self._kernels.get(key)
            if chosen is None or chosen.kernel.gone is not None or new or process is not None:
                if chosen is not None:
                    await self._leave(chosen)
                if process is None and not new:
                    process = await self._running(colony, executortype, executornames)
                chosen = self._kernels[key] = await self._open(colony, key, process, waiting)
            self._latest = key
            return chosen

    async def _open(
        self,
        colony: AsyncColony,
        key: tuple[str, tuple[str, ...]],
        process: AsyncProcess | None,
        waiting: Callable[[str], None],
    ) -> CellKernel:
        executortype, executornames = key
        trusted = trusted_ids(executortype)
        target = Target(executortype, executornames, trusted=trusted, is_shared=True)
        kernel = RemoteKernel(colony, target, on_waiting=waiting)
        try:
            await kernel.start(process.processid if process is not None else "")
        except BaseException:
            await (kernel.detach() if process is not None else kernel.shut_down())
            raise
        ours = {executor.executorid for executor in registry.running() if executor.executorid is not None}
        chosen = CellKernel(kernel, Values(kernel), trusted=None if colony.settings.is_embedded else {*trusted, *ours})
        kernel.on_message = lambda message: self._hear(chosen, message)
        return chosen

    def _hear(self, chosen: CellKernel, message: Message) -> None:
        if not chosen.values.hear(message):
            self.on_message(chosen, message)

    async def _running(
        self, colony: AsyncColony, executortype: str, executornames: Sequence[str]
    ) -> AsyncProcess | None:
        """Return the newest process of the user that carries a kernel for cells on such an executor."""
        found = await colony.processes(ProcessState.RUNNING, executortype=executortype, label=names.FUNCTION)
        wanted = None
        if executornames:
            wanted = {each.executorid for each in await colony.executors() if each.executorname in executornames}
        ours = [
            each
            for each in found
            if each.initiatorid == colony.userid
            and each.spec.kwargs.get(names.SHARED)
            and (wanted is None or each.record.assignedexecutorid in wanted)
        ]
        return max(ours, key=lambda each: each.record.submissiontime, default=None)

    async def run(
        self, chosen: CellKernel, code: str, output: Callable[[Message], None], ask: Callable[[str, bool], str] | None
    ) -> None:
        """Run a cell; returns once all of its output has come.

        Raises:
            RemoteCellFailed: if the cell raises.
            KernelGone: if the kernel ends.
        """
        reply = (await chosen.kernel.execute(code, output, ask=ask)).content
        if reply.get("status") != "ok":
            lines = [str(line) for line in reply.get("traceback") or []]
            raise RemoteCellFailed(
                str(reply.get("ename", "aborted")), str(reply.get("evalue", "")), chosen.executorname, lines
            )

    async def complete(self, code: str, position: int) -> tuple[list[str], int]:
        """Return what may replace the text before a position, and how many characters it replaces."""
        chosen = self.latest
        if chosen is None:
            return [], 0
        with contextlib.suppress(TimeoutError, KernelGone):
            async with asyncio.timeout(_COMPLETE_SECONDS):
                content = {"code": code, "cursor_pos": position}
                reply = (await chosen.kernel.request("complete_request", content)).content
                if reply.get("status") == "ok":  # else it was aborted with the cell before it
                    length = int(reply.get("cursor_end", 0)) - int(reply.get("cursor_start", 0))
                    return [str(word) for word in reply.get("matches", ())], max(0, min(length, position))
        return [], 0

    async def inspect(self, code: str, position: int, detail: int) -> dict[str, Any]:
        """Return the content of the reply of the kernel that describes the object at a position of code."""
        chosen, reply = self.latest, {}
        if chosen is not None:
            with contextlib.suppress(TimeoutError, KernelGone):
                async with asyncio.timeout(_INSPECT_SECONDS):
                    content = {"code": code, "cursor_pos": position, "detail_level": detail}
                    reply = (await chosen.kernel.request("inspect_request", content)).content
        if chosen is None or reply.get("status") != "ok":  # it may have been aborted with the cell before it
            return {"status": "ok", "found": False, "data": {}, "metadata": {}}
        data = reply.get("data", {})
        if not chosen.is_trusted:
            data = {kind: text for kind, text in data.items() if kind == "text/plain"}
        return {**reply, "data": data}

    async def stop(self, colony: AsyncColony, processid: str) -> str:
        """End a kernel; returns a sentence."""
        process = await listing.find(colony, processid)
        for chosen in tuple(self._kernels.values()):
            if chosen.kernel.processid == process.processid and chosen.kernel.gone is None:
                await chosen.kernel.shut_down()
                break
        else:
            await process.cancel()
        return f"The kernel of process {process.processid[:8]} was ended."

    async def aclose(self) -> None:
        """Leave all kernels; they stay on their executors."""
        for chosen in tuple(self._kernels.values()):
            with contextlib.suppress(ColonyError):
                await self._leave(chosen)
        self._kernels.clear()

    async def _leave(self, chosen: CellKernel) -> None:
        if chosen.kernel.gone is None:
            await chosen.kernel.detach()


async def table(colony: AsyncColony) -> Table:
    """List the kernels of the colony."""
    records = await listing.kernels(colony)
    rows = [listing.kernel_row(record) for record in records]
    head = list(listing.COLUMNS)
    return Table(head, [[Cell(str(row[name])) for name in head] for row in rows], "No kernel runs.", records)


def check_names(given: Sequence[str]) -> list[str]:
    """Return names of variables as they were typed, with or without a dollar.

    Raises:
        UsageError: for what is no name.
    """
    found = [name.removeprefix("$") for name in map(str, given)]
    for name in found:
        if not name.isidentifier():
            raise UsageError(f"'{name}' is no name of a variable.")
    return found


def lookup(name: str, variables: Any) -> Any:
    """Return the value of a variable of the notebook.

    Raises:
        UsageError: if there is none.
    """
    try:
        return variables[name]
    except KeyError:
        raise UsageError(f"There is no variable '{name}' in this notebook.") from None
