"""What a pane knows of a workflow: its members, drawn as a graph, and their changes in words (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.client.workflows.failures import failed_along, failed_first, failure_clause, headline
from colony_jupyter.notebook.formats.plain_text import clean, one_line
from colony_jupyter.notebook.formats.workflow_graph import Graph
from colony_jupyter.notebook.model.progress import Progress
from colony_jupyter.wire.models import NO_TIME, FunctionSpec, ProcessRecord, ProcessState, moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from colony_jupyter.notebook.model.changes import WorkflowChange
    from colony_jupyter.wire.models import Workflow

DRAWN: Final = 400
"""Members that a page draws."""

REMARKS: Final = 3
"""Remarks of ours that a page shows."""

_REASON: Final = 300
_NAME: Final = 80


class Flow:
    """The members of one workflow."""

    def __init__(self) -> None:
        self.record: Workflow | None = None
        """The workflow; None before anything is known of it."""
        self.members: list[ProcessRecord] = []
        self.opened: tuple[str, str] | None = None
        """The member that is shown in a pane of its own, and the id of the widget of that pane; None while none is."""
        self._executors: Mapping[str, str] = {}
        self._names: dict[str, str] = {}
        self._clause = ""  # what failed by itself, and why
        self._first = ""  # names of the members that failed by themselves
        self._reported: dict[str, ProcessState] = {}

    def update(self, change: WorkflowChange) -> list[str]:
        """Apply a change, and return a line of text for each member whose state has changed."""
        self.record, self._executors = change.record, change.executors
        self.members = members = list(change.members)
        self._names = {member.processid: _name(member) for member in members}
        self._clause = failure_clause(members)
        self._first = ", ".join(self._names[member.processid] for member in failed_first(members))
        is_open = self._closed < len(members)
        changed = [
            member
            for member in members
            if self._reported.get(member.processid, ProcessState.WAITING) is not member.state
            and not (is_open and failed_along(member) and not self._clause)  # what failed first is known soon
        ]
        self._reported |= {member.processid: member.state for member in changed}
        return [self._line(member) for member in changed]

    def summary(self) -> ProcessRecord | None:
        """Return the workflow as if it were one process; None before anything is known of it.

        Its output is that of the member that no other depends on, a table if there are several; its errors are those
        of the members that failed by themselves.
        """
        record = self.record
        if record is None:
            return None
        ended = self._closed == len(self.members)
        state = record.state if ended or not record.state.is_closed else ProcessState.RUNNING
        ends = [when for member in self.members if (when := member.endtime) != NO_TIME]
        errors = [line for member in failed_first(self.members) for line in self._error_text(member)]
        return ProcessRecord(
            processid=record.processgraphid,
            initiatorid=record.initiatorid,
            initiatorname=record.initiatorname,
            state=state,
            submissiontime=record.submissiontime if record.submissiontime != NO_TIME else self._submitted(),
            starttime=record.starttime,
            endtime=max(ends, default=record.endtime),
            spec=FunctionSpec(funcname="workflow"),
            output=self._output() if state is ProcessState.SUCCESS else [],
            errors=errors if state is ProcessState.FAILED else [],
        )

    def progress(self) -> Progress | None:
        """Count the members that have succeeded; None before anything is known of them."""
        total = len(self.members)
        if not total:
            return None
        states = [member.state for member in self.members]
        counts = ", ".join(
            f"{states.count(state)} {state.name.lower()}" for state in _WORTH_COUNTING if state in states
        )
        done = states.count(ProcessState.SUCCESS)
        return Progress(done / total, done, total, counts)

    def graph(self) -> Graph | None:
        """Return the graph that a transcript draws; None before anything is known of it."""
        if self.record is None:
            return None
        ids = [member.processid for member in self.members]
        return Graph(msgspec.structs.replace(self.record, processids=ids), self.members)

    def lines(self, now: float) -> list[str]:
        """Return a line of text for each member, as it is now."""
        found = []
        for member in self.members:
            took = _took(member, now)
            duration = f", {took:.1f} s" if took is not None and member.state is not ProcessState.FAILED else ""
            found.append(self._line(member) + duration)
        return found

    def head(self, remarks: Sequence[tuple[str, str]], now: float) -> dict[str, Any]:
        """Return what the head of a pane has of it (``Head`` in static/store.js), with the latest remarks of ours."""
        return {"flow": self.wire(now), "remarks": remarks[-REMARKS:]}

    def wire(self, now: float) -> dict[str, Any] | None:
        """Return it as the page reads it (``Flow`` in static/workflow/graph.js)."""
        graph = self.graph()
        if graph is None:
            return None
        members = {member.processid: member for member in self.members}
        drawn = [self._node(node.column, node.row, members[node.processid], now) for node in graph.nodes[:DRAWN]]
        known = {node["pid"] for node in drawn}
        return {
            "nodes": drawn,
            "edges": [edge for edge in graph.edges if known.issuperset(edge)],
            "count": len(self.members),
            "opened": self.opened,
        }

    @property
    def _closed(self) -> int:
        return sum(member.state.is_closed for member in self.members)

    def _output(self) -> list[Any]:
        leaves = [member for member in self.members if not member.children and member.output]
        if len(leaves) == 1:
            return leaves[0].output
        rows = [
            {"node": self._names[leaf.processid], "output": leaf.output[0] if len(leaf.output) == 1 else leaf.output}
            for leaf in leaves
        ]
        return [rows] if rows else []

    def _error_text(self, member: ProcessRecord) -> list[str]:
        clause, errors = failure_clause([member]), member.errors or []
        return [clause] if len(errors) == 1 and clause.endswith(errors[0]) else [clause, *errors]

    def _submitted(self) -> str:
        return min((member.submissiontime for member in self.members), default=NO_TIME)

    def _node(self, column: int, row: int, member: ProcessRecord, now: float) -> dict[str, Any]:
        return {
            "pid": member.processid,
            "name": self._names[member.processid],
            "state": member.state.name,
            "executor": self._executor(member),
            "column": column,
            "row": row,
            "took": _took(member, now),
            "reason": self._reason(member),
            "along": self._first if failed_along(member) else "",
        }

    def _executor(self, member: ProcessRecord) -> str:
        executorid = member.assignedexecutorid
        return one_line(self._executors.get(executorid, executorid[:8]), _NAME)

    def _reason(self, member: ProcessRecord) -> str:
        if failed_along(member):
            return one_line(f"failed along: {self._clause}" if self._clause else "failed along", _REASON)
        return one_line(headline(member.errors[0]), _REASON) if member.errors else ""

    def _line(self, member: ProcessRecord) -> str:
        executor = self._executor(member)
        reason = self._reason(member)
        words = f"{self._names[member.processid]}: {member.state.name}"
        words += f" on {executor}" if executor else ""
        return f"{words}, {reason}" if reason else words


_WORTH_COUNTING: Final = (ProcessState.RUNNING, ProcessState.WAITING, ProcessState.FAILED, ProcessState.CANCELLED)


def _name(member: ProcessRecord) -> str:
    return one_line(member.spec.nodename or member.spec.funcname, _NAME) or clean(member.processid[:8])


def _took(member: ProcessRecord, now: float) -> float | None:
    """Return the seconds it ran, or has run so far; None if it has not."""
    start, end = seconds(member.starttime), seconds(member.endtime)
    if start is None:
        return None
    if member.state is ProcessState.RUNNING:
        return round(max(0.0, now - start), 3)
    return round(max(0.0, end - start), 3) if end is not None else None


def title_of(spec: FunctionSpec) -> str:
    """Return the name of a function; of one in a workflow after the name of its node."""
    named = spec.nodename and spec.nodename != spec.funcname
    return f"{spec.nodename} ({spec.funcname})" if named else spec.funcname


def seconds(text: str) -> float | None:
    """Read a time of the server as Unix seconds; None if it is not set, or no time."""
    try:
        when = moment(text)
    except ValueError:
        return None
    return when.timestamp() if when else None
