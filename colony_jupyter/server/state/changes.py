"""Detects whether a call has changed the state in memory, so that a failed call that changed nothing costs nothing.

The record is per task: calls run in tasks of their own, so a change is attributed to the call that made it even when
calls alternate at their awaits.
"""

from __future__ import annotations

from contextvars import ContextVar


class Changes:
    """Record of one call.

    Attributes:
        made: True once the call has changed anything.
    """

    __slots__ = ("made",)

    def __init__(self) -> None:
        self.made = False


_current: ContextVar[Changes | None] = ContextVar("colony_jupyter_changes", default=None)


def track() -> Changes:
    """Start a new record for the current task and return it."""
    changes = Changes()
    _current.set(changes)
    return changes


def note() -> None:
    """Record that the current call is about to change the state. Every function that changes it calls this first."""
    changes = _current.get()
    if changes is not None:
        changes.made = True
