"""The plain calls of docs/protocol.md section 4 that need nothing but themselves."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final, TypeVar

from colony_jupyter.client.function_spec import check_name
from colony_jupyter.client.workflows.checks import check_workflow
from colony_jupyter.errors import UsageError
from colony_jupyter.values import rows
from colony_jupyter.wire import messages
from colony_jupyter.wire.limits import MAX_FOUND_LOGS, MAX_LOG_DAYS, MAX_LOGS, MAX_PROCESSES
from colony_jupyter.wire.models import (
    Attribute,
    Colony,
    ExecutorRecord,
    ExecutorState,
    Function,
    FunctionArgument,
    FunctionSpec,
    Log,
    ProcessRecord,
    ProcessState,
    Statistics,
    User,
    Workflow,
    WorkflowSpec,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from colony_jupyter.values.records import Records

T = TypeVar("T")
_Nothing = dict[str, Any]

_LISTED: Final = 20
"""Functions that are listed to one who asked for another one."""


class Calls:
    """One method for each call. All may raise `ServerUnreachable`, `AccessDenied`, `ServerRefused`, too."""

    @property
    def colonyname(self) -> str:
        """Name of the colony."""
        raise NotImplementedError

    async def call(self, message: messages.Message, shape: type[T], *, seconds: float = 0.0) -> T:
        """Make a call as a member."""
        raise NotImplementedError

    async def call_as_owner(self, message: messages.Message, shape: type[T]) -> T:
        """Make a call as the colony's owner."""
        raise NotImplementedError

    async def call_as_server_owner(self, message: messages.Message, shape: type[T]) -> T:
        """Make a call as the server's owner."""
        raise NotImplementedError

    # colonies and users

    async def add_colony(self, name: str, colonyid: str) -> Colony:
        """Add a colony, as the server's owner; ``colonyid`` is the id of its owner's key."""
        colony = Colony(name=check_name(name, "a colony"), colonyid=colonyid)
        return await self.call_as_server_owner(messages.AddColony(colony=colony), Colony)

    async def remove_colony(self, name: str) -> None:
        """Remove a colony with all that is in it, as the server's owner."""
        await self.call_as_server_owner(messages.RemoveColony(colonyname=name), _Nothing)

    async def colonies(self) -> list[Colony]:
        """List all colonies, as the server's owner."""
        return await self.call_as_server_owner(messages.GetColonies(), list[Colony])

    async def colony(self) -> Colony:
        """Look up the colony."""
        return await self.call(messages.GetColony(colonyname=self.colonyname), Colony)

    async def statistics(self) -> Statistics:
        """Count the colony's executors, processes and workflows."""
        return await self.call(messages.GetColonyStatistics(colonyname=self.colonyname), Statistics)

    async def server_statistics(self) -> Statistics:
        """Count what is on the whole server, as its owner."""
        return await self.call_as_server_owner(messages.GetStatistics(), Statistics)

    async def add_user(self, name: str, userid: str, *, email: str = "", phone: str = "") -> User:
        """Add a user, as the colony's owner; ``userid`` is the id of the user's key."""
        user = User(
            colonyname=self.colonyname, userid=userid, name=check_name(name, "a user"), email=email, phone=phone
        )
        return await self.call_as_owner(messages.AddUser(user=user), User)

    async def users(self) -> list[User]:
        """List the colony's users."""
        return await self.call(messages.GetUsers(colonyname=self.colonyname), list[User])

    async def get_user(self, name: str) -> User:
        """Look up a user by name."""
        return await self.call(messages.GetUser(colonyname=self.colonyname, name=name), User)

    async def get_user_by_id(self, userid: str) -> User:
        """Look up a user by id."""
        return await self.call(messages.GetUserById(colonyname=self.colonyname, userid=userid), User)

    async def remove_user(self, name: str) -> None:
        """Remove a user, as the colony's owner."""
        await self.call_as_owner(messages.RemoveUser(colonyname=self.colonyname, name=name), _Nothing)

    # executors and functions

    async def add_executor(
        self, executorname: str, executorid: str, executortype: str, *, locationname: str = ""
    ) -> ExecutorRecord:
        """Add an executor, as the colony's owner; it is pending until approved.

        An executor of that name is replaced: it is pending again, and the processes that it ran wait again (trap 18).
        """
        executor = ExecutorRecord(
            executorid=executorid,
            executortype=executortype,
            executorname=check_name(executorname, "an executor"),
            colonyname=self.colonyname,
            locationname=locationname,
        )
        return await self.call_as_owner(messages.AddExecutor(executor=executor), ExecutorRecord)

    async def approve_executor(self, executorname: str) -> None:
        """Make an executor a member, as the colony's owner."""
        message = messages.ApproveExecutor(colonyname=self.colonyname, executorname=executorname)
        await self.call_as_owner(message, _Nothing)

    async def reject_executor(self, executorname: str) -> None:
        """Refuse an executor, as the colony's owner."""
        message = messages.RejectExecutor(colonyname=self.colonyname, executorname=executorname)
        await self.call_as_owner(message, _Nothing)

    async def remove_executor(self, executorname: str) -> None:
        """Remove an executor, as the colony's owner; what it was running waits again."""
        message = messages.RemoveExecutor(colonyname=self.colonyname, executorname=executorname)
        await self.call_as_owner(message, _Nothing)

    async def executors(self) -> Records[ExecutorRecord]:
        """List the colony's executors, removed ones included."""
        found = await self.call(messages.GetExecutors(colonyname=self.colonyname), list[ExecutorRecord])
        return rows.executor_records(found)

    async def get_executor(self, executorname: str) -> ExecutorRecord:
        """Look up an executor by name."""
        message = messages.GetExecutor(colonyname=self.colonyname, executorname=executorname)
        return await self.call(message, ExecutorRecord)

    async def get_executor_by_id(self, executorid: str) -> ExecutorRecord:
        """Look up an executor by id."""
        message = messages.GetExecutorById(colonyname=self.colonyname, executorid=executorid)
        return await self.call(message, ExecutorRecord)

    async def add_function(
        self,
        executorname: str,
        funcname: str,
        *,
        executortype: str = "",
        description: str = "",
        args: Sequence[FunctionArgument] = (),
    ) -> Function:
        """Register a function, as the executor itself; a second time makes a second record.

        Args:
            executorname: the executor's name.
            funcname: the function's.
            executortype: the executor's type.
            description: what the function does.
            args: its arguments, each with name, type, description and whether it is required.
        """
        fun = Function(
            executorname=executorname,
            executortype=executortype,
            colonyname=self.colonyname,
            funcname=funcname,
            description=description,
            args=list(args),
        )
        return await self.call(messages.AddFunction(fun=fun), Function)

    async def functions(self, executorname: str = "") -> Records[Function]:
        """List the functions of one executor, or of all."""
        message = messages.GetFunctions(colonyname=self.colonyname, executorname=executorname)
        return rows.function_records(await self.call(message, list[Function]))

    async def remove_function(self, functionid: str) -> None:
        """Remove a function, as the executor itself."""
        await self.call(messages.RemoveFunction(functionid=functionid), _Nothing)

    async def type_offering(self, funcname: str) -> str:
        """Find the one executor type that offers a function.

        Raises:
            UsageError: if none or several do; it lists them.
        """
        approved = {e.executorname: e.executortype for e in await self.executors() if e.state is ExecutorState.APPROVED}
        offered = [(f.funcname, approved[f.executorname]) for f in await self.functions() if f.executorname in approved]
        types = sorted({executortype for name, executortype in offered if name == funcname})
        if len(types) == 1:
            return types[0]
        if types:
            raise UsageError(
                f"Executors of several types offer '{funcname}': {', '.join(types)}. "
                "Choose one: --type, or executortype=."
            )
        raise UsageError(
            f"No executor offers a function '{funcname}'. {_offer(funcname, offered)} "
            "Name the executor type if it will come later: --type, or executortype=."
        )

    # processes

    async def list_processes(
        self, state: ProcessState, *, count: int = MAX_PROCESSES, executortype: str = "", label: str = ""
    ) -> list[ProcessRecord]:
        """List processes of one state, at most 100; both filters apply, unlike on the server (trap 28)."""
        message = messages.GetProcesses(
            colonyname=self.colonyname,
            count=min(max(count, 1), MAX_PROCESSES),
            state=state,
            executortype=executortype,
            label=label,
        )
        found = await self.call(message, list[ProcessRecord])
        return [
            record
            for record in found
            if executortype in ("", record.spec.conditions.executortype) and label in ("", record.spec.label)
        ]

    async def process_history(self, seconds: int, state: ProcessState, *, executorid: str = "") -> list[ProcessRecord]:
        """List processes of a state submitted within the last seconds, oldest first."""
        message = messages.GetProcessHistory(
            colonyname=self.colonyname, executorid=executorid, seconds=seconds, state=state
        )
        return await self.call(message, list[ProcessRecord])

    async def set_output(self, processid: object, output: Sequence[Any]) -> None:
        """Set the output of a running process, as its executor."""
        await self.call(messages.SetOutput(processid=str(processid), output=list(output)), _Nothing)

    async def cancel(self, processid: object) -> None:
        """Cancel a process; any member may. Its executor gets no notice: it learns of it at its next call."""
        await self.call(messages.CancelProcess(processid=str(processid)), _Nothing)

    async def remove_process(self, processid: object) -> None:
        """Remove a process that does not run; any member may."""
        await self.call(messages.RemoveProcess(processid=str(processid)), _Nothing)

    async def remove_all_processes(self, state: ProcessState | None = None) -> None:
        """Remove all processes of a state, or of all states, as the colony's owner."""
        message = messages.RemoveAllProcesses(colonyname=self.colonyname, state=-1 if state is None else state)
        await self.call_as_owner(message, _Nothing)

    async def pause_assignments(self) -> None:
        """Pause assignments: executors get no more processes. As the colony's owner."""
        await self.call_as_owner(messages.PauseAssignments(colonyname=self.colonyname), _Nothing)

    async def resume_assignments(self) -> None:
        """End a pause of assignments, as the colony's owner."""
        await self.call_as_owner(messages.ResumeAssignments(colonyname=self.colonyname), _Nothing)

    async def is_paused(self) -> bool:
        """Return whether assignments are paused."""
        message = messages.GetPauseStatus(colonyname=self.colonyname)
        return (await self.call(message, messages.PauseStatus)).ispaused

    # attributes and logs

    async def add_attribute(self, processid: object, key: str, value: str, attributetype: int = 1) -> Attribute:
        """Store a key and value with a running process, as its executor; it cannot be changed."""
        attribute = Attribute(
            targetid=str(processid),
            targetcolonyname=self.colonyname,
            attributetype=attributetype,
            key=key,
            value=value,
        )
        return await self.call(messages.AddAttribute(attribute=attribute), Attribute)

    async def get_attribute(self, attributeid: str) -> Attribute:
        """Look up an attribute."""
        return await self.call(messages.GetAttribute(attributeid=attributeid), Attribute)

    async def add_log(self, processid: object, message: object) -> None:
        """Add a line to the log of a running process, as its executor: the text of any object."""
        await self.call(messages.AddLog(processid=str(processid), message=str(message)), _Nothing)

    async def add_executor_log(self, executorname: str, message: str) -> None:
        """Add a line to an executor's own log, as the executor itself."""
        call = messages.AddExecutorLog(colonyname=self.colonyname, executorname=executorname, message=message)
        await self.call(call, _Nothing)

    async def logs(
        self,
        processid: object = "",
        *,
        executorname: str = "",
        count: int = MAX_LOGS,
        since: int = 0,
        latest: bool = False,
    ) -> Records[Log]:
        """List log lines of a process, or of an executor, oldest first; at most 500.

        Args:
            processid: the process.
            executorname: the executor, instead of a process.
            count: how many.
            since: only later ones; Unix nanoseconds.
            latest: the newest ``count`` instead of the oldest.
        """
        message = messages.GetLogs(
            colonyname=self.colonyname,
            processid=str(processid),
            executorname=executorname,
            count=min(max(count, 1), MAX_LOGS),
            since=since,
            latest=latest,
        )
        return rows.log_records(await self.call(message, list[Log]))

    async def search_logs(self, text: str, *, days: int = 1, count: int = MAX_FOUND_LOGS) -> Records[Log]:
        """Search log lines of the colony; case-sensitive, ``%`` and ``_`` are wildcards; at most 100, 30 days back.

        Raises:
            UsageError: for a number of days that a server does not search.
        """
        if not 1 <= days <= MAX_LOG_DAYS:
            raise UsageError(f"days is {days}: a server searches from 1 to {MAX_LOG_DAYS} days.")
        message = messages.SearchLogs(colonyname=self.colonyname, text=text, days=days, count=count)
        return rows.log_records(await self.call(message, list[Log]))

    # workflows

    async def submit_workflow(self, workflow: WorkflowSpec | Sequence[FunctionSpec]) -> Workflow:
        """Submit functions that depend on each other by ``nodename``.

        Raises:
            InvalidSpec: for nodes without names or with the same name, and for unknown or circular dependencies, which
                the server would half store or never start (trap 12).
        """
        spec = workflow if isinstance(workflow, WorkflowSpec) else WorkflowSpec(functionspecs=list(workflow))
        spec.colonyname = spec.colonyname or self.colonyname
        for function in spec.functionspecs:
            function.conditions.colonyname = function.conditions.colonyname or spec.colonyname
        check_workflow(spec)
        return await self.call(messages.SubmitWorkflowSpec(spec=spec), Workflow)

    async def get_workflow(self, processgraphid: str) -> Workflow:
        """Look up a workflow.

        Raises:
            WorkflowNotFound: if there is none of that id.
        """
        return await self.call(messages.GetProcessGraph(processgraphid=processgraphid), Workflow)

    async def workflows(self, state: ProcessState, *, count: int = MAX_PROCESSES) -> Records[Workflow]:
        """List workflows of one state, at most 100."""
        message = messages.GetProcessGraphs(
            colonyname=self.colonyname, count=min(max(count, 1), MAX_PROCESSES), state=state
        )
        return rows.workflow_records(await self.call(message, list[Workflow]))

    async def cancel_workflow(self, processgraphid: str) -> None:
        """Cancel a workflow; any member may. A finished one becomes cancelled, too (trap 31)."""
        await self.call(messages.CancelProcessGraph(processgraphid=processgraphid), _Nothing)

    async def remove_workflow(self, processgraphid: str) -> None:
        """Remove a workflow with its processes; any member may."""
        await self.call(messages.RemoveProcessGraph(processgraphid=processgraphid), _Nothing)

    async def remove_all_workflows(self, state: ProcessState | None = None) -> None:
        """Remove all workflows of a state, or of all states, as the colony's owner."""
        message = messages.RemoveAllProcessGraphs(colonyname=self.colonyname, state=-1 if state is None else state)
        await self.call_as_owner(message, _Nothing)

    async def add_child(
        self,
        processgraphid: str,
        parentprocessid: object,
        spec: FunctionSpec,
        *,
        childprocessid: object = "",
        insert: bool = False,
    ) -> ProcessRecord:
        """Add a process to a running workflow, as the executor of the parent.

        Args:
            processgraphid: the workflow.
            parentprocessid: the process that the new one depends on. An unknown one may crash a real server.
            spec: the new process.
            childprocessid: a process that then depends on the new one.
            insert: whether to put it between the parent and all its children.
        """
        spec.conditions.colonyname = spec.conditions.colonyname or self.colonyname
        message = messages.AddChild(
            processgraphid=processgraphid,
            parentprocessid=str(parentprocessid),
            childprocessid=str(childprocessid),
            spec=spec,
            insert=insert,
        )
        return await self.call(message, ProcessRecord)

    # server

    async def version(self) -> messages.Version:
        """Ask for the server's version; it may be empty."""
        return await self.call(messages.GetVersion(), messages.Version)

    async def server_info(self) -> messages.ServerInfo:
        """Ask for the server's version and backends."""
        return await self.call(messages.GetServerInfo(), messages.ServerInfo)


def _offer(funcname: str, offered: Iterable[tuple[str, str]]) -> str:
    """Describe the functions of a colony to one who asked for another one; ``offered`` are names and types."""
    types: dict[str, list[str]] = {}
    for name, executortype in sorted(set(offered)):
        types.setdefault(name, []).append(executortype)
    near = difflib.get_close_matches(funcname, types, n=1)
    texts = [f"{name} ({', '.join(names)})" for name, names in types.items()]
    more = f" and {len(texts) - _LISTED} more" if len(texts) > _LISTED else ""
    hint = f"Did you mean '{near[0]}'? " if near else ""
    return f"{hint}Offered: {', '.join(texts[:_LISTED]) or 'none at all'}{more}."
