"""The board of a whole colony: executors, processes by state, waiting and new ones, workflows (pure)."""

from __future__ import annotations

from collections import Counter, deque
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from colony_jupyter.client.waiting import RECENT, age
from colony_jupyter.notebook.formats.plain_text import clean, one_line, seconds
from colony_jupyter.notebook.model.board import Board, Cell, Count, Row, Section
from colony_jupyter.notebook.model.group_board import identity, rate_text
from colony_jupyter.wire.models import ExecutorState, ProcessState, moment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from colony_jupyter.wire.models import ExecutorRecord, Function, ProcessRecord, Statistics, Workflow

SHOWN: Final = 5
"""Processes and workflows in each table."""
EXECUTORS: Final = 10
"""Executors that are shown."""

_WINDOW: Final = 10.0
"""Seconds over which rates are measured."""
_CELL: Final = 40
_SOON: Final = 90
_FUNCTIONS: Final = 4


class Facts(NamedTuple):
    """What was asked of the colony at one moment.

    Attributes:
        statistics: counts of the whole colony.
        executors: all executors.
        functions: all functions.
        waiting: processes that wait, the next ones first.
        running: processes that run, at most 100.
        closed: processes that closed last.
        workflows: workflows that wait or run.
        trouble: why something of it is missing; may be empty.
    """

    statistics: Statistics
    executors: Sequence[ExecutorRecord] = ()
    functions: Sequence[Function] = ()
    waiting: Sequence[ProcessRecord] = ()
    running: Sequence[ProcessRecord] = ()
    closed: Sequence[ProcessRecord] = ()
    workflows: Sequence[Workflow] = ()
    trouble: str = ""


