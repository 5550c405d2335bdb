"""One colony with everything in it, in memory, with the indexes by which calls find it.

Code that changes a record also passes it to the store.
"""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING, Any, TypeVar

from colony_jupyter.server.state.changes import note
from colony_jupyter.wire.models import ExecutorState, ProcessState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from colony_jupyter.server.state.records import Executor, Process, Workflow
    from colony_jupyter.server.storage.archive import Archive
    from colony_jupyter.wire.models import Attribute, Colony, Function, User

T = TypeVar("T")


class ColonyState:
    """One colony with all that is in it."""

    def __init__(self, colony: Colony, archive: Archive) -> None:
        self.colony = colony
        self._archive = archive
        # All of these are changed by the methods below only.
        self.users: dict[str, User] = {}  # by name
        self.executors: dict[str, Executor] = {}  # by name
        self.functions: dict[str, Function] = {}  # by id
        self.processes: dict[str, Process] = {}  # but for the closed ones that are in the archive
        self.workflows: dict[str, Workflow] = {}
        self.paused = False
        self._functions_by_name: dict[tuple[str, str], dict[str, Function]] = {}  # executor and function -> id
        self._open_workflows: dict[str, Workflow] = {}
        self._final_workflows: dict[ProcessState, list[tuple[int, str]]] = {state: [] for state in ProcessState}
        self._users_by_id: dict[str, list[User]] = {}
        self._executors_by_id: dict[str, list[Executor]] = {}
        self._leaving: dict[str, int] = {}  # how often a process is to be put into the archive yet
        self._archived: dict[ProcessState, int] = dict.fromkeys(ProcessState, 0)
        self._attributes: dict[str, Process] = {}  # by id of the attribute
        self._by_state: dict[ProcessState, dict[str, Process]] = {state: {} for state in ProcessState}
        self._queues: dict[str, list[tuple[int, int, str]]] = {}  # executor type -> waiting, the soonest first

    # users and executors

    def add_user(self, user: User) -> None:
        """Add a user."""
        note()
        self.drop_user(user.name)
        self.users[user.name] = user
        self._users_by_id.setdefault(user.userid, []).append(user)

    def drop_user(self, name: str) -> None:
        """Remove a user, if there is one of that name."""
        note()
        user = self.users.pop(name, None)
        if user is not None:
            _drop(self._users_by_id, user.userid, user)

    def add_executor(self, executor: Executor) -> None:
        """Add an executor; it replaces one of that name."""
        note()
        former = self.executors.get(executor.record.executorname)
        if former is not None:
            _drop(self._executors_by_id, former.record.executorid, former)
        self.executors[executor.record.executorname] = executor
        self._executors_by_id.setdefault(executor.record.executorid, []).append(executor)

    def is_user(self, callerid: str) -> bool:
        """Return True if the caller is a user."""
        return callerid in self._users_by_id

    def user_by_id(self, userid: str) -> User | None:
        """Find a user by id; of several with one id, the first."""
        return next(iter(self._users_by_id.get(userid, ())), None)

    def executor_by_id(self, executorid: str, *, approved: bool = False) -> Executor | None:
        """Find an executor by id; of several with one id, an approved one first."""
        found = self._executors_by_id.get(executorid, ())
        for executor in found:
            if executor.record.state is ExecutorState.APPROVED:
                return executor
        return found[0] if found and not approved else None

    def is_member(self, callerid: str) -> bool:
        """Return True if the caller is a user or an approved executor."""
        return self.is_user(callerid) or self.executor_by_id(callerid, approved=True) is not None

    def is_member_in_any_state(self, callerid: str) -> bool:
        """Return True if the caller is a user, or an executor in any state."""
        return self.is_user(callerid) or self.executor_by_id(callerid) is not None

    # functions

    def put_function(self, function: Function) -> None:
        """Add a function; it replaces the one with the same id."""
        note()
        self.functions[function.functionid] = function
        self.functions_named(function.executorname, function.funcname)[function.functionid] = function

    def drop_function(self, function: Function) -> None:
        """Remove a function."""
        note()
        del self.functions[function.functionid]
        named = self.functions_named(function.executorname, function.funcname)
        del named[function.functionid]
        if not named:
            del self._functions_by_name[function.executorname, function.funcname]

    def has_function(self, executorname: str, funcname: str) -> bool:
        """Whether an executor has registered a function."""
        return (executorname, funcname) in self._functions_by_name

    def functions_named(self, executorname: str, funcname: str) -> dict[str, Function]:
        """Return the records of an executor's function, by id."""
        return self._functions_by_name.setdefault((executorname, funcname), {})

    # workflows

    def add_workflow(self, workflow: Workflow) -> None:
        """Add a workflow."""
        note()
        self.workflows[workflow.processgraphid] = workflow
        if workflow.final is None:
            self._open_workflows[workflow.processgraphid] = workflow
        else:
            bisect.insort(self._final_workflows[workflow.final], (workflow.submitted, workflow.processgraphid))

    def drop_workflow(self, workflow: Workflow) -> None:
        """Remove a workflow."""
        note()
        del self.workflows[workflow.processgraphid]
        if workflow.final is None:
            del self._open_workflows[workflow.processgraphid]
        else:
            _remove(self._final_workflows[workflow.final], (workflow.submitted, workflow.processgraphid))

    def finish_workflow(self, workflow: Workflow, state: ProcessState) -> None:
        """Note the state of a workflow that will not change by itself any more."""
        self.drop_workflow(workflow)
        workflow.final = state
        self.add_workflow(workflow)

    def open_workflows(self) -> Iterable[Workflow]:
        """Return the workflows whose state may change."""
        return self._open_workflows.values()

    def final_workflows(self, state: ProcessState) -> Sequence[tuple[int, str]]:
        """Return time of submission and id of the workflows that have ended in a state, the oldest first."""
        return self._final_workflows[state]

    # processes

    def add_process(self, process: Process) -> None:
        """Add a process."""
        note()
        self.processes[process.processid] = process
        self._by_state[process.state][process.processid] = process
        self._attributes |= {attribute.attributeid: process for attribute in process.attributes}
        self._enqueue(process)

    def drop_process(self, process: Process) -> None:
        """Remove a process."""
        note()
        self._dequeue(process)
        del self.processes[process.processid]
        del self._by_state[process.state][process.processid]
        for attribute in process.attributes:
            self._attributes.pop(attribute.attributeid, None)

    def find(self, processid: str) -> Process | None:
        """Find a process, in the archive too."""
        found = self.processes.get(processid) or self._archive.get(processid)
        return found if found is not None and found.colonyname == self.colony.name else None

    def load(self, process: Process) -> None:
        """Hold a closed process in memory until the archive has its present state; `unload` follows each call."""
        note()
        self._leaving[process.processid] = self._leaving.get(process.processid, 0) + 1
        if process.processid not in self.processes:
            self._archived[process.state] -= 1
            self.add_process(process)

    def unload(self, process: Process) -> bool:
        """Leave a closed process to the archive; return False if it was removed or changed again meanwhile."""
        left = self._leaving.pop(process.processid) - 1
        if left:
            self._leaving[process.processid] = left
        elif self.processes.get(process.processid) is process:
            self.drop_process(process)
            self._archived[process.state] += 1
            return True
        return False

    def count_archived(self, state: ProcessState, more: int) -> None:
        """Note that there are more, or less, closed processes in the archive."""
        note()
        self._archived[state] += more

    def add_attribute(self, process: Process, attribute: Attribute) -> None:
        """Add an attribute to a process."""
        note()
        process.attributes.append(attribute)
        self._attributes[attribute.attributeid] = process

    def with_attribute(self, attributeid: str) -> Process | None:
        """Find the process, of those not in the archive, that has an attribute."""
        return self._attributes.get(attributeid)

    def move(self, process: Process, state: ProcessState) -> None:
        """Set the state of a process."""
        note()
        self._dequeue(process)
        del self._by_state[process.state][process.processid]
        process.state = state
        self._by_state[state][process.processid] = process
        self._enqueue(process)

    def in_state(self, state: ProcessState) -> Iterable[Process]:
        """Return the processes of a state, without those in the archive."""
        return self._by_state[state].values()

    def count(self, state: ProcessState) -> int:
        """Count the processes of a state, those in the archive too."""
        return len(self._by_state[state]) + self._archived[state]

    def waiting(self, executortype: str) -> Iterable[Process]:
        """Return the processes that wait for an executor type, the soonest first."""
        for _, _, processid in self._queues.get(executortype, ()):
            yield self.processes[processid]

    def release(self, process: Process) -> None:
        """Let a process wait for its parents no longer."""
        note()
        self._dequeue(process)
        process.waitforparents = False
        self._enqueue(process)

    def hold(self, process: Process) -> None:
        """Let a process wait for its parents."""
        note()
        self._dequeue(process)
        process.waitforparents = True

    def _enqueue(self, process: Process) -> None:
        if process.state is ProcessState.WAITING and not process.waitforparents:
            bisect.insort(self._queues.setdefault(process.executortype, []), (*process.key, process.processid))

    def _dequeue(self, process: Process) -> None:
        _remove(self._queues.get(process.executortype, []), (*process.key, process.processid))


def _remove(ordered: list[Any], entry: tuple[Any, ...]) -> None:
    """Remove an entry from an ordered list, if it is there."""
    place = bisect.bisect_left(ordered, entry)
    if place < len(ordered) and ordered[place] == entry:
        del ordered[place]


def _drop(table: dict[str, list[T]], key: str, member: T) -> None:
    left = [each for each in table[key] if each is not member]
    if left:
        table[key] = left
    else:
        del table[key]
