"""The process that a board shows in a pane of its own, after a click."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colony_jupyter.client.portal import PORTAL
from colony_jupyter.notebook.actions.process_feed import ProcessFeed

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.notebook.views.base import PaneCallbacks, View


def follow_in_board(
    make: Callable[[], AsyncProcess],
) -> tuple[str, PaneCallbacks, Callable[[View], None]]:
    """Begin to follow a process; see `BoardCallbacks.follow`.

    Args:
        make: returns the handle of the process; called on the loop.
    """

    async def start() -> ProcessFeed:
        feed = ProcessFeed(make())
        feed.start()
        return feed

    feed = PORTAL.run(start)
    record = feed.process.shared.watch.record
    return record.spec.funcname if record is not None else "", feed.callbacks(), feed.show_in
