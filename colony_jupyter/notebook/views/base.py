"""Views: what the rest of the package feeds, whatever shows it.

A view is fed from any thread and never touches a socket. There are a live pane for the browser, a transcript for the
notebook's file where nobody looks (nbclient, papermill), and lines of text for a terminal; see `actions.showing`.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from colony_jupyter.notebook.model.pane_model import Connection, Kind, PaneModel
from colony_jupyter.notebook.views.refresh_thread import SHARED, Flusher

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
        # What the model has not taken in yet, and what takes it: who feeds is not kept waiting.
        self._fed: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._woken = False  # whether the flusher was told of them
        self._flushing = threading.Lock()  # one flush at a time: the thread's, or that of `finish`
        self._flusher = flusher
        self._closed = False
        self.on_close: Callable[[], None] | None = None  # told when nothing is shown any more, from any thread

    def process(self, record: ProcessRecord, executorname: str = "", waiting_for: str = "") -> None:
        """Show a change of the process (`PaneModel.process`)."""
        self._feed(self.model.process, record, executorname, waiting_for)

    def entries(
        self, channel: str, entries: Sequence[Entry], senders: Mapping[str, str] | None = None, me: str = ""
    ) -> None:
        """Show new entries of a channel (`PaneModel.entries`)."""
        self._feed(self.model.entries, channel, entries, senders, me)

    def connection(self, state: Connection, detail: str = "") -> None:
        """Show how the link to the server is."""
        self._feed(self.model.connect, state, detail)

    def reading(self, channels: Sequence[str]) -> None:
        """Name the channels whose entries are shown (`PaneModel.reading`)."""
        self._feed(self.model.reading, channels)

    def note(self, text: str) -> None:
        """Show a remark of ours."""
        self._feed(self.model.note, text)

    def error(self, text: str) -> None:
        """Show an error of ours, of a callback or of the connection."""
        self._feed(self.model.fault, text)

    def refused(self, channel: str, text: str, reason: str) -> None:
        """Show that a typed text could not be sent on a channel, and why; where it was typed it can be had again."""
        _ = channel, text
        self.error(reason)

    def party(self, *, party: bool) -> None:
        """Tell whether the person at the notebook may write on the channels (only a party of the process may)."""
        self._feed(self.model.set_party, party)

    def reply_due(self, *, due: bool) -> None:
        """Tell that a reply is waited for, or no longer, where the entries alone do not say so."""
        self._feed(self.model.expect_reply if due else self.model.end_reply)

    def finish(self) -> None:
        """Take no more input, and have everything shown when this returns. What was shown stays."""
        self._feed(self.model.finish)
        with self._flushing:
            if not self._closed:
                self._write(final=True)

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

    def _feed(self, take: Callable[..., None], *news: Any) -> None:
        if self._closed:
            return
        self._fed.append((take, news))
        # Whoever takes the news in says first that it is awake, so none is left lying.
        if not self._woken:
            self._woken = True
            self._flusher.wake(self)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[PaneModel]:
        """Give the model as it is now, to read it."""
        with self._lock:
            self._woken = False
            while self._fed:
                take, news = self._fed.popleft()
                take(*news)
            yield self.model

    def _write(self, *, final: bool) -> float | None:
        """Write what is new, and all of it if ``final``; give the seconds after which to be called again, or None."""
        raise NotImplementedError
