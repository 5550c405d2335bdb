"""How a group of processes shows as the value of a cell: as a live board, as a transcript, or as text in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.notebook.session.request import is_headless, kernel_shell

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.client.blocking import ProcessGroup
    from colony_jupyter.notebook.model.pane_model import Theme

GROUP: Final = ("colony_jupyter.client.blocking.group", "ProcessGroup")
"""Module and name of the type; by names, since ``%load_ext`` need not import it."""


def register(formatter: Any, theme: Callable[[], Theme]) -> None:
    """Register groups with IPython's display formatter; ``unregister`` undoes it.

    Args:
        formatter: the formatter.
        theme: returns the theme of boards that are opened.
    """

    def display(group: ProcessGroup) -> None:
        if kernel_shell() is None:
            raise NotImplementedError  # the text below is shown
        show(group, theme())

    formatter.ipython_display_formatter.for_type_by_name(*GROUP, display)
    formatter.formatters["text/plain"].for_type_by_name(*GROUP, _print)


def unregister(formatter: Any) -> None:
    """Restore how they were shown before."""
    for each in (formatter.ipython_display_formatter, formatter.formatters["text/plain"]):
        each.pop(".".join(GROUP), None)


def show(group: ProcessGroup, theme: Theme = "auto") -> None:
    """Show a group in the cell that runs now; in a headless run, until its end."""
    from colony_jupyter.notebook.actions.group_feed import GroupFeed  # noqa: PLC0415 - most notebooks have no groups
    from colony_jupyter.notebook.views.choose import open_board  # noqa: PLC0415 - likewise

    feed = GroupFeed(group.asynchronous)
    view = open_board(group.portal.run(feed.board), feed, theme=theme)

    async def start() -> None:
        feed.start(view)

    group.portal.run(start)
    if is_headless():
        group.portal.run(feed.wait)


def _print(group: ProcessGroup, printer: Any, _cycle: bool) -> None:  # noqa: FBT001 - IPython passes it so
    if len(printer.stack) > 1:
        printer.text(repr(group))
        return
    from colony_jupyter.notebook.actions.group_feed import GroupFeed  # noqa: PLC0415 - as above
    from colony_jupyter.notebook.formats.board_text import as_text  # noqa: PLC0415 - as above

    printer.text(as_text(group.portal.run(GroupFeed(group.asynchronous).board)))
