"""Names that the two sides of a kernel agree on."""

from __future__ import annotations

from typing import Final

import msgspec

FUNCTION: Final = "jupyter-kernel"
"""Name of the function, and label of its processes."""
ADOPT: Final = "adopt"
"""Argument of the function: the process whose kernel the new process takes over."""
SHARED: Final = "shared"
"""Argument of the function: whether cells of several notebooks may use the kernel, one at a time."""
KERNEL: Final = "python3"
"""The kernel that runs where none is named."""

KEEP: Final = 12 * 3600.0
"""Seconds that a kernel lives without a caller by default."""

# Commands of the caller, in order and once.
START: Final = "start"
INTERRUPT: Final = "interrupt"
RESTART: Final = "restart"
BYE: Final = "bye"
# Notes of the caller, which are not repeated.
PING: Final = "ping"
DETACH: Final = "detach"
# What the executor reports.
STARTED: Final = "started"
NOT_STARTED: Final = "not started"
DIED: Final = "died"
PONG: Final = "pong"
SUPERSEDED: Final = "superseded"
LOST: Final = "lost"


class Start(msgspec.Struct):
    """What the caller asks for with ``start``.

    Attributes:
        key: key that Jupyter's messages are signed with.
        kernel: name of the kernel; empty for the executor's choice.
    """

    key: str
    kernel: str = ""


class Started(msgspec.Struct):
    """What the executor reports of a kernel.

    Attributes:
        key: key that its messages are signed with.
        kernel: name of the kernel.
        display_name: its name in menus.
        language: its language.
        executorname: the executor.
        is_new: whether it was started for this request.
    """

    key: str
    kernel: str
    display_name: str
    language: str
    executorname: str
    is_new: bool


class State(msgspec.Struct):
    """What everyone in the colony may know of a kernel: the output of its process while it runs.

    Attributes:
        kernel: name of the kernel.
        memory: bytes of memory.
        attached: whether a caller is attached.
        busy: whether it executes something.
        host: name of the machine that it runs on; empty for an executor of an earlier version.
    """

    kernel: str
    memory: int
    attached: bool
    busy: bool
    host: str = ""
