"""The commands of ``%colony`` about kernels on executors: they read the line and call actions."""

from __future__ import annotations

import asyncio
import queue
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.errors import UsageError
from colony_jupyter.notebook import actions
from colony_jupyter.notebook.session.request import is_headless

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping

    from colony_jupyter.kernels.remote import Message
    from colony_jupyter.notebook.actions.remote_cells import CellKernel, RemoteCells
    from colony_jupyter.notebook.actions.remote_output import Display
    from colony_jupyter.notebook.session.session import Session

_LARGE: Final = 1_000_000
"""Bytes of a variable beyond which a bar shows its progress."""
_NOTE_AFTER: Final = 1.5
"""Seconds after which the cell shows what is waited for."""


class KernelCommands:
    """Commands about kernels; part of `ColonyMagics`."""

    shell: Any
    session: Session
    goes_on: str

    _cells: RemoteCells | None = None  # None before the first of these commands
    _display: Display | None = None

    def _remote(self) -> RemoteCells:
        if self._cells is None:
            cells = self._cells = actions.remote_cells.RemoteCells()
            self.session.closers.append(cells.aclose)
            display = self._shown()
            cells.on_message = lambda chosen, message: (
                display.comm(chosen, message) if message.msg_type.startswith("comm_") else None
            )
        return self._cells

    def _shown(self) -> Display:
        if self._display is None:
            self._display = actions.remote_output.Display(self.shell)
        return self._display

    def _run(self, found: Namespace, names: Mapping[str, Any], cell: str) -> None:
        _ = names
        if not cell.strip():
            raise UsageError("The cell is empty: write the code to run below the %%colony run line.")
        chosen = self._kernel(found)
        cells, display = self._remote(), self._shown()
        display.begin()
        arrived: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

        def ask(prompt: str, is_secret: bool) -> str:  # noqa: FBT001 - as the kernel calls it
            question = actions.remote_output.Question(prompt, is_secret=is_secret, cell=running)
            arrived.put(question.put)
            return question.answer()

        def interrupt() -> bool:
            self.session.start(_interrupt, chosen)
            return True

        def show(message: Message) -> None:
            arrived.put(lambda: display.show(chosen, message))

        def begin() -> None:
            self.session.begin(running, cells.run, chosen, cell, show, None if is_headless() else ask)

        running: Future[None] = Future()
        self.goes_on = ""
        actions.remote_output.show_until(running, begin, arrived, interrupt)
        running.result()

    def _push(self, found: Namespace, names: Mapping[str, Any]) -> None:
        wanted = actions.remote_cells.check_names(found.name)
        values = {name: actions.remote_cells.lookup(name, names) for name in wanted}
        chosen = self._kernel(found)
        for name, held in values.items():
            self.session.run(chosen.values.push, name, held, _bar(f"{name} to {chosen.executorname}"))

    def _pull(self, found: Namespace, names: Mapping[str, Any]) -> None:
        _ = names
        wanted = actions.remote_cells.check_names(found.name)
        chosen = self._kernel(found)
        for name in wanted:
            bar = _bar(f"{name} from {chosen.executorname}")
            self.shell.user_ns[name] = self.session.run(chosen.values.pull, name, bar)

    def _kernels(self, found: Namespace, names: Mapping[str, Any]) -> object:
        _ = names
        colony = self.session.colony
        if found.stop:
            print(self.session.run(self._remote().stop, colony, found.stop))  # noqa: T201 - its answer
            return None
        if found.attach or found.new:
            chosen = self._kernel(found, attach=found.attach, new=found.new)
            print(  # noqa: T201 - its answer
                f"%%colony run uses the kernel of process {chosen.kernel.processid[:8]} on '{chosen.executorname}' now."
            )
            return None
        return self.session.run(actions.remote_cells.table, colony)

    def complete_remotely(self, code: str, position: int) -> tuple[list[str], int]:
        """Complete code of a ``%%colony run`` cell in its kernel, if one was used."""
        if self._cells is None:
            return [], 0
        return self.session.run(self._cells.complete, code, position)

    def inspect_remotely(self, code: str, position: int, detail: int) -> dict[str, Any]:
        """Describe the object at a position of a ``%%colony run`` cell, in its kernel; see `Inspector`."""
        if self._cells is None:
            return {"status": "ok", "found": False, "data": {}, "metadata": {}}
        return self.session.run(self._cells.inspect, code, position, detail)

    def _kernel(self, found: Namespace, *, attach: str | None = None, new: bool = False) -> CellKernel:
        """Return the kernel that a line means; what is waited for meanwhile is shown."""
        arrived: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        cells, colony = self._remote(), self.session.colony

        def waiting(sentence: str) -> None:
            def show() -> None:
                if not opening.done():
                    arrived.put(lambda: print(sentence))  # noqa: T201 - printed by the cell's thread

            asyncio.get_running_loop().call_later(_NOTE_AFTER, show)

        async def find() -> CellKernel:
            executors = found.executor or ()
            return await cells.choose(colony, found.type or "", executors, waiting, new=new, attach=attach or "")

        opening: Future[CellKernel] = Future()
        self.goes_on = "No kernel was started."
        actions.remote_output.show_until(opening, lambda: self.session.begin(opening, find), arrived, lambda: False)
        return opening.result()


async def _interrupt(chosen: CellKernel) -> None:
    chosen.kernel.interrupt()


def _bar(what: str) -> Callable[[int, int], None]:
    """Return what shows the progress of a variable of more than 1 MB."""
    import tqdm.auto  # noqa: PLC0415 - rarely needed

    make: Any = tqdm.auto.tqdm
    bars: list[Any] = []

    def progress(received: int, size: int) -> None:
        if size <= _LARGE:
            return
        if not bars:
            bars.append(make(total=size, unit="B", unit_scale=True, desc=what))
        bars[0].update(received - bars[0].n)
        if received >= size:
            bars[0].close()

    return progress
