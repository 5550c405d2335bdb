"""Ends a colony's process with the notebook that started it, or on request, within a fixed time.

Only the standard library: a child watches its parent before it imports anything else.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

GRACE: Final = 1.8
"""Seconds from the request to end to the end, whatever hangs. Nothing acknowledged is lost: it was committed before."""


class ParentWatch:
    """Watches a pipe without data whose other end the owner holds: end of file means that the owner has ended.

    However the owner ends, the operating system closes its descriptors. A thread of its own reads, so that a blocked
    event loop, or one that does not run yet, does not keep an orphan alive.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        # What to do at the end; None as long as there is nothing to end in good order.
        self._callback: Callable[[], None] | None = None
        self._ended = False
        threading.Thread(target=self._watch, name="parent watch", daemon=True).start()

    def attach(self, callback: Callable[[], None]) -> None:
        """Register a callback for the end. It runs in another thread, at once if the end has come already."""
        with self._lock:
            self._callback = callback
            ended = self._ended
        if ended:
            callback()

    def _watch(self) -> None:
        try:
            while os.read(self._descriptor, 4096):
                pass
        except OSError:  # no pipe at all, or closed under us: no process holds the other end
            pass
        with self._lock:
            self._ended = True
            callback = self._callback
        if callback is None:
            os._exit(0)
        end_within(GRACE)
        callback()


def end_within(seconds: float) -> None:
    """End this process after so many seconds if it has not ended by itself."""
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()
