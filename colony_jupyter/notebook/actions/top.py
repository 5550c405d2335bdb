"""``%colony top``: the colony as a board, refreshed as long as it is visible."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from colony_jupyter.client.portal import PORTAL
from colony_jupyter.errors import ColonyError
from colony_jupyter.notebook.actions.followed import follow_in_board
from colony_jupyter.notebook.formats.board_text import as_text
from colony_jupyter.notebook.model.top_board import Facts, TopModel
from colony_jupyter.notebook.session.request import kernel_shell
from colony_jupyter.notebook.views.choose import open_board
from colony_jupyter.wire.limits import MAX_PROCESSES
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import TextIO

    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.notebook.model.board import Board
    from colony_jupyter.notebook.model.pane_model import Theme
    from colony_jupyter.notebook.views.base import PaneCallbacks, View
    from colony_jupyter.notebook.views.board import BoardView
    from colony_jupyter.wire.models import Function, ProcessRecord, Workflow

T = TypeVar("T")

INTERVAL: Final = 1.0
"""Seconds between two refreshes, at least; a page that shows the board asks every 1.5 s."""
_FUNCTIONS: Final = 5.0
"""Seconds after which functions are listed again."""
_FOLLOW: Final = 2.0
"""Seconds between two refreshes in a terminal."""
_CLOSED: Final = 5
_WAITING: Final = 30
"""Processes in a list."""
_WORKFLOWS: Final = 10
_CLEAR: Final = "\x1b[H\x1b[2J"


class TopFeed:
    """Asks the colony for what a board shows of it, and does what is clicked. See `BoardCallbacks`.

    Args:
        colony: the colony.
    """

    def __init__(self, colony: AsyncColony) -> None:
        self._colony = colony
        self._model = TopModel(f"colony {colony.colonyname}")
        self._view: BoardView | None = None
        self._facts: Facts | None = None  # None before the first refresh
        self._refreshed = float("-inf")
        self._refreshing = False
        self._functions: list[Function] = []
        self._listed = float("-inf")  # when functions were listed
        self._closed: tuple[int, list[ProcessRecord]] = (-1, [])  # number of closed ones, and the last of them
        self._fault = ""

    # From any thread

    def show_in(self, view: BoardView) -> None:
        """Show it in a view."""
        self._view = view

    def call(self, name: str) -> None:
        """Do nothing: the board has no buttons of its own."""

    def cancel(self, processid: str) -> None:
        """Cancel a process."""
        PORTAL.spawn(self._cancel, processid)

    def follow(self, processid: str) -> tuple[str, PaneCallbacks, Callable[[View], None]] | None:
        """Begin to follow a process."""
        facts = self._facts
        records = () if facts is None else (*facts.waiting, *facts.running, *facts.closed)
        record = next((each for each in records if each.processid == processid), None)

        def handle() -> AsyncProcess:
            process = self._colony.handle(processid)
            if record is not None:
                process.shared.learn(record)
            return process

        return None if record is None else follow_in_board(handle)

    def on_visible(self) -> None:
        """Refresh the board, if it is time to."""
        PORTAL.spawn(self._refresh)

    # On the loop

    async def board(self) -> Board:
        """Ask for everything, and return the board of it.

        Raises:
            ColonyError: if the server refuses, or does not answer.
        """
        self._facts = await self._ask()
        return self._model.board(self._facts, datetime.now(UTC))

    async def _refresh(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._refreshing or now - self._refreshed < INTERVAL or self._view is None or self._view.is_closed:
            return
        self._refreshing = True
        try:
            board = await self.board()
        except ColonyError as error:
            if self._facts is None:
                return
            board = self._model.board(self._facts._replace(trouble=str(error)), datetime.now(UTC))
        finally:
            self._refreshing = False
            self._refreshed = asyncio.get_running_loop().time()
        self._view.update(board)

    async def _cancel(self, processid: str) -> None:
        try:
            self._fault = ""
            await self._colony.cancel(processid)
        except ColonyError as error:
            self._fault = str(error)
        self._refreshed = float("-inf")
        await self._refresh()

    async def _ask(self) -> Facts:
        colony = self._colony
        statistics = await colony.statistics()
        closed = statistics.successfulprocesses + statistics.failedprocesses + statistics.cancelledprocesses
        now = asyncio.get_running_loop().time()
        if now - self._listed >= _FUNCTIONS:
            self._functions, self._listed = list(await colony.functions()), now
        if closed != self._closed[0]:
            lists = [await colony.list_processes(state, count=_CLOSED) for state in ProcessState if state.is_closed]
            self._closed = closed, [record for each in lists for record in each]
        return Facts(
            statistics,
            executors=await colony.executors(),
            functions=self._functions,
            waiting=await self._listing(ProcessState.WAITING, min(statistics.waitingprocesses, _WAITING)),
            running=await self._listing(ProcessState.RUNNING, min(statistics.runningprocesses, MAX_PROCESSES)),
            closed=self._closed[1],
            workflows=[
                *await self._flows(ProcessState.RUNNING, statistics.runningworkflows),
                *await self._flows(ProcessState.WAITING, statistics.waitingworkflows),
            ],
            trouble=self._fault,
        )

    async def _listing(self, state: ProcessState, count: int) -> list[ProcessRecord]:
        return await self._colony.list_processes(state, count=count) if count else []

    async def _flows(self, state: ProcessState, count: int) -> list[Workflow]:
        return list(await self._colony.workflows(state, count=_WORKFLOWS)) if count else []


def show(
    run: Callable[[Callable[[], Coroutine[object, object, Board]]], Board],
    colony: AsyncColony,
    out: TextIO,
    *,
    follow: bool,
    theme: Theme,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Show the colony in the current cell: live, or in a headless run as it is now. In a terminal as text.

    Args:
        run: runs a coroutine function on the loop and waits for it.
        colony: the colony.
        out: where text is written.
        follow: whether text is written again every two seconds, until an interrupt.
        theme: of a board.
        sleep: waits for so many seconds.
    """
    feed = TopFeed(colony)
    board = run(feed.board)
    if kernel_shell() is not None:
        feed.show_in(open_board(board, feed, while_visible=True, theme=theme))
        return
    clear = _CLEAR if follow and out.isatty() else ""
    out.write(f"{clear}{as_text(board)}\n")
    try:
        while follow:
            sleep(_FOLLOW)
            out.write(f"{clear}\n{as_text(run(feed.board))}\n")
            out.flush()
    except KeyboardInterrupt:  # the way to end it
        return
