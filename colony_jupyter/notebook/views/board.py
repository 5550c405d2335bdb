"""Views of boards: a live widget in a notebook, or the transcript alone where no person is there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from colony_jupyter.notebook.formats.board_text import bundle
from colony_jupyter.notebook.session import cells
from colony_jupyter.notebook.session.request import current_request
from colony_jupyter.notebook.views.base import RefreshedView
from colony_jupyter.notebook.views.codec import message
from colony_jupyter.notebook.views.refresh_thread import SHARED, RefreshThread
from colony_jupyter.notebook.views.transcript import TranscriptOutput

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.notebook.model.board import Board
    from colony_jupyter.notebook.model.pane_model import Theme
    from colony_jupyter.notebook.views.base import PaneCallbacks, View


class BoardCallbacks(Protocol):
    """What a board calls when it is used, from whatever thread widgets use. What they raise is shown in the board."""

    def call(self, name: str) -> None:
        """Do what a button is for; only enqueues."""

    def cancel(self, processid: str) -> None:
        """Cancel a process; only enqueues."""

    def follow(self, processid: str) -> tuple[str, PaneCallbacks, Callable[[View], None]] | None:
        """Begin to follow a process.

        Returns:
            The title of its pane, what the pane calls, and what shows the process in it. None for an unknown process.
        """

    def on_visible(self) -> None:
        """Note that the board is visible now; only enqueues."""


class BoardView(RefreshedView):
    """What the views of a board have in common. Every method may be called from any thread and returns at once.

    Args:
        board: what is shown first.
        now: the clock, in Unix seconds.
        refresh_thread: the thread that writes.
        publish: `IPython.display.display`, or what stands in for it.
    """

    def __init__(
        self,
        board: Board,
        *,
        now: Callable[[], float] = time.time,
        refresh_thread: RefreshThread = SHARED,
        publish: Callable[..., None] | None = None,
    ) -> None:
        super().__init__(refresh_thread)
        self.board = board
        self._now = now
        self._is_new = False  # whether the board was not sent yet
        self._is_written = True  # whether the transcript shows the board
        self._transcript = TranscriptOutput(publish)

    @property
    def is_closed(self) -> bool:
        """Whether nothing is shown any more."""
        return self._closed

    def show(self) -> None:
        """Show it in the cell that runs now."""
        self._transcript.show(bundle(self.board, self._now()))

    def update(self, board: Board) -> None:
        """Show another state."""
        if self._closed:
            return
        self.board = board
        self._is_new, self._is_written = True, False
        self._refresh_thread.wake(self)

    def close(self) -> None:
        """Let go of everything; the view shows nothing new after this."""
        super().close()
        self._transcript.close()

    def _write(self, *, final: bool) -> float | None:
        if self._is_new:
            self._is_new = False
            self._send(self.board)
        if self._is_written:
            return None
        if not final and (wait := self._transcript.wait()):
            return wait
        self._is_written = True
        self._transcript.replace(bundle(self.board, self._now()))
        return None

    def _send(self, board: Board) -> None:
        """Send the board to where it is shown live."""


class BoardPane(BoardView):
    """A board that people read and click.

    Args:
        board: what is shown first.
        callbacks: what its controls do.
        while_visible: whether it is refreshed only while it is visible.
        theme: ``"auto"`` for the page's own, else ``"light"`` or ``"dark"``.
    """

    def __init__(
        self, board: Board, callbacks: BoardCallbacks, *, while_visible: bool = False, theme: Theme = "auto"
    ) -> None:
        from colony_jupyter.notebook.views.pane import PaneWidget  # noqa: PLC0415 - widgets cost 70 ms

        super().__init__(board)
        self._callbacks = callbacks
        self._theme = theme
        self._child: Any = None  # the pane of the process that is followed
        self.widget = PaneWidget(self, "board", ["on_visible"] if while_visible else [], theme)
        self.widget.on_msg(self._on_message)

    def __repr__(self) -> str:
        return f"<live board of {self.board.title}>"

    def show(self) -> None:
        """Show the board and its transcript in the cell that runs now, in place of those of the cell's earlier run."""
        cells.SHARED.adopt(self, current_request())
        self.widget.show(self._refresh_thread)
        super().show()

    def snapshot(self) -> bytes:
        """Return all a page needs that is loaded now, as a message."""
        return message(self.board.wire())

    def close(self) -> None:
        """Close the comm, too: the page removes the board."""
        if self._closed:
            return
        super().close()
        self._close_child()
        self.widget.close()

    def _send(self, board: Board) -> None:
        self._send_message(board.wire())

    def _send_message(self, content: dict[str, Any]) -> None:
        if not self._closed:
            self.widget.send({}, [message(content)])

    def _close_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        # An exception raised here would be shown nowhere.
        answer: dict[str, Any] = {"answer": content.get("ref", "")}
        try:
            match content["do"]:
                case "fresh":
                    answer |= self.board.wire()
                case "call":
                    self._callbacks.call(str(content["name"]))
                case "cancel":
                    self._callbacks.cancel(str(content["pid"]))
                case "follow":
                    answer |= self._follow(str(content["pid"]))
                case "visible":
                    self._callbacks.on_visible()
        except Exception as error:  # noqa: BLE001 - shown in the board
            trouble = {**self.board.wire()["board"], "trouble": str(error) or type(error).__name__}
            self._send_message({"board": trouble})
        self._send_message(answer)

    def _follow(self, processid: str) -> dict[str, Any]:
        """Follow another process, or none; returns the widget that shows it."""
        from colony_jupyter.notebook.views.pane import Pane  # noqa: PLC0415 - as above

        self._close_child()
        found = self._callbacks.follow(processid) if processid else None
        if found is None:
            return {}
        title, callbacks, show_in = found
        self._child = Pane(title, callbacks=callbacks, theme=self._theme)
        show_in(self._child)
        return {"widget": self._child.widget.model_id}
