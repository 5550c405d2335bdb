"""The board of a group of processes (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from colony_jupyter.notebook.formats.plain_text import clean, one_line, seconds
from colony_jupyter.notebook.model.board import Action, Bar, Board, Cell, Count, Row, Section
from colony_jupyter.notebook.model.progress import Meter, Progress
from colony_jupyter.wire.models import ProcessState, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from colony_jupyter.wire.models import ProcessRecord

SHOWN: Final = 5
"""Processes in each table."""
_LONGEST: Final = 200
_CELL: Final = 60
_HOUR: Final = 3600.0
_MINUTE: Final = 60.0
_SOON: Final = 90.0
_LATE: Final = 5400.0


class Facts(NamedTuple):
    """One process of a group.

    Attributes:
        columns: its arguments by their names.
        record: the process.
        state: the name of its state.
    """

    columns: Mapping[str, Any]
    record: ProcessRecord
    state: str


class GroupModel:
    """What is shown of a group, from one moment to the next.

    Args:
        funcname: name of the function.
        label: the label of the processes.
        now: the present time, with a time zone.
    """

    def __init__(self, funcname: str, label: str, now: Callable[[], datetime]) -> None:
        self._funcname = funcname
        self._label = label
        self._now = now
        self._meter = Meter()

    def board(
        self,
        members: Sequence[Facts],
        asked: int,
        *,
        executors: Mapping[str, str],
        is_followed: bool,
        waiting_for: str = "",
        trouble: str = "",
    ) -> Board:
        """Make the board.

        Args:
            members: the processes, in the order of the group.
            asked: how many were to be submitted.
            executors: names of executors by their ids.
            is_followed: whether the board changes by itself.
            waiting_for: what the processes wait for, as a clause; may be empty.
            trouble: why the board may be out of date; may be empty.
        """
        counted: dict[str, int] = {}
        for member in members:
            counted[member.state] = counted.get(member.state, 0) + 1
        order = [*ProcessState.__members__, *sorted(counted.keys() - ProcessState.__members__.keys())]
        open_count = counted.get("WAITING", 0) + counted.get("RUNNING", 0)
        done = len(members) - open_count
        if members:
            self._meter.report(Progress(done / len(members), done, len(members)), self._now().timestamp())
        number = f"{len(members):,} of {asked:,}" if len(members) < asked else f"{len(members):,}"
        meta = [f"{number} process{'' if len(members) == 1 and asked == 1 else 'es'}", f"label {self._label}"]
        return Board(
            title=one_line(self._funcname, _LONGEST),
            state=_overall(counted),
            meta=one_line(" · ".join([*meta, *([waiting_for] if waiting_for else [])]), _LONGEST),
            elapsed=self._elapsed(members, is_open=open_count > 0),
            is_live=is_followed,
            bar=Bar(done, len(members), self._pace() if open_count else ""),
            counts=[Count(state, counted[state]) for state in order if state in counted],
            sections=[*self._slowest(members, executors), *_failures(members)],
            actions=_actions(counted, open_count),
            trouble=clean(trouble),
        )

    def _pace(self) -> str:
        rate, left = self._meter.rate, self._meter.left
        return rate_text(rate) + (f" · {span_text(left)} left" if left is not None else "") if rate else ""

    def _elapsed(self, members: Sequence[Facts], *, is_open: bool) -> float | None:
        begun = [when for each in members if (when := _moment(each.record.submissiontime)) is not None]
        ended = [when for each in members if (when := _moment(each.record.endtime)) is not None]
        if not begun:
            return None
        last = self._now() if is_open or not ended else max(ended)
        return max(0.0, (last - min(begun)).total_seconds())

    def _slowest(self, members: Sequence[Facts], executors: Mapping[str, str]) -> list[Section]:
        """Return the processes that run longest, or when none runs those that took longest."""
        running = [each for each in members if each.state == "RUNNING"]
        timed = [(took, each) for each in running or members if (took := self._took(each.record)) is not None]
        if not timed:
            return []
        slowest = sorted(timed, key=lambda pair: pair[0], reverse=True)[:SHOWN]
        rows = [
            Row(
                [
                    identity(each.record.processid),
                    arguments(each.columns),
                    Cell(one_line(executors.get(each.record.assignedexecutorid, ""), _CELL)),
                    Cell(seconds(took)),
                ],
                cancel=each.record.processid if running else "",
            )
            for took, each in slowest
        ]
        name = "running longest" if running else "took longest"
        return [Section(name, ["process", "arguments", "executor", "time"], rows)]

    def _took(self, record: ProcessRecord) -> float | None:
        start, end = _moment(record.starttime), _moment(record.endtime)
        if start is None or (record.state.is_closed and end is None):
            return None
        last = end if record.state.is_closed and end is not None else self._now()
        return max(0.0, (last - start).total_seconds())


def _overall(counted: Mapping[str, int]) -> str:
    """Return the state that sums up all."""
    if counted.get("RUNNING") or (counted.get("WAITING") and len(counted) > 1):
        return "RUNNING"
    if counted.get("WAITING"):
        return "WAITING"
    if counted.get("FAILED") or counted.get("REMOVED"):
        return "FAILED"
    return "CANCELLED" if counted.get("CANCELLED") else "SUCCESS"


def _failures(members: Sequence[Facts]) -> list[Section]:
    failed = [each for each in members if each.state == "FAILED"]
    if not failed:
        return []
    rows = [
        Row(
            [
                identity(each.record.processid),
                arguments(each.columns),
                Cell(
                    one_line(next(iter(each.record.errors or []), "") or "no reason was given", _LONGEST),
                    exact=clean("\n".join(each.record.errors or []))[:2000],
                ),
            ]
        )
        for each in failed[:SHOWN]
    ]
    more = len(failed) - len(rows)
    return [Section("failures", ["process", "arguments", "error"], rows, f"{more:,} more failed." if more else "")]


def _actions(counted: Mapping[str, int], open_count: int) -> list[Action]:
    actions = []
    if failed := counted.get("FAILED", 0):
        actions.append(Action("retry", f"Retry {failed:,} failed"))
    if open_count:
        what = "1 process" if open_count == 1 else f"{open_count:,} processes"
        actions.append(Action("cancel", "Cancel", f"Cancel {what}?"))
    return actions


def identity(processid: str) -> Cell:
    """Return the cell of a process's id."""
    return Cell(clean(processid[:8]), exact=clean(processid), pid=processid)


