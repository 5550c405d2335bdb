"""Why a workflow failed: its members that failed by themselves, apart from those that failed along. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colony_jupyter.wire.models import ProcessRecord


_TRACEBACK: Final = "Traceback (most recent call last)"


def failed_first(members: Iterable[ProcessRecord]) -> list[ProcessRecord]:
    """Return the members that failed by themselves.

    The server gives those that fail along no errors, an empty list (trap 30). One whose executor gave no reason has
    null in its place.
    """
    return [each for each in members if each.state is ProcessState.FAILED and each.errors != []]


def failed_along(member: ProcessRecord) -> bool:
    """Whether a member failed because another one did."""
    return bool(member.processgraphid) and member.state is ProcessState.FAILED and member.errors == []


def failure_clause(members: Iterable[ProcessRecord]) -> str:
    """Name the members that failed by themselves, with their reasons, as a clause; empty if there are none."""
    return ", and ".join(map(_failure, failed_first(members)))


def _failure(member: ProcessRecord) -> str:
    name = f"node '{member.spec.nodename}' ({member.spec.funcname})"
    return f"{name} failed: {headline(member.errors[0])}" if member.errors else f"{name} failed without a reason"


def headline(error: str) -> str:
    """Return the line of an error that names it: the last one of a traceback, else the first."""
    lines = error.strip().splitlines() or [""]
    return lines[-1] if _TRACEBACK in error else lines[0]
