"""Objects as a ColonyOS server writes them: which members are left out when empty, what is null and what is []."""

from __future__ import annotations

import datetime as dt
import functools
from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.server.state.quantities import SECOND
from colony_jupyter.wire.models import NO_TIME, ProcessState

if TYPE_CHECKING:
    from colony_jupyter.server.state.channel_logs import ChannelLog
    from colony_jupyter.server.state.colony_state import ColonyState
    from colony_jupyter.server.state.records import Executor, LogLine, Process, StoredEntry, Workflow
    from colony_jupyter.wire.models import Attribute, Function, FunctionSpec

_COLORS: Final = ("#9e9e9e", "#1976d2", "#388e3c", "#d32f2f", "#f57c00")


def time(ns: int) -> str:
    """Write a time as RFC 3339 with up to nine fractional digits."""
    if not ns:
        return NO_TIME
    seconds, fraction = divmod(ns, SECOND)
    digits = f"{fraction:09d}".rstrip("0")
    return f"{_second(seconds)}.{digits}Z" if digits else f"{_second(seconds)}Z"


@functools.lru_cache(maxsize=1000)  # entries of a log share theirs: formatting it takes a fifth of a read
def _second(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _without(value: dict[str, Any], *names: str) -> dict[str, Any]:
    """Leave members out that are empty."""
    for name in names:
        if not value.get(name):
            value.pop(name, None)
    return value


def spec(function: FunctionSpec) -> dict[str, Any]:
    """Write a function spec."""
    value: dict[str, Any] = msgspec.to_builtins(function)
    conditions = _without(value["conditions"], "locationname")
    if "*" in (conditions["executornames"] or ()):
        conditions["executornames"] = []  # so it comes back, though it matches no executor
    return _without(value, "channels")


def process(found: Process) -> dict[str, Any]:
    """Write a process."""
    return {
        "processid": found.processid,
        "initiatorid": found.initiatorid,
        "initiatorname": found.initiatorname,
        "assignedexecutorid": found.executorid,
        "isassigned": found.assigned,
        "state": int(found.state),
        "prioritytime": found.priority,
        "submissiontime": time(found.submitted),
        "starttime": time(found.started),
        "endtime": time(found.ended),
        "waitdeadline": time(found.waitdeadline),
        "execdeadline": time(found.execdeadline),
        "retries": found.retries,
        "attributes": [attribute(each) for each in found.attributes],
        "spec": spec(found.spec),
        "waitforparents": found.waitforparents,
        "parents": found.parents,
        "children": found.children,
        "processgraphid": found.workflowid,
        "in": found.input,
        "out": found.output,
        "errors": found.errors,
    }


def announcement(found: Process, colony: ColonyState) -> dict[str, Any]:
    """Write a process as announced: success without output and end, unless its function is registered (trap 10)."""
    shown = process(found)
    if found.state is ProcessState.SUCCESS:
        executor = colony.executor_by_id(found.executorid)
        name = executor.record.executorname if executor else ""
        if not colony.has_function(name, found.spec.funcname):
            shown |= {"endtime": NO_TIME, "out": found.former_output}
    return shown


def attribute(found: Attribute) -> dict[str, Any]:
    """Write an attribute."""
    value: dict[str, Any] = msgspec.to_builtins(found)
    return value


def executor(found: Executor) -> dict[str, Any]:
    """Write an executor."""
    value: dict[str, Any] = msgspec.to_builtins(found.record)
    value["commissiontime"] = time(found.commissioned)
    value["lastheardfromtime"] = time(found.heard)
    return _without(value, "locationname", "blueprintid", "blueprintgen")


def function(found: Function) -> dict[str, Any]:
    """Write a registered function."""
    value: dict[str, Any] = msgspec.to_builtins(found)
    for argument in value["args"]:
        _without(argument, "description", "required", "enum")
    return _without(value, "args", "description", "locationname")


def log(line: LogLine) -> dict[str, Any]:
    """Write a log line."""
    value: dict[str, Any] = msgspec.to_builtins(line)
    return value


def entry(found: StoredEntry) -> dict[str, Any]:
    """Write a channel entry."""
    value: dict[str, Any] = {"sequence": found.sequence}
    if found.inreplyto:
        value["inreplyto"] = found.inreplyto
    value |= {
        "timestamp": time(found.timestamp),
        "senderid": found.senderid,
        "payload": found.payload,
        "type": found.type,
    }
    return value


def entries(channel: ChannelLog, start: int, limit: int) -> list[dict[str, Any]]:
    """Write a part of a channel's log."""
    start = max(start, 0)
    end = start + limit if limit > 0 else None
    return [entry(found) for found in channel.read(start, end)]


def workflow(found: Workflow, colony: ColonyState, state: ProcessState, *, fresh: bool = False) -> dict[str, Any]:
    """Write a workflow; a fresh one, as the reply to its submission, has no time and no drawing yet."""
    members = [] if fresh else _from_roots_down(found, colony)
    return {
        "processgraphid": found.processgraphid,
        "initiatorid": found.initiatorid,
        "initiatorname": found.initiatorname,
        "colonyname": found.colonyname,
        "rootprocessids": found.rootprocessids,
        "state": int(state),
        "submissiontime": NO_TIME if fresh else time(found.submitted),
        "starttime": time(found.started),
        "endtime": time(found.ended),
        "processids": found.processids if fresh else [member.processid for member in members],
        "nodes": [_node(member, place) for place, member in enumerate(members)],
        "edges": [
            {
                "id": f"{member.processid}-{child}",
                "source": member.processid,
                "target": child,
                "animated": member.state is ProcessState.RUNNING,
            }
            for member in members
            for child in member.children
        ],
    }


def _from_roots_down(found: Workflow, colony: ColonyState) -> list[Process]:
    """Order a workflow's members depth first; what no root leads to, as in a cycle, comes last."""
    ordered: dict[str, Process] = {}
    ahead = [*reversed(found.processids), *reversed(found.rootprocessids)]
    while ahead:
        processid = ahead.pop()
        member = None if processid in ordered else colony.find(processid)
        if member is not None:
            ordered[processid] = member
            ahead += reversed(member.children)
    return list(ordered.values())


def _node(member: Process, place: int) -> dict[str, Any]:
    kind = "input" if not member.parents else "output" if not member.children else ""
    return {
        "id": member.processid,
        "data": {"label": member.spec.nodename},
        "position": {"x": 100, "y": 100 * place},
        "type": kind,
        "style": {"color": "#ffffff", "background": _COLORS[member.state]},
    }
