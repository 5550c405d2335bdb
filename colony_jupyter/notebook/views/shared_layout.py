"""Sends the updates of all panes to the page, in one message for each round of the refresh thread.

A message costs the kernel, Jupyter's server and the page the same whether much or little is in it (docs/decisions.md).
Panes share one ``Layout``, of which ipywidgets makes one for each widget otherwise: a page that has a pane has its
layout, so the layout's comm takes the updates of all of them.
"""

from __future__ import annotations

import threading
from typing import Final

from ipywidgets.widgets.widget_layout import Layout


class SharedLayout:
    """The layout that panes share, and what is to be sent by it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # held while sending, too: updates keep their order
        self._layout: Layout | None = None  # None while there is no pane
        self._panes = 0
        self._waiting: list[tuple[int, bytes]] = []

    def join(self) -> Layout:
        """Return the layout for a further pane."""
        with self._lock:
            self._panes += 1
            # `Widget.close_all` closes this one, too.
            if self._layout is None or self._layout.comm is None:
                self._layout = Layout()  # type: ignore[no-untyped-call]
            return self._layout

    def leave(self) -> None:
        """Note that a pane has closed; with the last one the layout is closed."""
        with self._lock:
            self._panes -= 1
            if self._panes == 0 and self._layout is not None:
                self._layout.close()  # type: ignore[no-untyped-call]
                self._layout = None
                self._waiting.clear()

    def post(self, number: int, update: bytes) -> None:
        """Have an update sent to the pane with a number (`PaneWidget.number`), by the next `send`."""
        with self._lock:
            self._waiting.append((number, update))

    def send(self) -> None:
        """Send what waits. ``static/store.js`` takes it apart."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            if waiting and self._layout is not None:
                numbers, updates = zip(*waiting, strict=True)
                self._layout.send({"panes": list(numbers)}, list(updates))  # type: ignore[no-untyped-call]


SHARED: Final = SharedLayout()
"""The one of all panes."""
