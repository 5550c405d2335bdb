"""The transcript as an output of its cell: by itself where nobody looks, and beside each live pane."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.notebook.flusher import SHARED, Flusher
from colony_jupyter.notebook.transcript import bundle
from colony_jupyter.notebook.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.notebook.model import Kind, PaneModel

REFRESH: Final = 2.0
"""Seconds between two versions of a transcript."""


class TranscriptOutput:
    """One output of a cell, changed in place through its display id, also after the cell has finished."""

    def __init__(self, publish: Callable[..., None] | None = None) -> None:
        self._id = uuid.uuid4().hex
        self._publish = publish or _display
        self._written: float | None = None  # by time.monotonic; None before it is shown

    def show(self, data: dict[str, str]) -> None:
        """Make the output, in the cell that runs now."""
        self._publish(data, display_id=self._id)
        self._written = time.monotonic()

    def replace(self, data: dict[str, str]) -> None:
        """Put another version in its place."""
        self._publish(data, display_id=self._id, update=True)
        self._written = time.monotonic()

    @property
    def wait(self) -> float:
        """Seconds until the next version may be written."""
        if self._written is None:
            return 0.0
        return max(0.0, self._written + REFRESH - time.monotonic())


class TranscriptView(View):
    """A view that is nothing but its transcript: for notebooks run by a program, and where there are no widgets."""

    def __init__(
        self,
        title: str,
        *,
        kind: Kind = "log",
        now: Callable[[], float] = time.time,
        flusher: Flusher = SHARED,
        publish: Callable[..., None] | None = None,
    ) -> None:
        super().__init__(title, kind=kind, now=now, flusher=flusher)
        self._now = now
        self._output = TranscriptOutput(publish)

    def show(self) -> None:
        """Show it in the cell that runs now."""
        self._output.show(self._bundle(self.model))

    def _write(self, *, final: bool) -> float | None:
        if not final and (wait := self._output.wait):
            return wait
        self._output.replace(self._bundle(self.model))
        return None

    def _bundle(self, model: PaneModel) -> dict[str, str]:
        with self._lock:
            return bundle(model, self._now())


def _display(data: dict[str, str], **how: Any) -> None:
    from IPython.display import display  # noqa: PLC0415 - only a notebook has it

    display(data, raw=True, **how)  # type: ignore[no-untyped-call]
