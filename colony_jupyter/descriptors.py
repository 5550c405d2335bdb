"""The limit of file descriptors of this process: 256 in a terminal of macOS, where each socket needs one."""

from __future__ import annotations

import contextlib
import errno
from typing import Final

WANTED: Final = 4096
"""Descriptors that a client raises a lower limit to."""

TOO_MANY: Final = "too many files and connections are open"

DESCRIPTORS_REMEDY: Final = "Close files and connections of this process, or raise its limit (ulimit -n)."

_UNKNOWN: Final = 500
"""What Windows permits, where the limit cannot be read."""

_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE})


def raise_limit(wanted: int = WANTED) -> int:
    """Raise this process's soft limit, as far as its hard limit permits; return the result, at most `wanted`.

    Args:
        wanted: number of descriptors; a limit that is higher stays as it is.
    """
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return _UNKNOWN
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    possible = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))
        soft = possible
    return soft


def are_exhausted(error: BaseException) -> bool:
    """Whether an error, or one that caused it, is that this process or system has no free descriptor."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, OSError) and below.errno in _EXHAUSTED:
            return True
        if isinstance(below, BaseExceptionGroup) and any(are_exhausted(each) for each in below.exceptions):
            return True
        below = below.__cause__ or below.__context__
    return False
