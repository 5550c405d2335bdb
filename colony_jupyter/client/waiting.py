"""Explains in a sentence what a waiting process waits for (pure)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from colony_jupyter.client.conditions import missing
from colony_jupyter.wire.models import ExecutorState, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colony_jupyter.wire.models import ExecutorRecord, ProcessRecord

RECENT: Final = timedelta(seconds=200)
"""An executor that the server heard within this time counts as running; a busy one sends a heartbeat every 180 s."""

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


def waiting_sentence(record: ProcessRecord, executors: Sequence[ExecutorRecord] | None, now: datetime) -> str:
    """Explain what a waiting process waits for.

    Args:
        record: the process.
        executors: all executors of the colony; None if they are unknown.
        now: the time, with a time zone.
    """
    if record.waitforparents:
        return "Waiting for the processes it depends on."
    conditions = record.spec.conditions
    names = conditions.executornames
    kind = f"of type '{conditions.executortype}'"
    if names:
        kind += f" named {' or '.join(repr(name) for name in names)}"
    wanted = f"Waiting for an executor {kind}"
    if executors is None:
        return f"{wanted}."
    suitable = [
        each
        for each in executors
        if each.executortype == conditions.executortype and (not names or each.executorname in names)
    ]
    if not suitable:
        return f"{wanted}: none is registered."
    approved = [each for each in suitable if each.state is ExecutorState.APPROVED]
    if not approved:
        return f"{wanted}: none is approved."
    if missing(conditions, approved):
        running = [each for each in approved if (when := _heard(each)) is not None and now - when <= RECENT]
        return f"Waiting: {missing(conditions, running or approved)}."
    times = [when for each in approved if (when := _heard(each)) is not None]
    if times and now - max(times) <= RECENT:
        return f"{wanted} to be free."
    count = f"{len(approved)} executor{'s' if len(approved) > 1 else ''}"
    heard = f"last heard {age(now - max(times))} ago" if times else "not heard from yet"
    return f"Waiting for {count} {kind}, {heard}."


def age(span: timedelta) -> str:
    """Write a time span in its largest unit: ``"4 min"``, ``"3 h"``, ``"2 days"``."""
    if span < _HOUR:
        return f"{max(0, round(span.total_seconds() / 60))} min"
    if span < _DAY:
        return f"{round(span / _HOUR)} h"
    days = round(span / _DAY)
    return f"{days} day{'s' if days > 1 else ''}"


def _heard(executor: ExecutorRecord) -> datetime | None:
    try:
        return moment(executor.lastheardfromtime)
    except ValueError:
        return None


def clause(sentence: str) -> str:
    """Return a sentence as part of another one: ``waiting for an executor of type 'cli'``."""
    return sentence[:1].lower() + sentence[1:].rstrip(".")
