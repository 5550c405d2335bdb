"""What a run of a workflow shows of itself, the same for asyncio and for code that blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from colony_jupyter.client.process_facts import ProcessFacts
from colony_jupyter.client.workflows.failures import failure_clause
from colony_jupyter.errors import UsageError, WorkflowCancelled, WorkflowFailed
from colony_jupyter.values.records import Records, Tabular
from colony_jupyter.values.rows import member_row
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from colony_jupyter.wire.models import Workflow

F = TypeVar("F", bound=ProcessFacts)


class RunFacts(Tabular, Generic[F]):
    """A run of a workflow, as the latest reply of the server shows it; a mapping of its nodes' names to processes."""

    @property
    def record(self) -> Workflow:
        """The workflow as the server reported it last."""
        raise NotImplementedError

    @property
    def members(self) -> Records[F]:
        """Its processes, each after those it depends on."""
        raise NotImplementedError

    @property
    def processgraphid(self) -> str:
        """Its id, 64 hex digits."""
        return self.record.processgraphid

    @property
    def state(self) -> ProcessState:
        """WAITING, RUNNING, SUCCESS, FAILED or CANCELLED."""
        return self.record.state

    @property
    def nodes(self) -> list[str]:
        """Names of its nodes, each after those it depends on."""
        return list(self._by_name())

    @property
    def failure(self) -> str:
        """The members that failed by themselves and their reasons, as a clause; empty if there are none."""
        return failure_clause(member.record for member in self.members)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a dict for each process: its node, what it depends on, state, times, arguments, output, errors."""
        return self._rows().to_dicts()

    def raise_unless_successful(self) -> None:
        """Raise what it ended with, if not success.

        Raises:
            WorkflowFailed, WorkflowCancelled: as it ended.
        """
        if self.state is ProcessState.CANCELLED:
            raise WorkflowCancelled(self.processgraphid)
        if self.state is ProcessState.FAILED:
            raise WorkflowFailed(self.processgraphid, self.failure)

    def __getitem__(self, nodename: str) -> F:
        found = self._by_name()
        if nodename not in found:
            raise UsageError(f"The workflow has no node '{nodename}'. It has: {', '.join(found)}.")
        return found[nodename]

    def __contains__(self, nodename: object) -> bool:
        return nodename in self._by_name()

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name())

    def __len__(self) -> int:
        return len(self.members)

    def __str__(self) -> str:
        return self.processgraphid

    def __repr__(self) -> str:
        states = [member.state for member in self.members]
        counts = ", ".join(f"{states.count(state)} {state.name}" for state in ProcessState if state in states)
        return f"<{type(self).__name__} {self.processgraphid[:8]} {self.state.name}: {counts}>"

    def _rows(self) -> Records[F]:
        return Records(self.members, _row)

    def _by_name(self) -> dict[str, F]:
        found: dict[str, F] = {}
        for member in self.members:
            name = member.spec.nodename or member.funcname
            # An executor may add processes to a running workflow, under any name.
            found[f"{name} {member.processid[:8]}" if name in found else name] = member
        return found


def _row(member: ProcessFacts) -> dict[str, Any]:
    return member_row(member.record)
