"""Entries, processes, executors, functions, workflows and log lines as lists that convert to tables.

Each kind has a function that returns the columns of one element, and one that makes the list of elements.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.values.records import Records
from colony_jupyter.wire.models import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from colony_jupyter.wire.models import Entry, ExecutorRecord, Function, Log, ProcessRecord, Workflow

_PAYLOAD: Final = "payload"

_ENTRY: Final[Mapping[str, type]] = {
    "sequence": int,
    "inreplyto": int,
    "timestamp": datetime,
    "senderid": str,
    "type": str,
}
_LOG: Final[Mapping[str, type]] = {"timestamp": datetime, "executorname": str, "message": str, "processid": str}
PROCESS: Final[Mapping[str, type]] = {
    "processid": str,
    "funcname": str,
    "state": str,
    "executortype": str,
    "assignedexecutorid": str,
    "initiatorname": str,
    "submissiontime": datetime,
    "starttime": datetime,
    "endtime": datetime,
    "retries": int,
    "label": str,
    "args": list,
    "kwargs": dict,
    "channels": list,
    "output": list,
    "errors": list,
}
"""Columns of a process."""
GROUP: Final[Mapping[str, type]] = {"output": str, "state": str, "seconds": float, "errors": list, "processid": str}
"""Columns of a process of a group, beside those of its arguments."""
_EXECUTOR: Final[Mapping[str, type]] = {
    "executorname": str,
    "executortype": str,
    "state": str,
    "commissiontime": datetime,
    "lastheardfromtime": datetime,
    "locationname": str,
    "executorid": str,
}
_FUNCTION: Final[Mapping[str, type]] = {
    "funcname": str,
    "executortype": str,
    "executorname": str,
    "description": str,
    "args": list,
    "counter": int,
    "avgexectime": float,
}
_WORKFLOW: Final[Mapping[str, type]] = {
    "processgraphid": str,
    "state": str,
    "initiatorname": str,
    "submissiontime": datetime,
    "starttime": datetime,
    "endtime": datetime,
    "processids": list,
}


def entry_records(items: Iterable[Entry]) -> Records[Entry]:
    """Return a list of entries that converts to a table."""
    return Records(items, entry_row, _ENTRY)


def entry_row(entry: Entry) -> dict[str, Any]:
    """Return the columns of an entry.

    A payload that is a JSON object becomes one column for each key, ``payload_KEY`` where the key is also the name of
    another column. A number stays a number, other text is text, and what is not UTF-8 stays bytes.
    """
    row: dict[str, Any] = {
        "sequence": entry.sequence,
        "inreplyto": entry.inreplyto,
        "timestamp": _time(entry.timestamp),
        "senderid": entry.senderid,
        "type": entry.type,
    }
    value = _payload(entry)
    if not isinstance(value, dict):
        return {**row, _PAYLOAD: value}
    return {**row, **{(f"{_PAYLOAD}_{key}" if key in row else key): each for key, each in value.items()}}


def _time(text: str) -> datetime | None:
    try:
        return moment(text)
    except ValueError:  # a server may pass on any text
        return None


def _payload(entry: Entry) -> Any:
    try:
        value = entry.json()
    except ValueError:
        value = None
    if isinstance(value, (dict, int, float)) and not isinstance(value, bool):
        return value
    try:
        return entry.payload.decode()
    except UnicodeDecodeError:
        return entry.payload


def process_records(items: Iterable[ProcessRecord]) -> Records[ProcessRecord]:
    """Return a list of processes that converts to a table."""
    return Records(items, process_row, PROCESS)


def process_row(record: ProcessRecord) -> dict[str, Any]:
    """Return the columns of a process."""
    spec = record.spec
    return {
        "processid": record.processid,
        "funcname": spec.funcname,
        "state": record.state.name,
        "executortype": spec.conditions.executortype,
        "assignedexecutorid": record.assignedexecutorid,
        "initiatorname": record.initiatorname,
        "submissiontime": _time(record.submissiontime),
        "starttime": _time(record.starttime),
        "endtime": _time(record.endtime),
        "retries": record.retries,
        "label": spec.label,
        "args": spec.args,
        "kwargs": spec.kwargs,
        "channels": list(spec.channels),
        "output": record.output,
        "errors": list(record.errors or []),
    }


def member_row(record: ProcessRecord) -> dict[str, Any]:
    """Return the columns of a process of a workflow: those of a process, after its node and what that depends on."""
    spec = record.spec
    return {"nodename": spec.nodename, "dependencies": list(spec.conditions.dependencies), **process_row(record)}


def group_row(arguments: Mapping[str, Any], record: ProcessRecord, output: Any, state: str) -> dict[str, Any]:
    """Return the columns of a process of a group: its arguments, its output, and how it ended.

    An output that is a JSON object becomes one column for each key; ``output_KEY`` where the key is also the name of
    another column, and ``arg_NAME`` for an argument.

    Args:
        arguments: the arguments by their names.
        record: the process.
        output: its output as one value; None unless it was successful.
        state: the name of its state.
    """
    facts = {
        "state": state,
        "seconds": _seconds(record),
        "errors": list(record.errors or []),
        "processid": record.processid,
    }
    taken = {"output", *facts}
    row = {(f"arg_{name}" if name in taken else name): value for name, value in arguments.items()}
    if type(output) is dict:
        names = {*row, *taken}
        row |= {(f"output_{key}" if key in names else key): value for key, value in output.items()}
    else:
        row["output"] = output
    return {**row, **facts}


def _seconds(record: ProcessRecord) -> float | None:
    """Return how long a process ran; None for one that has not ended."""
    start, end = _time(record.starttime), _time(record.endtime)
    return None if start is None or end is None or not record.state.is_closed else (end - start).total_seconds()


def executor_records(items: Iterable[ExecutorRecord]) -> Records[ExecutorRecord]:
    """Return a list of executors that converts to a table."""
    return Records(items, executor_row, _EXECUTOR)


def executor_row(record: ExecutorRecord) -> dict[str, Any]:
    """Return the columns of an executor."""
    return {
        "executorname": record.executorname,
        "executortype": record.executortype,
        "state": record.state.name,
        "commissiontime": _time(record.commissiontime),
        "lastheardfromtime": _time(record.lastheardfromtime),
        "locationname": record.locationname,
        "executorid": record.executorid,
    }


def function_records(items: Iterable[Function]) -> Records[Function]:
    """Return a list of registered functions that converts to a table."""
    return Records(items, function_row, _FUNCTION)


def function_row(record: Function) -> dict[str, Any]:
    """Return the columns of a registered function. Times are seconds."""
    return {
        "funcname": record.funcname,
        "executortype": record.executortype,
        "executorname": record.executorname,
        "description": record.description,
        "args": [argument.name for argument in record.args],
        "counter": record.counter,
        "avgexectime": record.avgexectime,
    }


def workflow_records(items: Iterable[Workflow]) -> Records[Workflow]:
    """Return a list of workflows that converts to a table."""
    return Records(items, workflow_row, _WORKFLOW)


def workflow_row(record: Workflow) -> dict[str, Any]:
    """Return the columns of a workflow."""
    return {
        "processgraphid": record.processgraphid,
        "state": record.state.name,
        "initiatorname": record.initiatorname,
        "submissiontime": _time(record.submissiontime),
        "starttime": _time(record.starttime),
        "endtime": _time(record.endtime),
        "processids": list(record.processids),
    }


def log_records(items: Iterable[Log]) -> Records[Log]:
    """Return a list of log lines that converts to a table."""
    return Records(items, log_row, _LOG)


def log_row(line: Log) -> dict[str, Any]:
    """Return the columns of a log line."""
    return {
        "timestamp": datetime.fromtimestamp(line.timestamp / 1e9, UTC),
        "executorname": line.executorname,
        "message": line.message,
        "processid": line.processid,
    }
