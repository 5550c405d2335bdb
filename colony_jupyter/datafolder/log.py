"""The log of a colony's process: its standard error, in a file that does not grow without end."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from colony_jupyter.datafolder.layout import PRIVATE_FILE

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 1024 * 1024
"""The log is cut when it has grown past this."""

KEPT_BYTES: Final = MAX_BYTES // 4
"""Bytes of its end that remain then."""


def open_log(path: Path) -> int:
    """Open the log for appending and return the descriptor, which the caller closes."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
    with contextlib.suppress(OSError):  # as on a full disk: it is cut another time
        trim(descriptor)
    return descriptor


def trim(descriptor: int, *, longest: int = MAX_BYTES, kept: int = KEPT_BYTES) -> None:
    """Cut a log that has grown too long down to whole lines of its end.

    Others write to the same file by descriptors opened for appending, so it is cut in place.
    """
    size = os.fstat(descriptor).st_size
    if size <= longest:
        return
    os.lseek(descriptor, size - kept, os.SEEK_SET)
    end = os.read(descriptor, kept)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, end.partition(b"\n")[2])


def last_line(path: Path, start: int = 0) -> str:
    """Return the last line, blank ones aside, written since the log had ``start`` bytes; empty if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
