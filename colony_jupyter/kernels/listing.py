"""The kernels of a colony, as their processes show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.client.waiting import age
from colony_jupyter.errors import UsageError
from colony_jupyter.kernels import names
from colony_jupyter.values.records import Records
from colony_jupyter.wire.models import ProcessState, moment

if TYPE_CHECKING:
    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.client.process import AsyncProcess

_MB = 1e6
COLUMNS: Final = ("process", "kernel", "owner", "place", "age", "memory", "attached", "busy")
"""Columns of the table of kernels."""


@dataclass(frozen=True)
class KernelRecord:
    """A kernel.

    Attributes:
        processid: the process that carries it.
        owner: name of its user.
        executorname: the executor; empty while it waits for one.
        executortype: type of the executor.
        started: when its process was submitted.
        state: what its executor reported last; None before that.
    """

    processid: str
    owner: str
    executorname: str
    executortype: str
    started: datetime | None
    state: names.State | None


async def kernels(colony: AsyncColony) -> Records[KernelRecord]:
    """List the kernels of a colony that run or wait."""
    executors = {each.executorid: each.executorname for each in await colony.executors()}
    found = []
    for state in (ProcessState.RUNNING, ProcessState.WAITING):
        found += [_record(process, executors) for process in await colony.processes(state, label=names.FUNCTION)]
    return Records(found, kernel_row, dict.fromkeys(COLUMNS, str))


async def find(colony: AsyncColony, processid: str) -> AsyncProcess:
    """Find a kernel by its process, or the beginning of the process's id.

    Raises:
        UsageError: if there is none, or more than one.
    """
    running = await kernels(colony)
    fitting = [each for each in running if each.processid.startswith(processid)]
    if len(fitting) != 1:
        there = ", ".join(each.processid[:8] for each in running) or "none"
        count = "no kernel" if not fitting else f"{len(fitting)} kernels"
        raise UsageError(f"'{processid}' names {count}. Kernels that run: {there}.")
    return await colony.get_process(fitting[0].processid)


def kernel_row(record: KernelRecord) -> dict[str, Any]:
    """Return a kernel as a row of a table."""
    state, now = record.state, datetime.now(UTC)
    cells = (
        record.processid[:8],
        state.kernel if state is not None else "",
        record.owner,
        _place(record),
        age(now - record.started) if record.started is not None else "",
        f"{state.memory / _MB:.0f} MB" if state is not None and state.memory else "",
        ("yes" if state.attached else "no") if state is not None else "",
        ("yes" if state.busy else "no") if state is not None else "",
    )
    return dict(zip(COLUMNS, cells, strict=True))


def _place(record: KernelRecord) -> str:
    """Return the names of the machine and of the executor."""
    if not record.executorname:
        return f"(waits for type '{record.executortype}')"
    host = record.state.host if record.state is not None else ""
    return f"{host} / {record.executorname}" if host else record.executorname


def _record(process: AsyncProcess, executors: dict[str, str]) -> KernelRecord:
    record = process.record
    state = None
    if record.output:
        try:
            state = msgspec.convert(record.output[0], names.State)
        except msgspec.ValidationError:
            state = None
    return KernelRecord(
        record.processid,
        record.initiatorname or record.initiatorid[:8],
        executors.get(record.assignedexecutorid, ""),
        record.spec.conditions.executortype,
        moment(record.submissiontime),
        state,
    )
