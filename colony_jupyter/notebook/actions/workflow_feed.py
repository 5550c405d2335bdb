"""Feeds a view with a workflow as it goes on, and opens panes for single members."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from colony_jupyter.client.portal import PORTAL
from colony_jupyter.client.waiting import clause
from colony_jupyter.errors import ColonyError
from colony_jupyter.notebook.actions.process_feed import ProcessFeed
from colony_jupyter.notebook.actions.processes import ExecutorNames, stranger
from colony_jupyter.notebook.model.changes import ConnectionChange, Fault, MemberPane, Note, WorkflowChange, WriteAccess
from colony_jupyter.notebook.views import choose
from colony_jupyter.notebook.views.base import PaneCallbacks, watch_to_end
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from colony_jupyter.client.workflows.run import AsyncWorkflowRun
    from colony_jupyter.notebook.model.pane_model import Theme
    from colony_jupyter.notebook.views.base import View
    from colony_jupyter.notebook.views.pane import Pane

_ASK_AGAIN: Final = 3.0
"""Seconds after which it is asked again what a waiting workflow waits for."""


class WorkflowFeed:
    """Follows a workflow on the loop until all of it has ended, or until it is shown nowhere.

    What happens to the workflow is shown, never raised.

    Args:
        run: the workflow.
        theme: of the panes of its members.
    """

    def __init__(self, run: AsyncWorkflowRun, theme: Theme = "auto") -> None:
        self.run = run
        self._theme: Theme = theme
        self._view: View | None = None  # None while it is shown nowhere
        self._opened: tuple[Pane, ProcessFeed] | None = None  # the member that is shown in a pane of its own
        self._main: asyncio.Task[None] | None = None  # None before the start
        self._soon = asyncio.Event()
        self._executors = ExecutorNames()
        self._waiting_for = ""
        self._explained = float("-inf")

    # From any thread

    def callbacks(self) -> PaneCallbacks:
        """Return what the controls of its pane do: they only enqueue."""
        return PaneCallbacks(on_cancel=self.enqueue_cancel, on_open=self.open_member)

    def enqueue_cancel(self) -> None:
        """Cancel the whole workflow."""
        PORTAL.spawn(self._guarded, self._cancel())

    def open_member(self, processid: str) -> None:
        """Show a member in a pane within that of the workflow, in place of another one; none for an empty id."""
        self._close_member()
        view = self._view
        if view is None:
            return
        member = next((each for each in self.run.members if each.processid == processid), None)
        if member is None:
            view.feed(MemberPane())
            return
        feed = ProcessFeed(member, [] if (why_not := stranger(member)) else None, log=True)
        pane = choose.make_pane(member.funcname, feed.callbacks(), self._theme)
        self._opened = pane, feed
        if why_not:
            pane.feed(WriteAccess(allowed=False))
            pane.feed(Note(why_not))
        PORTAL.spawn(_follow_member, feed, pane)
        view.feed(MemberPane(processid, pane.widget.model_id))

    def enqueue_stop(self) -> None:
        """Stop following; the workflow goes on."""
        PORTAL.call_soon(self.stop)
        self._close_member()

    def show_in(self, view: View) -> None:
        """Show what happens from now on in a view."""

        async def turn() -> None:
            view.on_close = self.enqueue_stop
            self._view = view
            self._main = asyncio.create_task(self._guarded(self._follow()))

        PORTAL.run(turn)

    # On the loop

    async def follow_to_end(self) -> None:
        """Wait until everything was shown; then the view is finished. To cancel this stops the following."""
        if self._main is not None:
            await watch_to_end(self._main, lambda: self._view, "workflow")

    async def follow_to_success(self) -> None:
        """Follow the workflow to its end, and raise what it ended with, if not success.

        Raises:
            WorkflowFailed, WorkflowCancelled, WorkflowNotFound: as it ended.
        """
        await self.follow_to_end()
        await self.run.wait()
        self.run.raise_unless_successful()

    def stop(self) -> None:
        """Stop following; the workflow goes on."""
        if self._main is not None:
            self._main.cancel()

    async def _follow(self) -> None:
        async with self.run.following():
            while True:
                pause = await self.run.poll()
                if self._view is not None:
                    self._view.feed(ConnectionChange("resuming" if self.run.unanswered else "open"))
                await self._find_words()
                self._show()
                if self.run.is_over:
                    break
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._soon.wait()
                self._soon.clear()
            if self._view is not None:
                self._view.feed(ConnectionChange("ended"))

    async def _find_words(self) -> None:
        """Find out what a waiting workflow waits for, and the names of executors."""
        members = self.run.members
        for executorid in {each.assignedexecutorid for each in members} - self._executors.keys() - {""}:
            await self._executors.find(self.run.colony, executorid)
        if self.run.state is not ProcessState.WAITING:
            self._waiting_for = ""
            return
        now = asyncio.get_running_loop().time()
        first = next((each for each in members if not each.waitforparents), None)
        if first is not None and now - self._explained >= _ASK_AGAIN:
            self._explained = now
            self._waiting_for = clause(await self.run.colony.explain_waiting(first.record))

    def _show(self) -> None:
        if self._view is not None:
            members = [member.record for member in self.run.members]
            self._view.feed(WorkflowChange(self.run.record, members, dict(self._executors), self._waiting_for))

    async def _cancel(self) -> None:
        await self.run.cancel()
        self._soon.set()

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """Show what work on the loop raises: no caller waits for it."""
        try:
            await work
        except ColonyError as error:
            if self._view is not None:
                self._view.feed(Fault(str(error)))

    def _close_member(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            pane, feed = opened
            pane.close()
            feed.enqueue_stop()


async def _follow_member(feed: ProcessFeed, pane: Pane) -> None:
    feed.start()
    feed.turn_to(pane)
    await feed.follow_to_end()
