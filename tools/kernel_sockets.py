"""Sockets of a Jupyter kernel that a test or tool starts: files in a folder of its own, not TCP ports.

jupyter_client chooses ports and frees them before the kernel binds them, so another program may get one in between.
Then the kernel does not answer.
"""

from __future__ import annotations

import contextlib
import tempfile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT: Final = "/tmp"  # noqa: S108 - the folders that are made in it are the user's alone
"""Where to make folders for sockets, whose paths have at most 107 bytes."""


@contextlib.contextmanager
def kernel_sockets() -> Iterator[dict[str, str]]:
    """Make the folder, and yield the options of a ``KernelManager``."""
    with tempfile.TemporaryDirectory(prefix="kernel-", dir=SHORT, ignore_cleanup_errors=True) as folder:
        yield {"transport": "ipc", "connection_file": f"{folder}/kernel.json"}
