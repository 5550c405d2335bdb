"""`AsyncColony`: the colony as a caller sees it. The blocking `Colony` is derived from it."""

from __future__ import annotations

import asyncio
import copy
import secrets
from typing import TYPE_CHECKING, Any, TypeVar, overload

from colony_jupyter.client.carried import carry, merge_options, pack_for
from colony_jupyter.client.client import Client
from colony_jupyter.client.function_spec import make_spec
from colony_jupyter.client.groups.arguments import columns, list_calls
from colony_jupyter.client.groups.group import AsyncProcessGroup
from colony_jupyter.client.process import AsyncProcess
from colony_jupyter.client.process_facts import as_state, handles
from colony_jupyter.client.transport.http import persist
from colony_jupyter.client.workflows.checks import check_workflow
from colony_jupyter.client.workflows.run import AsyncWorkflowRun
from colony_jupyter.client.workflows.workflow import Workflow
from colony_jupyter.client.writer import payload_bytes
from colony_jupyter.errors import AccessDenied, InvalidSpec, ServerRefused, UsageError
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import FunctionSpec, ProcessRecord, ProcessState, WorkflowSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from colony_jupyter.client.process_facts import ProcessFacts
    from colony_jupyter.values.records import Records
    from colony_jupyter.wire.models import Entry
    from colony_jupyter.wire.models import Workflow as WorkflowRecord

T = TypeVar("T")

_PLANNED = 100
"""Specs of a map that are made without a break."""

_NOTHING_NOW = frozenset({404, 408, 503})
"""Statuses of a reply to assign that mean that there is nothing now (trap 14)."""


