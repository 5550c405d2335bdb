"""Finds out whether a page can show a pane, and states in the pane's place what the page lacks.

A page without a widget manager closes the pane's comm (the channel between a widget and the page) when it is opened.
A page whose manager lacks the extension of anywidget shows an error and sends nothing. Therefore a pane from which no
message has come for a while is examined by widgets that every manager has: a link copies the name of the view that the
page has for the pane into an `_Answer`. Without an answer nothing is stated: the page may be slow, or closed.
"""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING, Any, Final

import traitlets
from ipywidgets.widgets.widget import Widget
from ipywidgets.widgets.widget_link import jsdlink

from colony_jupyter.notebook.session.request import current_request
from colony_jupyter.notebook.views.missing import NO_EXTENSION, NO_WIDGETS, SHARED

if TYPE_CHECKING:
    from colony_jupyter.notebook.views.refresh_thread import RefreshThread

AFTER: Final = 2.0
"""Seconds without a message from a page after which a pane is examined."""

_ERROR: Final = "ErrorWidgetView"
"""The view that ipywidgets has for a widget whose model it cannot load."""


class _Answer(Widget):
    """Receives the name of the view that a page has for a pane."""

    view = traitlets.Unicode().tag(sync=True)


class PageCheck:
    """Shows a widget in a cell, and in its place what the page lacks to show it.

    Args:
        widget: the widget; no page has it yet.
        kind: what it shows; see `colony_jupyter.notebook.views.choose.open_view`.
        refresh_thread: the thread that examines it.
    """

    def __init__(self, widget: Widget, kind: str, refresh_thread: RefreshThread) -> None:
        self._widget = widget
        self._kind = kind
        self._refresh_thread = refresh_thread
        self._id = uuid.uuid4().hex
        self._request: dict[str, Any] = {}
        self._lock = threading.Lock()  # guards what follows
        self._has_ended = False  # whether there is nothing more to find out
        self._helpers: list[Widget] = []  # an answer and its link, while the widget is examined
        widget.on_msg(lambda *_: self.end())  # type: ignore[no-untyped-call]
        widget.comm.on_close(lambda _message: self._replace(NO_WIDGETS))

    def show(self) -> None:
        """Show the widget in the cell that runs now."""
        from IPython.display import display  # noqa: PLC0415 - only a notebook has it

        self._request = current_request()
        display(self._widget, display_id=self._id)  # type: ignore[no-untyped-call]
        self._refresh_thread.wake(self, AFTER)

    def flush(self) -> None:
        """Examine the widget: no page has sent a message of it."""
        with self._lock:
            if self._has_ended:
                return
            answer = _Answer()  # type: ignore[no-untyped-call]
            answer.observe(self._on_answer, "view")
            link = jsdlink((self._widget, "_view_name"), (answer, "view"))  # type: ignore[no-untyped-call]
            self._helpers = [link, answer]

    def end(self) -> bool:
        """Find out nothing more; return whether there was anything left to find out."""
        if self._has_ended:  # as with nearly every message of a page
            return False
        with self._lock:
            has_ended, self._has_ended = self._has_ended, True
            helpers, self._helpers = self._helpers, []
        self._refresh_thread.forget(self)
        for helper in helpers:
            helper.close()  # type: ignore[no-untyped-call]
        return not has_ended

    def _on_answer(self, change: dict[str, Any]) -> None:
        if change["new"] == _ERROR:
            self._replace(NO_EXTENSION)
        else:
            self.end()

    def _replace(self, reason: str) -> None:
        """State why the page cannot show the widget, unless a page shows it."""
        from IPython.display import display  # noqa: PLC0415 - as above

        if not self.end():
            return
        self._widget.close()  # type: ignore[no-untyped-call]
        data = SHARED.bundle(reason, self._kind, self._request)
        display(data, raw=True, display_id=self._id, update=True)  # type: ignore[no-untyped-call]
