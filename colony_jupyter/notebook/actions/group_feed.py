"""Feeds a board with a group of processes as it goes on."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.client.portal import PORTAL
from colony_jupyter.client.waiting import clause
from colony_jupyter.errors import ColonyError
from colony_jupyter.notebook.actions.followed import follow_in_board
from colony_jupyter.notebook.actions.processes import ExecutorNames
from colony_jupyter.notebook.model.group_board import Facts, GroupModel

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from colony_jupyter.client.groups.group import AsyncProcessGroup
    from colony_jupyter.notebook.model.board import Board
    from colony_jupyter.notebook.views.base import PaneCallbacks, View
    from colony_jupyter.notebook.views.board import BoardView

_ASK_AGAIN: Final = 3.0
"""Seconds after which it is asked again what waiting processes wait for."""
_NAMES: Final = 20
"""Executors whose names are asked for at most."""


class GroupFeed:
    """Follows a group on the loop until it is over, and what its board's buttons do. See `BoardCallbacks`.

    Args:
        group: the group.
    """

    def __init__(self, group: AsyncProcessGroup) -> None:
        self._group = group
        self._model = GroupModel(group.funcname, group.label, lambda: datetime.now(UTC))
        self._view: BoardView | None = None
        self._task: asyncio.Task[None] | None = None  # None while nothing is followed
        self._executors = ExecutorNames()
        self._waiting_for = ""
        self._asked = 0.0  # when it was asked what is waited for
        self._fault = ""

    # From any thread

    def call(self, name: str) -> None:
        """Cancel the group, or submit the failed processes again."""
        actions: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
            "cancel": self._group.cancel,
            "retry": self._group.retry_failed,
        }
        PORTAL.spawn(self._guarded, actions[name])

    def cancel(self, processid: str) -> None:
        """Cancel one process."""
        PORTAL.spawn(self._guarded, self._cancel, processid)

    def follow(self, processid: str) -> tuple[str, PaneCallbacks, Callable[[View], None]] | None:
        """Begin to follow one process."""
        member = next((each for each in self._group.tracker.members if _id(each) == processid), None)
        return None if member is None else follow_in_board(lambda: self._group.handle(member))

    def on_visible(self) -> None:
        """Do nothing: a group is followed until it is over."""

    # On the loop

    async def board(self) -> Board:
        """Return what is shown of the group now."""
        with contextlib.suppress(ColonyError):
            await self._group.refresh()
        await self._find_names()
        return self._drawn()

    def start(self, view: BoardView) -> None:
        """Begin to follow."""
        self._view = view
        view.on_close = lambda: PORTAL.call_soon(self.stop)
        self._resume()

    def stop(self) -> None:
        """End the following; the processes go on."""
        task, self._task, self._view = self._task, None, None
        if task is not None:
            task.cancel()

    async def wait(self) -> None:
        """Wait until the group is over and shown so."""
        try:
            if self._task is not None:
                await self._task
        finally:
            if self._view is not None:
                self._view.finish()

    def _resume(self) -> None:
        if self._view is not None and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        group, watch = self._group, self._group.watch
        is_refused = False
        try:
            async with watch.following():
                while True:
                    await self._find_names()
                    self._draw()
                    if group.is_over:
                        break
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_ASK_AGAIN):
                            await watch.change()
        except ColonyError as error:
            self._fault, is_refused = str(error), True
        self._waiting_for = ""
        await self._find_names()
        self._task = None
        if not group.is_over and not is_refused:  # submitted again since it was over
            self._resume()
        self._draw()
        if self._task is None and self._view is not None:
            self._view.finish()  # a notebook that is saved now has the end in it

    def _draw(self) -> None:
        if self._view is not None:
            self._view.update(self._drawn())

    def _drawn(self) -> Board:
        members = [
            Facts(member.columns, member.record, member.state)
            for member in self._group.tracker.members
            if member.record is not None
        ]
        return self._model.board(
            members,
            self._group.asked,
            executors=self._executors,
            is_followed=self._task is not None,
            waiting_for=self._waiting_for,
            trouble=self._fault or self._group.watch.trouble,
        )

    async def _find_names(self) -> None:
        """Find the names of executors, and what the processes wait for while none runs."""
        colony = self._group.colony
        records = [member.record for member in self._group.tracker.members if member.record is not None]
        wanted = {record.assignedexecutorid for record in records} - self._executors.keys() - {""}
        for executorid in sorted(wanted)[: max(0, _NAMES - len(self._executors))]:
            await self._executors.find(colony, executorid)
        counts = self._group.counts()
        waiting = next((each.record for each in self._group.tracker.open_members() if each.state == "WAITING"), None)
        now = asyncio.get_running_loop().time()
        if waiting is None or "RUNNING" in counts:
            self._waiting_for = ""
        elif now - self._asked >= _ASK_AGAIN:
            self._asked = now
            with contextlib.suppress(ColonyError):
                self._waiting_for = clause(await colony.explain_waiting(waiting))

    async def _cancel(self, processid: str) -> None:
        await self._group.colony.cancel(processid)
        await self._group.refresh()
        self._group.watch.wake()

    async def _guarded(self, work: Callable[..., Coroutine[Any, Any, object]], *args: Any) -> None:
        """Do what a button asks for, and show what it raises: no caller waits for it."""
        try:
            self._fault = ""
            await work(*args)
        except ColonyError as error:
            self._fault = str(error)
        if not self._group.is_over:
            self._resume()
        self._draw()


def _id(member: Any) -> str:
    return "" if member.record is None else str(member.record.processid)
