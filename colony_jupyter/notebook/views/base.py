"""Views: what the rest of the package feeds, whatever shows it.

A view is fed from any thread and never touches a socket. There are a live pane for the browser, a transcript for the
notebook's file in headless runs (nbclient, papermill), and lines of text for a terminal;
`colony_jupyter.notebook.views.choose` opens one of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from colony_jupyter.notebook.model.changes import Change, Finished, Note
from colony_jupyter.notebook.model.pane_model import Kind, PaneModel
from colony_jupyter.notebook.views.refresh_thread import SHARED, RefreshThread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator


class PaneCallbacks(msgspec.Struct, frozen=True):
    """What a pane calls when it is used; None removes the control.

    They are called from whatever thread widgets use and must only enqueue. What they raise is shown in the pane.

    Attributes:
        on_send: a text was typed for a channel.
        on_cancel: the process is to be cancelled.
        on_stop_waiting: the reply need not be waited for any longer.
        on_end_chat: the conversation is to be ended.
        on_new_chat: a conversation that has ended is to be begun anew.
        on_open: a member of a workflow, by its id, is to be shown in a pane of its own; none for an empty id.
    """

    on_send: Callable[[str, str], None] | None = None
    on_cancel: Callable[[], None] | None = None
    on_stop_waiting: Callable[[], None] | None = None
    on_end_chat: Callable[[], None] | None = None
    on_new_chat: Callable[[], None] | None = None
    on_open: Callable[[str], None] | None = None


class RefreshedView:
    """What is written by the shared thread: one flush at a time, and nothing once it is closed.

    Args:
        refresh_thread: the thread that writes.
    """

    def __init__(self, refresh_thread: RefreshThread) -> None:
        self._flushing = threading.Lock()  # one flush at a time: the thread's, or that of `finish`
        self._refresh_thread = refresh_thread
        self._closed = False
        self.on_close: Callable[[], None] | None = None  # called when nothing is shown any more, from any thread

    def finish(self) -> None:
        """Return when everything is shown. What was shown stays."""
        with self._flushing:
            if not self._closed:
                self._write(final=True)

    def close(self) -> None:
        """Let go of everything; the view shows nothing new after this."""
        if self._closed:
            return
        self._closed = True
        self._refresh_thread.forget(self)
        if self.on_close is not None:
            self.on_close()

    def flush(self) -> float | None:
        """Write what is new; called by the refresh thread."""
        with self._flushing:
            return None if self._closed else self._write(final=False)

    def _write(self, *, final: bool) -> float | None:
        """Write what is new, and all of it if ``final``; return the seconds after which to be called again, or None."""
        raise NotImplementedError


class View(RefreshedView):
    """What all views have in common: feeding, locking, and being flushed by the shared thread.

    Every method may be called from any thread and returns at once.

    Args:
        title: name of the function.
        kind: ``"log"``, ``"chat"``, ``"plot"`` or ``"workflow"``.
        now: the clock, in Unix seconds.
        refresh_thread: the thread that writes.
    """

    def __init__(
        self,
        title: str,
        *,
        kind: Kind = "log",
        now: Callable[[], float] = time.time,
        refresh_thread: RefreshThread = SHARED,
    ) -> None:
        super().__init__(refresh_thread)
        self.model = PaneModel(title, kind, now)
        self._lock = threading.RLock()  # guards the model
        self._fed: deque[Change] = deque()  # not applied yet: a producer never waits for the model
        self._woken = False  # whether the refresh thread knows of them

    def feed(self, change: Change) -> None:
        """Show a change. What is fed after `finish` is shown, too, at the next flush."""
        if self._closed:
            return
        self._fed.append(change)
        # A view marks itself awake before it reads the changes, so that none is left.
        if not self._woken:
            self._woken = True
            self._refresh_thread.wake(self)

    def finish(self) -> None:
        """Accept no more input, and return when everything is shown. What was shown stays."""
        self.feed(Finished())
        super().finish()

    @contextlib.contextmanager
    def _reading(self) -> Iterator[PaneModel]:
        """Return the model as it is now, to read it."""
        with self._lock:
            self._woken = False
            while self._fed:
                self.model.feed(self._fed.popleft())
            yield self.model


async def watch_to_end(following: Awaitable[object], view: Callable[[], View | None], what: str) -> None:
    """Wait until a feed has shown everything, and finish its view.

    Args:
        following: the end of the feed; it is cancelled with this.
        view: gives the view that the feed has then.
        what: what is followed, for the note that it goes on.
    """
    try:
        await following
    except asyncio.CancelledError:
        if (shown := view()) is not None:
            shown.feed(Note(f"Not watched here any longer; the {what} goes on."))
        raise
    finally:
        if (shown := view()) is not None:
            shown.finish()
