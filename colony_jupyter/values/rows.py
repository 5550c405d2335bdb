"""The columns of entries, processes, executors, functions, workflows and log lines in a table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.wire.models import moment

if TYPE_CHECKING:
    from colony_jupyter.wire.models import Entry, ExecutorRecord, Function, Log, ProcessRecord, Workflow

_PAYLOAD: Final = "payload"


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


def log_row(line: Log) -> dict[str, Any]:
    """Return the columns of a log line."""
    return {
        "timestamp": datetime.fromtimestamp(line.timestamp / 1e9, UTC),
        "executorname": line.executorname,
        "message": line.message,
        "processid": line.processid,
    }
