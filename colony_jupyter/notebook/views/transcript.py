"""The transcript as an output of its cell: by itself in headless runs, and beside each live pane."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.notebook.formats.transcript_html import bundle
from colony_jupyter.notebook.views.base import View
from colony_jupyter.notebook.views.refresh_thread import SHARED, RefreshThread

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.notebook.model.pane_model import Kind

REFRESH: Final = 2.0
"""Seconds between two versions of a transcript."""

APART: Final = 1.0
"""Seconds between two versions of any transcripts, on average: a page sanitizes each of them and lays it out."""


class TranscriptOutput:
    """One output of a cell, changed in place through its display id, also after the cell has finished.

    Args:
        publish: `IPython.display.display`, or what stands in for it.
        clock: the time, in seconds.
        due: shared by all that one page may show: those that have a new version to write.
    """

    def __init__(
        self,
        publish: Callable[..., None] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        due: set[TranscriptOutput] | None = None,
    ) -> None:
        self._id = uuid.uuid4().hex
        self._publish = publish or _display
        self._clock = clock
        self._due = _DUE if due is None else due
        self._written = float("-inf")

    def show(self, data: dict[str, str]) -> None:
        """Make the output, in the cell that runs now."""
        self._write(data)

    def replace(self, data: dict[str, str]) -> None:
        """Put another version in its place."""
        self._write(data, update=True)

    def wait(self) -> float:
        """Announce a new version to write; return the seconds until it may be written."""
        self._due.add(self)
        return max(0.0, self._written + max(REFRESH, APART * len(self._due)) - self._clock())

    def close(self) -> None:
        """Withdraw what was announced: nothing is written any more."""
        self._due.discard(self)

    def _write(self, data: dict[str, str], **how: Any) -> None:
        self._publish(data, display_id=self._id, **how)
        self._written = self._clock()
        self._due.discard(self)


_DUE: Final[set[TranscriptOutput]] = set()


class TranscriptView(View):
    """A view that is nothing but its transcript: for notebooks run by a program, and where there are no widgets."""

    def __init__(
        self,
        title: str,
        *,
        kind: Kind = "log",
        now: Callable[[], float] = time.time,
        refresh_thread: RefreshThread = SHARED,
        publish: Callable[..., None] | None = None,
    ) -> None:
        super().__init__(title, kind=kind, now=now, refresh_thread=refresh_thread)
        self._now = now
        self._output = TranscriptOutput(publish)

    def show(self) -> None:
        """Show it in the cell that runs now."""
        self._output.show(self._bundle())

    def _write(self, *, final: bool) -> float | None:
        if not final and (wait := self._output.wait()):
            return wait
        self._output.replace(self._bundle())
        return None

    def close(self) -> None:
        """Let go of everything; the view shows nothing new after this."""
        super().close()
        self._output.close()

    def _bundle(self) -> dict[str, str]:
        with self._reading() as model:
            return bundle(model, self._now())


def _display(data: dict[str, str], **how: Any) -> None:
    from IPython.display import display  # noqa: PLC0415 - only a notebook has it

    display(data, raw=True, **how)  # type: ignore[no-untyped-call]