class AsyncColony(Client):
    """A colony, on the caller's event loop. An asynchronous context manager.

    Args:
        settings: where it is and who calls; by default what ``%colony connect`` chose in this kernel, else the
            environment, else the embedded colony.
        prvkey: another key to call with, such as an executor's own.
        transport: carries the HTTP calls in place of connections to the server, and is closed with this client.

    Raises:
        SettingsError: if the environment names the server only in part.
        UsageError: for a key that is no `PrivateKey`, whose text could be shown by accident.
    """

    # processes

    @overload
    async def submit(
        self,
        function: str | FunctionSpec | Callable[..., Any],
        /,
        *args: Any,
        kwargs: Mapping[str, Any] | None = None,
        channels: Sequence[str] = (),
        executortype: str = "",
        executornames: Sequence[str] = (),
        **options: Any,
    ) -> AsyncProcess: ...
    @overload
    async def submit(self, function: Workflow | WorkflowSpec, /) -> AsyncWorkflowRun: ...
    async def submit(
        self,
        function: str | FunctionSpec | Callable[..., Any] | Workflow | WorkflowSpec,
        /,
        *args: Any,
        kwargs: Mapping[str, Any] | None = None,
        channels: Sequence[str] = (),
        executortype: str = "",
        executornames: Sequence[str] = (),
        **options: Any,
    ) -> AsyncProcess | AsyncWorkflowRun:
        """Submit a function or a workflow; returns at once with its process, or with the run of the workflow.

        Args:
            function: name of the function, a function spec, a `Workflow`, or a Python function, whose source is sent
                with the imports, constants and helper functions that it needs. A function with the decorator `remote`
                has the options of the decorator.
            args: its positional arguments, JSON values.
            kwargs: its named arguments, JSON values.
            channels: names of the channels the process has; at most 100.
            executortype: type of the executors that may run it; by default the one type that offers the function.
            executornames: only these executors may run it.
            options: further fields of `FunctionSpec`: ``maxexectime``, ``maxwaittime`` (whole seconds), ``maxretries``,
                ``priority``, ``label``, ``env``, ``nodename``, and ``conditions``, its demands on the executor, as
                ``cj.Conditions(cpu="500m", gpu=cj.Gpu(count=1))``.

        Raises:
            InvalidSpec: if the server would accept it although it could never run.
            UsageError: if the source of a Python function cannot be sent, or the arguments do not fit it.
            AccessDenied: if the caller is no member of the colony.
        """
        await self.connect()
        if isinstance(function, (Workflow, WorkflowSpec)):
            if args or kwargs or channels or executortype or executornames or options:
                raise UsageError("A workflow is submitted alone: its functions get their arguments by workflow.add().")
            return await self._submit_workflow(function)
        if callable(function):
            channels, executortype, executornames, options = merge_options(
                function, channels=channels, executortype=executortype, executornames=executornames, **options
            )
            function = carry(pack_for(function, executortype), args, kwargs, options.pop("env", None))
            args, kwargs = (), None
        spec = make_spec(
            function,
            args,
            kwargs=kwargs,
            channels=channels,
            executortype=executortype,
            executornames=executornames,
            colonyname=self.colonyname,
            options=options,
        )
        if not spec.conditions.executortype:
            spec.conditions.executortype = await self.type_offering(spec.funcname)
        record = await self.call(messages.SubmitFunctionSpec(spec=spec), ProcessRecord)
        return self._process(record, fresh=True)

    async def get_run(self, processgraphid: str) -> AsyncWorkflowRun:
        """Attach to a workflow that was submitted before, also by another user.

        Raises:
            WorkflowNotFound: if there is none of that id.
        """
        run = AsyncWorkflowRun(self, await self.get_workflow(processgraphid))
        await run.refresh()
        return run

    async def _submit_workflow(self, workflow: Workflow | WorkflowSpec) -> AsyncWorkflowRun:
        spec = workflow.spec(self.colonyname) if isinstance(workflow, Workflow) else copy.deepcopy(workflow)
        check_workflow(spec)
        for function in tuple(spec.functionspecs):
            if not function.conditions.executortype:
                function.conditions.executortype = await self.type_offering(function.funcname)
        run = AsyncWorkflowRun(self, await self.submit_workflow(spec))
        await persist(run.refresh)
        return run

    async def map(
        self,
        function: str | FunctionSpec | Callable[..., Any],
        /,
        *iterables: Iterable[Any] | Mapping[str, Iterable[Any]],
        kwargs: Mapping[str, Any] | None = None,
        channels: Sequence[str] = (),
        executortype: str = "",
        executornames: Sequence[str] = (),
        **options: Any,
    ) -> AsyncProcessGroup:
        """Submit a function once for each value, at the server's pace; returns when all are submitted.

        Args:
            function: name of the function, a whole spec, or a Python function, as for `submit`.
            iterables: the values: ``[0.1, 0.01]`` makes two calls, a tuple in it has the positional arguments of one
                call. A mapping is a grid, ``{"rate": [0.1, 0.01], "epochs": [1, 3]}``: a call for each combination.
                Of several iterables each gives one positional argument, as with Python's `map`.
            kwargs: named arguments that all calls have.
            channels, executortype, executornames, options: as for `submit`; the ``label``, by which the group is
                followed, is generated by default.

        Raises:
            InvalidSpec, UsageError: before anything is submitted, as for `submit`.
            ServerUnreachable, ServerRefused: a note on the error states what was submitted before.
        """
        group = await self.plan(
            function,
            *iterables,
            kwargs=kwargs,
            channels=channels,
            executortype=executortype,
            executornames=executornames,
            **options,
        )
        await group.submit()
        return group

    async def plan(
        self,
        function: str | FunctionSpec | Callable[..., Any],
        /,
        *iterables: Iterable[Any] | Mapping[str, Iterable[Any]],
        kwargs: Mapping[str, Any] | None,
        channels: Sequence[str],
        executortype: str,
        executornames: Sequence[str],
        **options: Any,
    ) -> AsyncProcessGroup:
        """Make the group that `map` submits."""
        await self.connect()
        calls = [(args, {**(kwargs or {}), **named}) for args, named in list_calls(iterables)]
        packed = None
        if callable(function):
            channels, executortype, executornames, options = merge_options(
                function, channels=channels, executortype=executortype, executornames=executornames, **options
            )
            packed = pack_for(function, executortype)
        env = options.pop("env", None) if packed is not None else None
        specs: list[FunctionSpec] = []
        for number, (args, named) in enumerate(calls):
            if number % _PLANNED == 0:
                await asyncio.sleep(0)  # others use this loop, too
            try:
                whole = function if packed is None else carry(packed, args, named, env)
                spec = make_spec(
                    whole,  # type: ignore[arg-type]  # not a function: those are packed
                    args if packed is None else (),
                    kwargs=named if packed is None else None,
                    channels=channels,
                    executortype=executortype,
                    executornames=executornames,
                    colonyname=self.colonyname,
                    options=options,
                )
            except (InvalidSpec, UsageError) as error:
                if number:  # the first one may be refused for what all have in common
                    error.add_note(f"It is call {number + 1} of {len(calls)}; nothing was submitted.")
                raise
            spec.label = spec.label or (specs[0].label if specs else f"{spec.funcname}-{secrets.token_hex(3)}")
            if not spec.conditions.executortype:
                executortype = spec.conditions.executortype = await self.type_offering(spec.funcname)
            specs.append(spec)
        signature = None if packed is None else packed.signature
        rows = [columns(args, named, signature) for args, named in calls]
        return AsyncProcessGroup(self, specs, rows, function if isinstance(function, str) else _name(function))

    async def assign(
        self, timeout: float = 10.0, *, availablecpu: str = "", availablemem: str = ""
    ) -> AsyncProcess | None:
        """Wait for a process to run, as an approved executor; None if there is none in that time.

        Args:
            timeout: seconds, rounded up to whole ones; 0 or less asks once.
            availablecpu: what the executor offers, as ``500m``; empty for no limit.
            availablemem: likewise, as ``2Gi``.
        """
        seconds = max(1, -int(-timeout // 1)) if timeout > 0 else -1
        message = messages.AssignProcess(
            colonyname=self.colonyname, timeout=seconds, availablecpu=availablecpu, availablemem=availablemem
        )
        try:
            record = await self.call(message, ProcessRecord, seconds=max(seconds, 0))
        except ServerRefused as refusal:
            if refusal.status in _NOTHING_NOW and not isinstance(refusal, AccessDenied):
                return None
            raise
        return self._process(record)

    async def get_process(self, processid: ProcessFacts | str) -> AsyncProcess:
        """Look up a process.

        Raises:
            ProcessNotFound: if there is none of that id.
        """
        asked = asyncio.get_running_loop().time()
        return self._process(await self.get_record(str(processid)), asked=asked)

    async def processes(
        self, state: ProcessState | int | str, *, count: int = 100, executortype: str = "", label: str = ""
    ) -> Records[AsyncProcess]:
        """List processes of one state, at most 100.

        Args:
            state: the state, or its name.
            count: how many at most.
            executortype: only those for this type.
            label: only those with this label.
        """
        asked = asyncio.get_running_loop().time()
        found = await self.list_processes(as_state(state), count=count, executortype=executortype, label=label)
        return handles(self._process(record, asked=asked) for record in found)

    async def workflows(self, state: ProcessState | int | str, *, count: int = 100) -> Records[WorkflowRecord]:
        """List workflows of one state, at most 100.

        Args:
            state: the state, or its name.
            count: how many at most.
        """
        return await super().workflows(as_state(state), count=count)

    async def subscribe_process(
        self, process: ProcessFacts | str, state: ProcessState | int | str = ProcessState.RUNNING, timeout: float = 30.0
    ) -> AsyncProcess:
        """Wait until a process is in a state, or has been and is past it.

        Args:
            process: the process or its id.
            state: the state, or its name.
            timeout: seconds.

        Raises:
            WaitTimeout: if it is not in that time; the message names what the process waits for.
            ProcessFailed, ProcessCancelled, ProcessRemoved: if it ended another way, so that it never will.
        """
        awaited = as_state(state)
        handle = process if isinstance(process, AsyncProcess) else await self.get_process(str(process))
        await handle.wait(awaited, timeout)
        return handle

    # channels, by the calls of the protocol

    async def channel_append(
        self,
        processid: ProcessFacts | str,
        name: str,
        sequence: int,
        payload: Any,
        type: str = "data",  # noqa: A002 - the field's name
        inreplyto: int = 0,
    ) -> None:
        """Append an entry with a sequence number that the caller chooses.

        Args:
            processid: the process.
            name: the channel.
            sequence: the number; the submitter of the process uses odd, its executor even numbers.
            payload: text, bytes, or a JSON value.
            type: ``data``, ``end``, ``error`` or any other text.
            inreplyto: sequence of the entry this one answers; 0 for none.

        Raises:
            ChannelNotFound, ChannelClosed, ChannelFull, MessageTooLarge: see their docstrings.
        """
        await self.connect()
        await self.shared(str(processid)).writer(name).append(sequence, payload_bytes(payload), type, inreplyto)

    async def channel_read(
        self, processid: ProcessFacts | str, name: str, start: int = 0, limit: int = 0
    ) -> list[Entry]:
        """Read the entries that are in a channel now.

        Args:
            processid: the process.
            name: the channel.
            start: number of entries to skip; not a sequence number (trap 2).
            limit: how many at most; 0 for all.

        Raises:
            ChannelNotFound: if there is no such channel, or the process has ended.
        """
        return await self.handle(str(processid)).channel(name).read(start, limit)

    async def subscribe_channel(
        self,
        processid: ProcessFacts | str,
        name: str,
        callback: Callable[[list[Entry]], object],
        start: int = 0,
        timeout: float | None = None,
    ) -> None:
        """Pass the entries of a channel to a callback as they arrive, with own ones and ``end``.

        Ends when the callback returns False, at the timeout, and when the process has closed.

        Args:
            processid: the process.
            name: the channel.
            callback: gets a list of entries; called on the loop that this runs on.
            start: number of entries to skip.
            timeout: seconds for the whole; None for no limit.

        Raises:
            ChannelNotFound, StreamBroken: see their docstrings.
        """
        await self.connect()
        await self.handle(str(processid)).channel(name).subscribe(callback, start, timeout=timeout)

    # handles

    def handle(self, processid: str) -> AsyncProcess:
        """Return a handle to a process without asking the server for it."""
        return AsyncProcess(self, processid)

    def _process(self, record: ProcessRecord, *, fresh: bool = False, asked: float | None = None) -> AsyncProcess:
        process = AsyncProcess(self, record.processid)
        process.shared.learn(record, asked=asked, fresh=fresh)
        return process


def _name(function: FunctionSpec | Callable[..., Any]) -> str:
    return function.funcname if isinstance(function, FunctionSpec) else getattr(function, "__name__", "function")
