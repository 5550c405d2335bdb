"""States what a notebook lacks to show a live pane, and the remedy (pure)."""

from __future__ import annotations

import html
import re
from typing import Any, Final

NO_WIDGETS: Final = (
    "The live pane is missing, because this page cannot show widgets. Run `pip install jupyterlab_widgets anywidget` "
    "in the environment of JupyterLab (or Notebook), enable both extensions if they are disabled, and reload the page."
)
"""The page has no widget manager."""

NO_EXTENSION: Final = (
    "The live pane is missing, because this page lacks the extension of anywidget. Run `pip install anywidget` in "
    "the environment of JupyterLab (or Notebook), enable the extension if it is disabled, and reload the page."
)
"""The page has a widget manager, which cannot load the pane."""

NO_MODULE: Final = (
    "The live pane is missing, because this kernel cannot import anywidget. Run `pip install anywidget` in "
    "the environment of the kernel, restart the kernel, and reload the page."
)
"""The kernel cannot make a pane."""

NOTHING: Final = {"text/plain": "", "text/html": ""}
"""Shows nothing. nbconvert warns about an output that has neither form, and draws an empty line for an empty text."""

_WITHOUT: Final = {
    "chat": "Another `%%colony_chat` cell sends a reply without it.",
    "log": "`%colony send PID CHANNEL TEXT` and `%colony cancel PID` work without it.",
}


class Statements:
    """What this kernel has stated: each text appears once, and again when its cell is run again."""

    def __init__(self) -> None:
        self._stated: dict[str, tuple[str, str]] = {}  # a text -> the cell and the request that it was stated in

    def bundle(self, reason: str, kind: str, request: dict[str, Any]) -> dict[str, str]:
        """Return a MIME bundle that states a reason, or `NOTHING` if it was stated elsewhere.

        Args:
            reason: one of the texts of this module.
            kind: what the pane would have shown; see `colony_jupyter.notebook.views.choose.open_view`.
            request: the message that the kernel executed when the pane was opened.
        """
        text = f"{reason} {_WITHOUT.get(kind, '')}".rstrip()
        cell = str(request.get("metadata", {}).get("cellId", ""))
        run = cell, str(request.get("header", {}).get("msg_id", ""))
        stated = self._stated.get(text)
        if stated is not None and (stated == run or stated[0] != cell):
            return NOTHING
        self._stated[text] = run
        code = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))
        return {"text/plain": text, "text/html": f'<div style="font-size:12px;margin:4px 0">{code}</div>'}


SHARED: Final = Statements()
"""What this kernel has stated."""
