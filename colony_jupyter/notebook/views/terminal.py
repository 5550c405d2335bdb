"""A view for terminals and plain Python: entries as lines, progress as one line that is rewritten in place."""

from __future__ import annotations

import contextvars
import re
import sys
import time
from typing import TYPE_CHECKING, Any, Final, TextIO

from colony_jupyter.notebook.formats.plain_text import clock
from colony_jupyter.notebook.formats.sparkline import plot_lines
from colony_jupyter.notebook.model.progress import parse
from colony_jupyter.notebook.model.rows import FAULT
from colony_jupyter.notebook.views.base import View
from colony_jupyter.notebook.views.refresh_thread import SHARED, RefreshThread
from colony_jupyter.wire.models import END, ERROR, TURN

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.notebook.model.pane_model import Kind
    from colony_jupyter.notebook.model.progress import Progress
    from colony_jupyter.notebook.model.rows import Row

_LAST_HEARD: Final = re.compile(r", last heard .*")
_BAR: Final = "{desc}{percentage:3.0f}%|{bar:30}| {unit}"


class TextView(View):
    """Lines of text as things happen, ending with the result.

    An entry that reports progress rewrites the progress line instead of adding one of its own.

    Args:
        title: name of the function.
        kind: log or chat.
        stream: where to write; standard output unless given.
        now: the clock, in Unix seconds.
        refresh_thread: the thread that writes.
    """

    def __init__(
        self,
        title: str,
        *,
        kind: Kind = "log",
        stream: TextIO | None = None,
        now: Callable[[], float] = time.time,
        refresh_thread: RefreshThread = SHARED,
    ) -> None:
        super().__init__(title, kind=kind, now=now, refresh_thread=refresh_thread)
        self._stream = stream  # None: whatever sys.stdout is when something is written
        # By it a kernel knows the cell that a thread's text belongs to: the one that opens the view.
        self._context = contextvars.copy_context()
        self._next = 0  # number of the first row that was not yet written
        self._shown_head = ""  # the head line that was written last
        self._bar: Any = None  # tqdm's bar, while there is one
        self._ended = False  # whether the result was written
        self._open_bubble = ""  # whose answer the line that is not yet ended belongs to

    def _write(self, *, final: bool) -> float | None:
        return self._context.run(self._write_here, final=final)

    def _write_here(self, *, final: bool) -> float | None:
        with self._reading() as model:
            head = self._head()
            rows = model.store.between(self._next, len(model.store))
            # A line that was written cannot be changed any more, but its progress is shown.
            rows += [row for row in model.pop_replaced() if row.number < self._next and row.progress]
            self._next = len(model.store)
            result = model.result
            plots = list(plot_lines(model.plots)) if final else []
        # A line of its own for each minute in which the executor is silent would add nothing.
        if head and _LAST_HEARD.sub("", head) != _LAST_HEARD.sub("", self._shown_head):
            self._line(head)
        self._shown_head = head or self._shown_head
        for row in rows:
            if self.model.kind == "chat":
                self._chat(row)
            elif self.model.kind in ("log", "workflow") or row.kind in ("note", FAULT):
                self._log(row)
        if result is not None and not self._ended:
            self._ended = True
            self._end_bar()
            self._line(result.line)
        if final:
            self._end_bar()
            self._end_bubble()
        for line in plots:
            self._line(line)
        return None

    def _head(self) -> str:
        model = self.model
        if model.state is None or model.record is None:
            return ""
        words = f"{model.title} {model.record.processid[:8]}: {model.state.name}"
        if model.executorname:
            words += f" {'with' if model.kind == 'chat' else 'on'} {model.executorname}"
        if model.waiting_for:
            words += f", {model.waiting_for}"
        if model.connection == "resuming":
            words += " (connection lost, resuming)"
        elif model.connection == "polling":
            words += f" (polling: {model.detail})"
        return words

    def _log(self, row: Row) -> None:
        if not row.has_content:
            return
        progress = parse(row.text) if row.entry is not None and not row.mine and row.form != "bytes" else None
        if progress is not None and row.kind == "data":
            self._progress(progress, row.line)
            return
        who = f"{row.who}  " if row.who else ""
        mark = "error: " if row.kind in (ERROR, FAULT) else ""
        self._line(f"{clock(row.at)}  {who}{mark}{row.line}")

    def _chat(self, row: Row) -> None:
        """Write pieces of one answer on after the other."""
        if row.mine:
            return  # it is in the cell
        if row.kind in (END, TURN):
            if row.line:
                self._piece(row)
            self._end_bubble()
        elif row.kind in ("note", FAULT, ERROR):
            self._line(row.line if row.kind == "note" else f"error: {row.line}")
        else:
            self._piece(row)

    def _piece(self, row: Row) -> None:
        reply = f"{row.who} {row.entry.inreplyto if row.entry is not None else 0}"
        if self._open_bubble != reply:
            self._end_bubble()
            self._out.write(f"{row.who}: ")
            self._open_bubble = reply
        self._out.write(row.line)
        self._out.flush()

    def _end_bubble(self) -> None:
        if self._open_bubble:
            self._open_bubble = ""
            self._out.write("\n")
            self._out.flush()

    def _progress(self, progress: Progress, line: str) -> None:
        if self._bar is None:
            from tqdm import tqdm  # noqa: PLC0415 - most runs report no progress

            # Its monitor would be a thread more, for bars that are not refreshed by hand.
            quiet = type("quiet", (tqdm,), {"monitor_interval": 0})
            self._bar = quiet(total=1.0, file=self._out, bar_format=_BAR, leave=True)
        self._bar.n = progress.fraction
        self._bar.unit = progress.message or line
        self._bar.refresh()

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _line(self, text: str) -> None:
        self._end_bubble()
        if self._bar is not None:
            self._bar.clear()
        self._out.write(text + "\n")
        self._out.flush()
        if self._bar is not None:
            self._bar.refresh()

    @property
    def _out(self) -> TextIO:
        return self._stream or sys.stdout