class TopModel:
    """What is shown of a colony, from one moment to the next.

    Args:
        title: where the colony is.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._counts: deque[tuple[float, Counter[str]]] = deque()

    def board(self, facts: Facts, now: datetime) -> Board:
        """Make the board of what is known at a time."""
        counts = _counts(facts.statistics)
        rates = self._rates(counts, now.timestamp())
        submitted = rates.pop("submitted", 0.0)
        return Board(
            title=one_line(self._title, 100),
            meta=f"{rate_text(submitted)} submitted" if submitted else "",
            is_live=True,
            counts=[
                Count(state.name, counts[state.name], rate_text(rate) if (rate := rates.get(state.name)) else "")
                for state in ProcessState
            ],
            sections=[
                _executors(facts, now),
                *_longest_waiting(facts.waiting, now),
                *_newest(facts, now),
                *_workflows(facts, now),
            ],
            trouble=clean(facts.trouble),
        )

    def _rates(self, counts: Counter[str], at: float) -> dict[str, float]:
        """Return how many closed a second in each way, and how many were submitted."""
        self._counts.append((at, counts))
        while len(self._counts) > 2 and at - self._counts[1][0] >= _WINDOW:  # noqa: PLR2004 - the first and the last
            self._counts.popleft()
        begun, earlier = self._counts[0]
        if at <= begun:
            return {}
        closed = [state.name for state in ProcessState if state.is_closed]
        rates = {name: (counts[name] - earlier[name]) / (at - begun) for name in closed}
        rates["submitted"] = (counts.total() - earlier.total()) / (at - begun)
        return {name: rate for name, rate in rates.items() if rate > 0}  # removals are no rate


def _counts(statistics: Statistics) -> Counter[str]:
    return Counter(
        {
            "WAITING": statistics.waitingprocesses,
            "RUNNING": statistics.runningprocesses,
            "SUCCESS": statistics.successfulprocesses,
            "FAILED": statistics.failedprocesses,
            "CANCELLED": statistics.cancelledprocesses,
        }
    )


def _executors(facts: Facts, now: datetime) -> Section:
    running = Counter(record.assignedexecutorid for record in facts.running)
    functions: dict[str, list[str]] = {}
    for function in facts.functions:
        functions.setdefault(function.executorname, []).append(function.funcname)
    there = [each for each in facts.executors if each.state is not ExecutorState.REMOVED]
    there.sort(key=lambda each: (-running[each.executorid], _ago(each.lastheardfromtime, now), each.executorname))
    rows = []
    for executor in there[:EXECUTORS]:
        names = sorted(set(functions.get(executor.executorname, [])))
        more = f" and {len(names) - _FUNCTIONS} more" if len(names) > _FUNCTIONS else ""
        state = "" if executor.state is ExecutorState.APPROVED else f" ({executor.state.name.lower()})"
        heard = _ago(executor.lastheardfromtime, now)
        rows.append(
            Row(
                [
                    Cell(one_line(executor.executorname, _CELL) + state, exact=clean(executor.executorname)),
                    Cell(one_line(executor.executortype, _CELL)),
                    Cell(one_line(", ".join(names[:_FUNCTIONS]), 2 * _CELL) + more, exact=clean(", ".join(names))),
                    Cell(
                        "never" if heard == _NEVER else ago_text(heard),
                        state="FAILED" if _NEVER > heard > RECENT.total_seconds() else "",
                    ),
                    Cell(str(running[executor.executorid] or "")),
                ]
            )
        )
    left = len(there) - len(rows)
    columns = ["executor", "type", "functions", "last heard", "running"]
    none = "No executor is registered." if not there else ""
    return Section("executors", columns, rows, f"{left:,} more executors." if left else none)


def _longest_waiting(waiting: Sequence[ProcessRecord], now: datetime) -> list[Section]:
    since = {record.processid: _ago(record.submissiontime, now) for record in waiting}
    dated = [record for record in waiting if since[record.processid] < _NEVER]
    longest = sorted(dated, key=lambda record: since[record.processid], reverse=True)[:SHOWN]
    rows = [
        Row(
            [
                identity(record.processid),
                Cell(one_line(record.spec.funcname, _CELL)),
                Cell(one_line(record.spec.conditions.executortype, _CELL)),
                Cell(seconds(since[record.processid])),
            ],
            cancel=_cancellable(record),
        )
        for record in longest
    ]
    return [Section("waiting longest", ["process", "function", "type", "waiting"], rows)] if rows else []


def _newest(facts: Facts, now: datetime) -> list[Section]:
    known = {record.processid: record for record in (*facts.waiting, *facts.running, *facts.closed)}
    newest = sorted(known.values(), key=lambda record: _ago(record.submissiontime, now))[:SHOWN]
    rows = [
        Row(
            [
                identity(record.processid),
                Cell(record.state.name, state=record.state.name),
                Cell(one_line(record.spec.funcname, _CELL)),
                Cell(one_line(record.spec.conditions.executortype, _CELL)),
                Cell(ago_text(_ago(record.submissiontime, now))),
            ],
            cancel=_cancellable(record),
        )
        for record in newest
    ]
    return [Section("newest", ["process", "state", "function", "type", "submitted"], rows)] if rows else []


def _cancellable(record: ProcessRecord) -> str:
    """Return the process's id if it can be cancelled alone, which members of a workflow cannot."""
    return "" if record.state.is_closed or record.processgraphid else record.processid


def _workflows(facts: Facts, now: datetime) -> list[Section]:
    newest = sorted(facts.workflows, key=lambda each: _ago(each.submissiontime, now))[:SHOWN]
    rows = [
        Row(
            [
                Cell(clean(each.processgraphid[:8]), exact=clean(each.processgraphid)),
                Cell(each.state.name, state=each.state.name),
                Cell(str(len(each.processids))),
                Cell(ago_text(_ago(each.submissiontime, now))),
            ]
        )
        for each in newest
    ]
    counted = facts.statistics
    left = counted.waitingworkflows + counted.runningworkflows - len(rows)
    more = f"{left:,} more workflows." if left > 0 else ""
    return [Section("workflows", ["workflow", "state", "processes", "submitted"], rows, more)] if rows else []


_NEVER: Final = float("inf")


def _ago(text: str, now: datetime) -> float:
    """Return the seconds since a time; infinity if it is not set."""
    try:
        when = moment(text)
    except ValueError:  # a server may pass on any text
        return _NEVER
    return _NEVER if when is None else max(0.0, (now - when).total_seconds())


def ago_text(ago: float) -> str:
    """Format the seconds since a time: ``"12 s ago"``, ``"4 min ago"``; empty for infinity."""
    if ago == _NEVER:
        return ""
    return f"{ago:.0f} s ago" if ago < _SOON else f"{age(timedelta(seconds=ago))} ago"
