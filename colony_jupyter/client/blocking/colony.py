"""The colony, for code that blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from colony_jupyter.client.blocking.face import Face, blocking
from colony_jupyter.client.blocking.group import ProcessGroup, submit_group
from colony_jupyter.client.blocking.process import Process
from colony_jupyter.client.blocking.workflow_run import WorkflowRun
from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.client.process_facts import ProcessFacts, handles
from colony_jupyter.client.workflows.run import AsyncWorkflowRun
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Self

    from colony_jupyter.client.portal import Portal
    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.client.workflows.workflow import Workflow
    from colony_jupyter.settings import Settings
    from colony_jupyter.values.records import Records
    from colony_jupyter.wire.identity import PrivateKey
    from colony_jupyter.wire.models import Entry, FunctionSpec, WorkflowSpec


class Colony(Face[AsyncColony]):
    """A colony, for code that blocks; also a context manager. See `AsyncColony`.

    Args:
        settings: where it is and who calls; by default what ``%colony connect`` chose in this kernel, else the
            environment, else the embedded colony.
        prvkey: another key to call with, such as an executor's own.

    Raises:
        SettingsError: if the environment names the server only in part.
    """

    def __init__(self, settings: Settings | None = None, *, prvkey: PrivateKey | None = None) -> None:
        super().__init__(AsyncColony(settings, prvkey=prvkey))

    @classmethod
    def around(cls, behind: AsyncColony, portal: Portal) -> Self:
        """Return a blocking face to a colony that is there, through the way to its loop."""
        face = cls.__new__(cls)
        Face.__init__(face, behind, portal)
        return face

    connect = blocking(AsyncColony.connect)
    call = blocking(AsyncColony.call)
    channel_append = blocking(AsyncColony.channel_append)
    channel_read = blocking(AsyncColony.channel_read)
    add_colony = blocking(AsyncColony.add_colony)
    remove_colony = blocking(AsyncColony.remove_colony)
    colonies = blocking(AsyncColony.colonies)
    colony = blocking(AsyncColony.colony)
    statistics = blocking(AsyncColony.statistics)
    server_statistics = blocking(AsyncColony.server_statistics)
    add_user = blocking(AsyncColony.add_user)
    users = blocking(AsyncColony.users)
    get_user = blocking(AsyncColony.get_user)
    get_user_by_id = blocking(AsyncColony.get_user_by_id)
    remove_user = blocking(AsyncColony.remove_user)
    add_executor = blocking(AsyncColony.add_executor)
    approve_executor = blocking(AsyncColony.approve_executor)
    reject_executor = blocking(AsyncColony.reject_executor)
    remove_executor = blocking(AsyncColony.remove_executor)
    executors = blocking(AsyncColony.executors)
    get_executor = blocking(AsyncColony.get_executor)
    get_executor_by_id = blocking(AsyncColony.get_executor_by_id)
    add_function = blocking(AsyncColony.add_function)
    functions = blocking(AsyncColony.functions)
    remove_function = blocking(AsyncColony.remove_function)
    type_offering = blocking(AsyncColony.type_offering)
    list_processes = blocking(AsyncColony.list_processes)
    process_history = blocking(AsyncColony.process_history)
    set_output = blocking(AsyncColony.set_output)
    cancel = blocking(AsyncColony.cancel)
    remove_process = blocking(AsyncColony.remove_process)
    remove_all_processes = blocking(AsyncColony.remove_all_processes)
    pause_assignments = blocking(AsyncColony.pause_assignments)
    resume_assignments = blocking(AsyncColony.resume_assignments)
    is_paused = blocking(AsyncColony.is_paused)
    add_attribute = blocking(AsyncColony.add_attribute)
    get_attribute = blocking(AsyncColony.get_attribute)
    add_log = blocking(AsyncColony.add_log)
    add_executor_log = blocking(AsyncColony.add_executor_log)
    logs = blocking(AsyncColony.logs)
    search_logs = blocking(AsyncColony.search_logs)
    submit_workflow = blocking(AsyncColony.submit_workflow)
    get_workflow = blocking(AsyncColony.get_workflow)
    workflows = blocking(AsyncColony.workflows)
    cancel_workflow = blocking(AsyncColony.cancel_workflow)
    remove_workflow = blocking(AsyncColony.remove_workflow)
    remove_all_workflows = blocking(AsyncColony.remove_all_workflows)
    add_child = blocking(AsyncColony.add_child)
    version = blocking(AsyncColony.version)
    server_info = blocking(AsyncColony.server_info)
    fail = blocking(AsyncColony.fail)
    close = blocking(AsyncColony.close)
    disconnect = blocking(AsyncColony.aclose)

    @property
    def settings(self) -> Settings:
        """Where it is and who calls."""
        return self._async.settings

    @property
    def colonyname(self) -> str:
        """Name of the colony."""
        return self._async.colonyname

    @property
    def userid(self) -> str:
        """Id of the caller."""
        return self._async.userid

    @overload
    def submit(
        self,
        function: str | FunctionSpec | Callable[..., Any],
        /,
        *args: Any,
        kwargs: Mapping[str, Any] | None = None,
        channels: Sequence[str] = (),
        executortype: str = "",
        executornames: Sequence[str] = (),
        **options: Any,
    ) -> Process: ...
    @overload
    def submit(self, function: Workflow | WorkflowSpec, /) -> WorkflowRun: ...
    def submit(
        self,
        function: str | FunctionSpec | Callable[..., Any] | Workflow | WorkflowSpec,
        /,
        *args: Any,
        kwargs: Mapping[str, Any] | None = None,
        channels: Sequence[str] = (),
        executortype: str = "",
        executornames: Sequence[str] = (),
        **options: Any,
    ) -> Process | WorkflowRun:
        """Submit a function or a workflow; returns at once. See `AsyncColony.submit`."""
        submitted: AsyncProcess | AsyncWorkflowRun = self._portal.run(
            self._async.submit,
            function,
            *args,
            kwargs=kwargs,
            channels=channels,
            executortype=executortype,
            executornames=executornames,
            **options,
        )
        if isinstance(submitted, AsyncWorkflowRun):
            return WorkflowRun(submitted, self._portal)
        return Process(submitted, self._portal)

    def get_run(self, processgraphid: str) -> WorkflowRun:
        """Attach to a workflow that was submitted before; see `AsyncColony.get_run`."""
        return WorkflowRun(self._portal.run(self._async.get_run, processgraphid), self._portal)

    def map(
        self,
        function: str | FunctionSpec | Callable[..., Any],
        /,
        *iterables: Iterable[Any] | Mapping[str, Iterable[Any]],
        kwargs: Mapping[str, Any] | None = None,
        channels: Sequence[str] = (),
        executortype: str = "",
        executornames: Sequence[str] = (),
        **options: Any,
    ) -> ProcessGroup:
        """Submit a function once for each value; returns when all are submitted. See `AsyncColony.map`.

        After an interrupt, `interrupted_group` returns what was submitted.
        """
        planned = self._portal.run(
            self._async.plan,
            function,
            *iterables,
            kwargs=kwargs,
            channels=channels,
            executortype=executortype,
            executornames=executornames,
            **options,
        )
        return submit_group(planned, self._portal)

    def assign(self, timeout: float = 10.0, *, availablecpu: str = "", availablemem: str = "") -> Process | None:
        """Wait for a process to run, as an approved executor; see `AsyncColony.assign`."""
        process = self._portal.run(self._async.assign, timeout, availablecpu=availablecpu, availablemem=availablemem)
        return None if process is None else Process(process, self._portal)

    def get_process(self, processid: ProcessFacts | str) -> Process:
        """Look up a process; see `AsyncColony.get_process`."""
        return Process(self._portal.run(self._async.get_process, processid), self._portal)

    def processes(
        self, state: ProcessState | int | str, *, count: int = 100, executortype: str = "", label: str = ""
    ) -> Records[Process]:
        """List processes of one state; see `AsyncColony.processes`."""
        found = self._portal.run(self._async.processes, state, count=count, executortype=executortype, label=label)
        return handles(Process(process, self._portal) for process in found)

    def subscribe_process(
        self,
        process: ProcessFacts | str,
        state: ProcessState | int | str = ProcessState.RUNNING,
        timeout: float = 30.0,
    ) -> Process:
        """Wait until a process is in a state, or has been and is past it; see `AsyncColony.subscribe_process`."""
        behind = process.asynchronous if isinstance(process, Process) else process
        return Process(self._portal.run(self._async.subscribe_process, behind, state, timeout), self._portal)

    def subscribe_channel(
        self,
        processid: ProcessFacts | str,
        name: str,
        callback: Callable[[list[Entry]], object],
        start: int = 0,
        timeout: float | None = None,
    ) -> None:
        """Hand the entries of a channel to a callback, on the calling thread; see `AsyncColony.subscribe_channel`."""
        self.connect()
        Process(self._async.handle(str(processid)), self._portal).channel(name).subscribe(callback, start, timeout)

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()
