"""Private folders of kernels, which are removed even if the executor was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path
from typing import Final

_PREFIX: Final = "cj-kernel-"
_LOCK: Final = "lock"
_LONGEST: Final = 70
"""Bytes of the path of the folder around: the address of a socket has at most 107."""
_AGE: Final = 3600.0
"""Seconds after which a folder without a lock is left over: its executor was killed while it made the folder."""


class Folder:
    """A folder of mode 0700 for one kernel, locked while this process lives."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_around()))
        # It gets its name once it is locked, so that `remove_stale` never sees an unlocked one.
        unnamed = self.path / f"{_LOCK}.new"
        self._lock = os.open(unnamed, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unnamed.rename(self.path / _LOCK)

    def remove(self) -> None:
        """Remove it with all that is in it."""
        with contextlib.suppress(OSError):
            shutil.rmtree(self.path)
        os.close(self._lock)


def _around() -> str:
    """Return the folder for temporary files; batch systems may set one with a path that is too long for sockets."""
    chosen = tempfile.gettempdir()
    return chosen if len(os.fsencode(chosen)) <= _LONGEST else "/tmp"  # noqa: S108 - of mode 0700


def remove_stale() -> None:
    """Remove this user's folders of executors that were killed."""
    for path in Path(_around()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if _is_stale(path):
                shutil.rmtree(path)


def _is_stale(path: Path) -> bool:
    about = path.lstat()
    if about.st_uid != os.getuid() or not stat.S_ISDIR(about.st_mode):
        return False
    try:
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return time.time() - about.st_mtime > _AGE
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
