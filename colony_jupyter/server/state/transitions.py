"""State changes of processes and workflows, with all their effects (docs/protocol.md section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.server.state import quantities
from colony_jupyter.server.state.changes import note
from colony_jupyter.server.state.json_values import restored
from colony_jupyter.server.state.records import Executor, Process, Workflow
from colony_jupyter.server.state.spec_rules import fits, normal
from colony_jupyter.wire.identity import sha3_hex
from colony_jupyter.wire.limits import STALE_EXECUTOR
from colony_jupyter.wire.models import Attribute, AttributeType, ExecutorState, FunctionSpec, ProcessState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from colony_jupyter.server.state.channel_logs import ChannelLogs
    from colony_jupyter.server.state.colony_state import ColonyState
    from colony_jupyter.server.storage.store import Store

WAITED_TOO_LONG: Final = "Maximum waiting time limit exceeded"
RAN_TOO_LONG: Final = "Maximum execution time limit exceeded"


class Transitions:
    """The changes of state; `colony_jupyter.server.server.Server` adds timers, storage and access."""

    colonies: dict[str, ColonyState]
    store: Store
    channels: ChannelLogs

    now: Callable[[], int]
    new_id: Callable[[], str]
    next_order: Callable[[], int]
    save: Callable[[Process], None]
    save_workflow: Callable[[Workflow], None]
    save_executor: Callable[[Executor], None]
    announce: Callable[[Process], None]
    after_commit: Callable[[Callable[[], None]], None]
    wake: Callable[..., None]
    index_id: Callable[[str, str], None]
    unindex_id: Callable[[str], None]

    # submitting

    def submit(
        self,
        colony: ColonyState,
        spec: FunctionSpec,
        *,
        initiatorid: str,
        initiatorname: str,
        workflowid: str = "",
        waitforparents: bool = False,
    ) -> Process:
        """Add a process, which waits.

        Raises:
            Refused: if its spec is not valid.
        """
        spec = normal(spec)
        now = self.now()
        process = Process(
            processid=self.new_id(),
            colonyname=colony.colony.name,
            initiatorid=initiatorid,
            initiatorname=initiatorname,
            spec=spec,
            order=self.next_order(),
            priority=now - spec.priority * quantities.DAY,
            submitted=now,
            waitdeadline=quantities.later(now, spec.maxwaittime) if spec.maxwaittime > 0 else 0,
            workflowid=workflowid,
            waitforparents=waitforparents,
        )
        process.attributes = [
            make_attribute(process, AttributeType.ENV, key, value) for key, value in sorted(spec.env.items())
        ]
        colony.add_process(process)
        self.index_id(process.processid, process.colonyname)
        self.save(process)
        if not waitforparents:
            self.wake(process.colonyname, process.executortype)
            self.announce(process)
        return process

    # running

    def assign(self, colony: ColonyState, executor: Executor, cpu: int | None, memory: int | None) -> Process | None:
        """Give an executor the process that is its to run next, if there is one.

        Args:
            colony: its colony.
            executor: the executor that asks.
            cpu: thousandths of a core that it offers; None for any.
            memory: Mi that it offers; None for any.
        """
        for process in colony.waiting(executor.record.executortype):
            if fits(process.spec, executor.record.executorname, cpu, memory, executor.record.locationname):
                break
        else:
            return None
        note()
        now = self.now()
        process.executorid = process.channelsid = executor.record.executorid
        process.assigned = True
        process.started = now
        if process.parents:
            process.input = [value for parent in self._parents(colony, process) for value in parent.output] or None
        self._move(colony, process, ProcessState.RUNNING)
        workflow = colony.workflows.get(process.workflowid)
        if workflow is not None and not workflow.started:
            workflow.started = now
            self.save_workflow(workflow)
        return process

    def start_clock(self, process: Process) -> None:
        """Set what the reply of the assignment does not show yet: deadline (trap 29) and state of the attributes."""
        note()
        limit = process.spec.maxexectime
        if limit > 0:
            process.execdeadline = quantities.later(process.started, limit)
        _set_attribute_states(process, ProcessState.RUNNING)
        self.save(process)

    def succeed(self, colony: ColonyState, process: Process, output: Sequence[Any]) -> None:
        """End a process with success."""
        note()
        process.former_output = process.output
        if output:
            process.output = restored(list(output))
        process.ended = self.now()
        self._count(colony, process)
        if process.state is ProcessState.SUCCESS:
            self.save(process)
            return
        self._end(colony, process, ProcessState.SUCCESS)
        for child in self._children(colony, process):
            if all(parent.state is ProcessState.SUCCESS for parent in self._parents(colony, child)):
                colony.release(child)
                self.save(child)
                self.wake(child.colonyname, child.executortype)
                self.announce(child)
        self._end_workflow(colony, process)

    def fail(self, colony: ColonyState, process: Process, errors: Sequence[str] | None) -> None:
        """End a process as failed.

        If others depend on it the whole workflow fails along, those that had succeeded too; else the others go on.
        """
        note()
        process.errors = None if errors is None else list(errors)
        process.ended = self.now()
        self._end(colony, process, ProcessState.FAILED)
        workflow = colony.workflows.get(process.workflowid)
        if workflow is not None and process.children:
            for member in self._members(colony, workflow):
                if member.state is not ProcessState.FAILED:
                    self._end(colony, member, ProcessState.FAILED, announced=False)
        self._end_workflow(colony, process)

    def cancel(self, colony: ColonyState, process: Process, *, announced: bool = True) -> None:
        """Cancel a process."""
        note()
        process.ended = self.now()
        self._end(colony, process, ProcessState.CANCELLED, announced=announced)

    def requeue(self, colony: ColonyState, process: Process, *, announced: bool) -> None:
        """Let a running process wait again; its executor is shut out of its channels, its attributes stay."""
        note()
        process.executorid = process.channelsid = ""
        process.assigned = False
        self._move(colony, process, ProcessState.WAITING, announced=announced)
        self.wake(process.colonyname, process.executortype)

    def cancel_workflow(self, colony: ColonyState, workflow: Workflow) -> None:
        """Cancel a workflow and what is left of it, without announcements."""
        note()
        if workflow.final is None:
            for member in self._members(colony, workflow):
                if not member.state.is_closed:
                    self.cancel(colony, member, announced=False)
        workflow.cancelled = True
        workflow.ended = workflow.ended or self.now()
        self.save_workflow(workflow)
        self._update_workflow(colony, workflow)

    def workflow_state(self, colony: ColonyState, workflow: Workflow) -> ProcessState:
        """Return the state of a workflow, which follows from those of its members."""
        if workflow.cancelled:
            return ProcessState.CANCELLED
        if workflow.final is not None:
            return workflow.final
        states = {member.state for member in self._members(colony, workflow)}
        for decisive in (ProcessState.FAILED, ProcessState.CANCELLED):
            if decisive in states:
                return decisive
        if states == {ProcessState.SUCCESS}:
            return ProcessState.SUCCESS
        if states & {ProcessState.RUNNING, ProcessState.SUCCESS}:
            return ProcessState.RUNNING
        return ProcessState.WAITING

    # time

    def expire(self) -> None:
        """Enforce the deadlines that have passed."""
        now = self.now() // quantities.SECOND * quantities.SECOND  # whole seconds, as the real server compares
        for colony in self.colonies.values():
            # Each is checked again: one that failed before may have failed it, too.
            for process in list(colony.in_state(ProcessState.WAITING)):
                limited = process.spec.maxwaittime not in (-1, 0)
                if limited and process.state is ProcessState.WAITING and process.waitdeadline < now:
                    self.fail(colony, process, [WAITED_TOO_LONG])
            for process in list(colony.in_state(ProcessState.RUNNING)):
                limit = process.spec.maxexectime
                # 0, or below -1, is a deadline long past, not "none" (trap 1).
                over = limit != -1 and (limit <= 0 or process.execdeadline < now)
                if over and process.state is ProcessState.RUNNING:
                    self._ran_too_long(colony, process)

    def remove_stale_executors(self) -> None:
        """Remove executors whose last assign call is too long ago (trap 3)."""
        oldest = self.now() - int(STALE_EXECUTOR * quantities.SECOND)
        for colony in self.colonies.values():
            for executor in list(colony.executors.values()):
                if executor.heard and executor.heard < oldest and executor.record.state is ExecutorState.APPROVED:
                    self.remove_executor(colony, executor)

    def remove_executor(self, colony: ColonyState, executor: Executor) -> None:
        """Remove an executor: its functions go, its processes wait again."""
        note()
        executor.record.state = ExecutorState.REMOVED
        self.save_executor(executor)
        self.orphan(colony, executor)

    def orphan(self, colony: ColonyState, executor: Executor) -> None:
        """Remove the functions of an executor and let its processes wait again."""
        for function in list(colony.functions.values()):
            if function.executorname == executor.record.executorname:
                colony.drop_function(function)
                self.store.delete("function", function.functionid)
        for process in list(colony.in_state(ProcessState.RUNNING)):
            if process.executorid == executor.record.executorid:
                process.started = 0
                self.requeue(colony, process, announced=False)

    def prune(self, age: int, most: int) -> bool:
        """Remove processes and workflows that closed longer ago than an age, with their log lines.

        Args:
            age: nanoseconds.
            most: how many processes to remove at once, about; the rest is for another time.

        Returns:
            whether there may be more.
        """
        oldest = self.now() - age
        removed = 0
        for colony in self.colonies.values():
            for workflow in list(colony.workflows.values()):
                if (
                    removed < most
                    and (workflow.final is not None or not workflow.processids)  # an empty one never ends
                    and (workflow.ended or workflow.submitted) < oldest
                ):
                    removed += len(workflow.processids) + 1
                    for processid in workflow.processids:
                        self.store.delete_logs(processid=processid)
                    self.remove_workflow(colony, workflow)
            for state in ProcessState:
                left = max(0, most - removed)  # a workflow may exceed it
                for processid in self.store.archive.ended_before(colony.colony.name, state, oldest, left):
                    removed += 1
                    self._remove_from_archive(colony, processid, state)
                    self.store.delete_logs(processid=processid)
        return removed >= most

    # removing

    def remove_process(self, colony: ColonyState, process: Process) -> None:
        """Remove a process; its log lines stay."""
        if process.processid in colony.processes:
            colony.drop_process(process)
            self.store.delete("process", process.processid)
            self._remove_traces(process.processid)
        else:
            self._remove_from_archive(colony, process.processid, process.state)

    def remove_archived(self, colony: ColonyState, states: Iterable[ProcessState], *, members: bool) -> None:
        """Remove the processes in the archive, with or without members of workflows; their log lines stay."""
        for state in states:
            for processid in self.store.archive.ids(colony.colony.name, state, members=members):
                self._remove_from_archive(colony, processid, state)

    def remove_workflow(self, colony: ColonyState, workflow: Workflow) -> None:
        """Remove a workflow with its processes."""
        for member in self._members(colony, workflow):
            self.remove_process(colony, member)
        colony.drop_workflow(workflow)
        self.unindex_id(workflow.processgraphid)
        self.store.delete("workflow", workflow.processgraphid)

    # internal

    def _remove_from_archive(self, colony: ColonyState, processid: str, state: ProcessState) -> None:
        colony.count_archived(state, -1)
        self._remove_traces(processid)

    def _remove_traces(self, processid: str) -> None:
        self.after_commit(self.channels.drop(processid))
        self.unindex_id(processid)
        self.store.archive.remove(processid)
        self.store.entries.delete(processid)

    def archive_all(self) -> None:
        """Move everything that is over into the archive: an older version had none."""
        for colony in self.colonies.values():
            for workflow in list(colony.open_workflows()):
                self._update_workflow(colony, workflow)
            for state in ProcessState:
                for process in list(colony.in_state(state)):
                    if state.is_closed and not process.workflowid:
                        self.save(process)

    def _update_workflow(self, colony: ColonyState, workflow: Workflow) -> None:
        """Record the state of a workflow that will not change any more, and move its members into the archive."""
        members = [] if workflow.final is not None else self._members(colony, workflow)
        if (members or workflow.cancelled) and all(member.state.is_closed for member in members):
            colony.finish_workflow(workflow, self.workflow_state(colony, workflow))
            self.save_workflow(workflow)
            for member in members:
                self.save(member)

    def _ran_too_long(self, colony: ColonyState, process: Process) -> None:
        limit = process.spec.maxretries
        if 0 <= limit <= process.retries:
            self.fail(colony, process, [RAN_TOO_LONG])
            return
        note()
        process.retries += 1
        process.ended = self.now()
        if process.spec.maxwaittime > 0:
            process.waitdeadline = quantities.later(self.now(), process.spec.maxwaittime)
        _set_attribute_states(process, ProcessState.WAITING)
        self.requeue(colony, process, announced=True)

    def _end(self, colony: ColonyState, process: Process, state: ProcessState, *, announced: bool = True) -> None:
        _set_attribute_states(process, state)
        self._move(colony, process, state, announced=announced)
        self.after_commit(self.channels.drop(process.processid))
        self.store.entries.delete(process.processid)

    def _move(self, colony: ColonyState, process: Process, state: ProcessState, *, announced: bool = True) -> None:
        colony.move(process, state)
        self.save(process)
        if announced:
            self.announce(process)

    def _is_over(self, colony: ColonyState, workflow: Workflow) -> bool:
        return self.workflow_state(colony, workflow).is_closed

    def _end_workflow(self, colony: ColonyState, process: Process) -> None:
        workflow = colony.workflows.get(process.workflowid)
        if workflow is None:
            return
        if not workflow.ended and self._is_over(colony, workflow):
            workflow.ended = self.now()
            self.save_workflow(workflow)
        self._update_workflow(colony, workflow)

    def _count(self, colony: ColonyState, process: Process) -> None:
        """Count a success for the function its executor has registered; records of one name show the same."""
        executor = colony.executor_by_id(process.executorid)
        if executor is None or not colony.has_function(executor.record.executorname, process.spec.funcname):
            return
        records = list(colony.functions_named(executor.record.executorname, process.spec.funcname).values())
        waited = (process.started - process.submitted) / quantities.SECOND
        ran = (process.ended - process.started) / quantities.SECOND
        # The one that has counted most: a record that was added since has counted nothing.
        before = max(records, key=lambda function: function.counter)
        first = before.counter == 0
        counts = {
            "counter": before.counter + 1,
            "minwaittime": waited if first else min(waited, before.minwaittime),
            "maxwaittime": max(waited, before.maxwaittime),
            "avgwaittime": waited if first else (before.avgwaittime + waited) / 2,
            "minexectime": ran if first else min(ran, before.minexectime),
            "maxexectime": max(ran, before.maxexectime),
            "avgexectime": ran if first else (before.avgexectime + ran) / 2,
        }
        for record in records:
            counted = msgspec.structs.replace(record, **counts)
            colony.put_function(counted)
            self.store.put("function", record.functionid, counted)

    def _parents(self, colony: ColonyState, process: Process) -> Iterable[Process]:
        return [colony.processes[parent] for parent in process.parents if parent in colony.processes]

    def _children(self, colony: ColonyState, process: Process) -> Iterable[Process]:
        return [colony.processes[child] for child in process.children if child in colony.processes]

    def _members(self, colony: ColonyState, workflow: Workflow) -> list[Process]:
        found = (colony.find(member) for member in workflow.processids)
        return [member for member in found if member is not None]


def _set_attribute_states(process: Process, state: ProcessState) -> None:
    for attribute in process.attributes:
        attribute.state = state


def make_attribute(process: Process, kind: AttributeType, key: str, value: str) -> Attribute:
    """Make an attribute of a process; its id follows from what it is the attribute of."""
    return Attribute(
        attributeid=sha3_hex(f"{process.processid}{key}{int(kind)}"),
        targetid=process.processid,
        targetcolonyname=process.colonyname,
        targetprocessgraphid=process.workflowid,
        attributetype=kind,
        key=key,
        value=value,
    )
