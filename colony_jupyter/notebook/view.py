"""Views: what the rest of the package feeds, whatever shows it.

A view is fed from any thread and never touches a socket. `open_view` chooses: a live pane in the browser, a transcript
in the notebook's file where nobody looks (nbclient, papermill), or lines of text in a terminal.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from colony_jupyter.notebook.flusher import SHARED, Flusher
from colony_jupyter.notebook.model import Connection, Kind, PaneModel, Theme

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from colony_jupyter.wire.models import Entry, ProcessRecord


class PaneCallbacks(msgspec.Struct, frozen=True):
    """What a pane calls when somebody uses it; None takes the control away.

    They are called from whatever thread widgets use and must only enqueue. What they raise is shown in the pane.

    Attributes:
        on_send: a text was typed for a channel.
        on_cancel: the process is to be cancelled.
        on_stop_waiting: the reply need not be waited for any longer.
        on_end_chat: the conversation is to be ended.
        on_new_chat: a conversation that has ended is to be begun anew.
    """

    on_send: Callable[[str, str], None] | None = None
    on_cancel: Callable[[], None] | None = None
    on_stop_waiting: Callable[[], None] | None = None
    on_end_chat: Callable[[], None] | None = None
    on_new_chat: Callable[[], None] | None = None


class View:
    """What all views have in common: feeding, locking, and being flushed by the shared thread.

    Every method may be called from any thread and returns at once.

    Args:
        title: name of the function.
        kind: ``"log"`` or ``"chat"``.
        now: the clock, in Unix seconds.
        flusher: the thread that writes.
    """

    def __init__(
        self, title: str, *, kind: Kind = "log", now: Callable[[], float] = time.time, flusher: Flusher = SHARED
    ) -> None:
        self.model = PaneModel(title, kind, now)
        self._lock = threading.RLock()  # guards the model
        self._flushing = threading.Lock()  # one flush at a time: the thread's, or that of `finish`
        self._flusher = flusher
        self._closed = False
        self.on_close: Callable[[], None] | None = None  # told when nothing is shown any more, from any thread

    def process(self, record: ProcessRecord, executorname: str = "", waiting_for: str = "") -> None:
        """Show a change of the process (`PaneModel.process`)."""
        with self._lock:
            self.model.process(record, executorname, waiting_for)
        self._news()

    def entries(
        self, channel: str, entries: Sequence[Entry], senders: Mapping[str, str] | None = None, me: str = ""
    ) -> None:
        """Show new entries of a channel (`PaneModel.entries`)."""
        with self._lock:
            self.model.entries(channel, entries, senders, me)
        self._news()

    def connection(self, state: Connection, detail: str = "") -> None:
        """Show how the link to the server is."""
        with self._lock:
            self.model.connect(state, detail)
        self._news()

    def note(self, text: str) -> None:
        """Show a remark of ours."""
        with self._lock:
            self.model.note(text)
        self._news()

    def error(self, text: str) -> None:
        """Show an error of ours, of a callback or of the connection."""
        with self._lock:
            self.model.fault(text)
        self._news()

    def refused(self, channel: str, text: str, reason: str) -> None:
        """Show that a typed text could not be sent on a channel, and why; where it was typed it can be had again."""
        _ = channel, text
        self.error(reason)

    def party(self, *, party: bool) -> None:
        """Tell whether the person at the notebook may write on the channels (only a party of the process may)."""
        with self._lock:
            self.model.set_party(party=party)
        self._news()

    def reply_due(self, *, due: bool) -> None:
        """Tell that a reply is waited for, or no longer, where the entries alone do not say so."""
        with self._lock:
            if due:
                self.model.expect_reply()
            else:
                self.model.end_reply()
        self._news()

    def finish(self) -> None:
        """Take no more input, and have everything shown when this returns. What was shown stays."""
        with self._lock:
            self.model.finish()
        self._flush_now()

    def close(self) -> None:
        """Let go of everything; the view shows nothing new after this."""
        if self._closed:
            return
        self._closed = True
        self._flusher.forget(self)
        if self.on_close is not None:
            self.on_close()

    def flush(self) -> float | None:
        """Write what is new; called by the flusher's thread."""
        with self._flushing:
            return None if self._closed else self._write(final=False)

    def _flush_now(self) -> None:
        with self._flushing:
            if not self._closed:
                self._write(final=True)

    def _news(self) -> None:
        if not self._closed:
            self._flusher.wake(self)

    def _write(self, *, final: bool) -> float | None:
        """Write what is new, and all of it if ``final``; give the seconds after which to be called again, or None."""
        raise NotImplementedError


def open_view(title: str, *, kind: Kind = "log", callbacks: PaneCallbacks | None = None, theme: Theme = "auto") -> View:
    """Open the view that fits where this runs, and show it in the current cell.

    Args:
        title: name of the function.
        kind: ``"log"`` or ``"chat"``.
        callbacks: what the pane's controls do; without it there are none.
        theme: of a pane: ``"auto"`` for the page's own, else ``"light"`` or ``"dark"``.

    Returns:
        A `colony_jupyter.notebook.pane.Pane` where somebody sits at a notebook, a
        `colony_jupyter.notebook.transcript_view.TranscriptView` in a kernel whose request allows no standard input
        (nobody is there) or that has no widgets, else a `colony_jupyter.notebook.text_view.TextView`.
    """
    callbacks = callbacks or PaneCallbacks()
    shell = _kernel_shell()
    if shell is None:
        from colony_jupyter.notebook.text_view import TextView  # noqa: PLC0415 - only the view that is needed

        return TextView(title, kind=kind)
    if not is_headless():
        try:
            from colony_jupyter.notebook.pane import Pane  # noqa: PLC0415 - widgets cost 70 ms
        except ImportError:
            pass
        else:
            pane = Pane(title, kind=kind, callbacks=callbacks, theme=theme)
            pane.show()
            return pane
    from colony_jupyter.notebook.transcript_view import TranscriptView  # noqa: PLC0415 - as above

    view = TranscriptView(title, kind=kind)
    view.show()
    return view


def is_headless() -> bool:
    """Whether nobody is there to look or type: no kernel, or one whose current request allows no standard input."""
    shell = _kernel_shell()
    if shell is None:
        return True
    return not current_request().get("content", {}).get("allow_stdin", False)


def current_request() -> dict[str, Any]:
    """Give the message the kernel is executing; empty outside of a kernel."""
    shell = _kernel_shell()
    return dict(shell.kernel.get_parent() or {}) if shell is not None else {}


def _kernel_shell() -> Any:
    """Give IPython's shell if it belongs to a Jupyter kernel."""
    try:
        from IPython.core.getipython import get_ipython  # noqa: PLC0415 - plain Python may do without
    except ImportError:
        return None
    shell = get_ipython()
    return shell if getattr(shell, "kernel", None) is not None else None
