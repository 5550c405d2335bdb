"""The environment of a caller's function: that of the executor, without keys."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_PRIVATE_NAME: Final = re.compile(
    r"^(COLONIES_|AWS_)|KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH|^(JPY_|PGPASS|KUBECONFIG)", re.IGNORECASE
)
_KEY_LIKE: Final = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])")


def without_keys(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that hold no key, token or password, by their names and by what a key looks like."""
    return {
        name: value for name, value in environ.items() if not _PRIVATE_NAME.search(name) and not _KEY_LIKE.search(value)
    }


def hide_start_environment() -> None:
    """Overwrite the private variables in the block that this process was started with.

    Linux shows that block in ``/proc/PID/environ`` to each process of the same user, so also to a caller's function.
    The variables stay set: they are set again first, which stores them elsewhere. On other systems nothing is done.
    """
    if sys.platform != "linux":
        return
    try:
        fields = Path("/proc/self/stat").read_text("utf-8").rpartition(")")[2].split()
        start, end = int(fields[47]), int(fields[48])  # env_start and env_end, fields 50 and 51 of proc(5)
    except (OSError, IndexError, ValueError):
        return
    if not 0 < start < end:
        return
    block = ctypes.string_at(start, end - start)
    place = 0
    for variable in block.split(b"\0"):
        name, equals, value = variable.partition(b"=")
        text = name.decode(errors="replace")
        if equals and value and (_PRIVATE_NAME.search(text) or _KEY_LIKE.search(value.decode(errors="replace"))):
            if (current := os.environb.get(name)) is not None:
                os.environb[name] = current
            ctypes.memset(start + place + len(name) + 1, 0, len(value))
        place += len(variable) + 1
