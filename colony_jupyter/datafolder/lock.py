"""The lock of a data folder. The process of the colony holds it for life; the operating system releases it.

It is a lock on an open file, so it cannot be stale: no process id is compared, nothing is cleaned up after a crash.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from typing import TYPE_CHECKING, Final

from colony_jupyter.datafolder.layout import PRIVATE_FILE
from colony_jupyter.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ATTEMPTS: Final = 10
"""Tries of a process that means to hold the lock: others acquire it for an instant, to see whether it is free."""

PAUSE: Final = 0.003
"""Seconds between them."""

LOST: Final = 75
"""Exit status of a notebook's child that found the lock held: nothing is wrong, another was faster."""

_HELD: Final = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class Lock:
    """The lock file of a data folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # None while it is not held by us.
        self._descriptor: int | None = None

    def acquire(self, *, attempts: int = ATTEMPTS, sleep: Callable[[float], None] = time.sleep) -> bool:
        """Acquire the lock; return False if another process has it.

        Raises:
            EmbeddedError: if the file system knows no locks, or the file cannot be made.
        """
        for attempt in range(attempts):
            if attempt:
                sleep(PAUSE)
            if self._try():
                return True
        return False

    def release(self) -> None:
        """Release it; nothing happens if it is not held."""
        if self._descriptor is not None:
            # Closing is not enough: a fork of this process may hold a copy of the descriptor.
            _unlock(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def _try(self) -> bool:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        except OSError as error:
            raise EmbeddedError(f"The lock {self._path} cannot be opened: {error.strerror or error}.") from None
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            if error.errno in _HELD:
                return False
            raise EmbeddedError(
                f"The file system of {self._path.parent} cannot lock files ({error.strerror or error}): use a data "
                "folder on a local disk."
            ) from None
        self._descriptor = descriptor
        return True