def arguments(columns: Mapping[str, Any]) -> Cell:
    """Return the cell of arguments."""
    text = ", ".join(f"{name}={_value(value)}" for name, value in columns.items())
    return Cell(one_line(text, _CELL), exact=one_line(text, _LONGEST) if len(text) > _CELL else "")


def _value(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, UnicodeError):  # arguments are shown as they were passed
        return repr(value)


def rate_text(rate: float) -> str:
    """Format a number a second: ``"12/s"``, ``"0.4/s"``, ``"3/min"``."""
    if rate >= 10:  # noqa: PLR2004 - from here on a fraction means nothing
        return f"{rate:,.0f}/s"
    return f"{rate:.1f}/s" if rate >= 0.1 else f"{rate * _MINUTE:.1f}/min"  # noqa: PLR2004 - one digit would be 0.0


def span_text(span: float) -> str:
    """Format a span of seconds roughly: ``"3 s"``, ``"2 min"``, ``"1.5 h"``."""
    if span < _SOON:
        return f"{span:.0f} s"
    return f"{span / _MINUTE:.0f} min" if span < _LATE else f"{span / _HOUR:.1f} h"


def _moment(text: str) -> datetime | None:
    try:
        return moment(text)
    except ValueError:  # a server may pass on any text
        return None
