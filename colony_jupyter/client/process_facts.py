"""The fields of a process record, as properties of its handles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from colony_jupyter.errors import UsageError
from colony_jupyter.values.datatable import revive
from colony_jupyter.values.mime import as_bundle
from colony_jupyter.values.records import Records
from colony_jupyter.values.rows import PROCESS, process_row
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colony_jupyter.wire.models import FunctionSpec, ProcessRecord


class ProcessFacts:
    """The fields of a process, as the latest reply of the server shows them."""

    processid: str

    @property
    def record(self) -> ProcessRecord:
        """The process as the latest reply of the server shows it."""
        raise NotImplementedError

    @property
    def state(self) -> ProcessState:
        """WAITING, RUNNING, SUCCESS, FAILED or CANCELLED."""
        return self.record.state

    @property
    def spec(self) -> FunctionSpec:
        """The function spec that was submitted."""
        return self.record.spec

    @property
    def funcname(self) -> str:
        """Name of the function."""
        return self.record.spec.funcname

    @property
    def input(self) -> list[Any]:
        """Outputs of the processes this one depends on (``in`` on the wire); a table in it is a `DataTable`."""
        return revive(self.record.input)  # type: ignore[no-any-return]  # a list stays a list

    @property
    def output(self) -> list[Any]:
        """The output (``out`` on the wire); a table in it is a `DataTable`."""
        return revive(self.record.output)  # type: ignore[no-any-return]  # a list stays a list

    @property
    def errors(self) -> list[str]:
        """The errors that the executor reported."""
        return self.record.errors or []

    @property
    def initiatorid(self) -> str:
        """Id of its submitter."""
        return self.record.initiatorid

    @property
    def initiatorname(self) -> str:
        """Name of its submitter."""
        return self.record.initiatorname

    @property
    def assignedexecutorid(self) -> str:
        """Id of the executor that runs it or ran it; empty while waiting."""
        return self.record.assignedexecutorid

    @property
    def isassigned(self) -> bool:
        """Whether it is assigned to an executor, or was when it ended."""
        return self.record.isassigned

    @property
    def submissiontime(self) -> str:
        """When it was submitted, RFC 3339."""
        return self.record.submissiontime

    @property
    def starttime(self) -> str:
        """When it was assigned, RFC 3339; year 1 if never."""
        return self.record.starttime

    @property
    def endtime(self) -> str:
        """When it ended, RFC 3339; year 1 if it has not."""
        return self.record.endtime

    @property
    def waitdeadline(self) -> str:
        """Until when it may wait, RFC 3339; year 1 for no limit."""
        return self.record.waitdeadline

    @property
    def execdeadline(self) -> str:
        """Until when it may run, RFC 3339; year 1 for no limit. Out of date right after assigning (trap 29)."""
        return self.record.execdeadline

    @property
    def retries(self) -> int:
        """Number of times it was put back because it ran too long."""
        return self.record.retries

    @property
    def prioritytime(self) -> int:
        """Its place in the order of waiting processes; lower is sooner."""
        return self.record.prioritytime

    @property
    def attributes(self) -> list[Any]:
        """Keys and values stored with it."""
        return self.record.attributes

    @property
    def waitforparents(self) -> bool:
        """Whether it waits for processes it depends on."""
        return self.record.waitforparents

    @property
    def parents(self) -> list[str]:
        """Ids of the processes it depends on."""
        return self.record.parents

    @property
    def children(self) -> list[str]:
        """Ids of the processes that depend on it."""
        return self.record.children

    @property
    def processgraphid(self) -> str:
        """Id of its workflow; empty outside one."""
        return self.record.processgraphid

    def __str__(self) -> str:
        return self.processid

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProcessFacts) and other.processid == self.processid

    def __hash__(self) -> int:
        return hash(self.processid)

    def __repr__(self) -> str:
        try:
            return f"<{type(self).__name__} {self.funcname} {self.processid[:8]} {self.state.name}>"
        except UsageError:
            return f"<{type(self).__name__} {self.processid[:8]}>"


def output_value(record: ProcessRecord) -> Any:
    """Return the output of a process as one value: None without any, one value as it is, several as a list."""
    output = [as_bundle(each) for each in revive(record.output)]
    return output if len(output) > 1 else output[0] if output else None


F = TypeVar("F", bound=ProcessFacts)


def handles(processes: Iterable[F]) -> Records[F]:
    """Return handles of processes as a list that converts to a table."""
    return Records(processes, _row, PROCESS)


def _row(process: ProcessFacts) -> dict[str, Any]:
    return process_row(process.record)


def as_state(state: ProcessState | int | str) -> ProcessState:
    """Read a state given by name or number.

    Raises:
        UsageError: if there is no such state; the message lists them.
    """
    try:
        return ProcessState[state.upper()] if isinstance(state, str) else ProcessState(state)
    except (KeyError, ValueError):
        known = ", ".join(f"{each.name.lower()} ({each.value})" for each in ProcessState)
        raise UsageError(f"{state!r} is not the state of a process. The states are: {known}.") from None
