"""Which panes belong to which cell: running a cell again closes what its earlier run had opened."""

from __future__ import annotations

from typing import Any, Protocol


class Closable(Protocol):
    """Something to close."""

    def close(self) -> None:
        """Let go of everything."""


class Cells:
    """Remembers the panes of each cell's last run."""

    def __init__(self) -> None:
        # A cell's id -> the request that ran it last, and what that opened.
        self._cells: dict[str, tuple[str, list[Closable]]] = {}

    def begin(self, request: dict[str, Any]) -> None:
        """Note that a request begins, and close the panes of an earlier run of its cell, which may open none now."""
        cell = request.get("metadata", {}).get("cellId")
        if not cell or cell not in self._cells:
            return
        run, panes = self._cells[cell]
        if run != str(request.get("header", {}).get("msg_id", "")):
            del self._cells[cell]
            for earlier in panes:
                earlier.close()

    def adopt(self, pane: Closable, request: dict[str, Any]) -> None:
        """Note that a request opened a pane, and close the panes of an earlier run of its cell.

        A request that names no cell (not from JupyterLab or Notebook 7) leaves everything as it is.
        """
        cell = request.get("metadata", {}).get("cellId")
        if not cell:
            return
        run = str(request.get("header", {}).get("msg_id", ""))
        self.begin(request)
        _, panes = self._cells.get(cell, ("", []))
        self._cells[cell] = (run, [*panes, pane])


SHARED = Cells()
