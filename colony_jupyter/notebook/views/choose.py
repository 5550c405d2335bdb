"""Opens the view that fits where this runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colony_jupyter.notebook.session.request import current_request, is_headless, kernel_shell
from colony_jupyter.notebook.views import missing
from colony_jupyter.notebook.views.base import PaneCallbacks

if TYPE_CHECKING:
    from colony_jupyter.notebook.model.board import Board
    from colony_jupyter.notebook.model.pane_model import Kind, Theme
    from colony_jupyter.notebook.views.base import View
    from colony_jupyter.notebook.views.board import BoardCallbacks, BoardView
    from colony_jupyter.notebook.views.pane import Pane


def open_view(title: str, *, kind: Kind = "log", callbacks: PaneCallbacks | None = None, theme: Theme = "auto") -> View:
    """Open the view that fits where this runs, and show it in the current cell.

    Args:
        title: name of the function.
        kind: ``"log"``, ``"chat"``, ``"plot"`` or ``"workflow"``.
        callbacks: what the pane's controls do; without it there are none.
        theme: of a pane: ``"auto"`` for the page's own, else ``"light"`` or ``"dark"``.

    Returns:
        A `colony_jupyter.notebook.views.pane.Pane` in a notebook that a person uses, a
        `colony_jupyter.notebook.views.transcript.TranscriptView` in a kernel whose request allows no standard input
        (no person is there) or that has no widgets, else a `colony_jupyter.notebook.views.terminal.TextView`.
    """
    callbacks = callbacks or PaneCallbacks()
    shell = kernel_shell()
    if shell is None:
        return open_text(title, kind=kind)
    if not is_headless():
        try:
            from colony_jupyter.notebook.views.pane import Pane  # noqa: PLC0415 - widgets cost 70 ms
        except ImportError:
            _state_missing(kind)
        else:
            pane = Pane(title, kind=kind, callbacks=callbacks, theme=theme)
            pane.show()
            return pane
    from colony_jupyter.notebook.views.transcript import TranscriptView  # noqa: PLC0415 - as above

    view = TranscriptView(title, kind=kind)
    view.show()
    return view


def make_pane(title: str, callbacks: PaneCallbacks, theme: Theme) -> Pane:
    """Make a pane that another pane shows within itself: it is no output of the cell and has no transcript.

    Args:
        title: name of the function.
        callbacks: what its controls do.
        theme: as for `open_view`.
    """
    from colony_jupyter.notebook.views.pane import Pane  # noqa: PLC0415 - as above

    return Pane(title, callbacks=callbacks, theme=theme)


def open_board(
    board: Board, callbacks: BoardCallbacks, *, while_visible: bool = False, theme: Theme = "auto"
) -> BoardView:
    """Open the view of a board that fits where this runs, and show it in the current cell.

    Args:
        board: what is shown first.
        callbacks: what its controls do.
        while_visible: whether it is refreshed only while it is visible.
        theme: as for `open_view`.
    """
    from colony_jupyter.notebook.views.board import BoardPane, BoardView  # noqa: PLC0415 - only the view that is needed

    if not is_headless():
        try:
            pane = BoardPane(board, callbacks, while_visible=while_visible, theme=theme)
        except ImportError:
            _state_missing("board")
        else:
            pane.show()
            return pane
    view = BoardView(board)
    view.show()
    return view


def open_text(title: str, *, kind: Kind = "chat") -> View:
    """Open a view that writes lines of text, wherever this runs.

    Args:
        title: name of the function.
        kind: ``"log"`` or ``"chat"``.
    """
    from colony_jupyter.notebook.views.terminal import TextView  # noqa: PLC0415 - only the view that is needed

    return TextView(title, kind=kind)


def _state_missing(kind: str) -> None:
    """State in the current cell that the kernel cannot make a pane, where a page could show one."""
    from IPython.display import display  # noqa: PLC0415 - only a notebook has it

    request = current_request()
    # Notebooks name the cell; consoles, which show no widgets, name none.
    if not request.get("metadata", {}).get("cellId"):
        return
    data = missing.SHARED.bundle(missing.NO_MODULE, kind, request)
    if data != missing.NOTHING:
        display(data, raw=True)  # type: ignore[no-untyped-call]
