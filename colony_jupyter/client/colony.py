"""`AsyncColony`: the colony as a caller sees it. The blocking `Colony` is derived from it."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

from colony_jupyter.client.connection import Scope
from colony_jupyter.client.endpoint import Endpoint
from colony_jupyter.client.function_spec import make_spec
from colony_jupyter.client.http import Transport, persist_once
from colony_jupyter.client.process import AsyncProcess
from colony_jupyter.client.process_facts import as_state, handles
from colony_jupyter.client.process_session import ProcessSession
from colony_jupyter.client.process_watcher import Followed
from colony_jupyter.client.rpc import Calls
from colony_jupyter.client.waiting import waiting_sentence
from colony_jupyter.client.websocket import subscription
from colony_jupyter.client.writer import payload_bytes
from colony_jupyter.errors import AccessDenied, ColonyError, ServerRefused, SettingsError, UsageError
from colony_jupyter.settings import current
from colony_jupyter.wire import messages
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import FunctionSpec, ProcessRecord, ProcessState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from typing import Self

    import httpx

    from colony_jupyter.client.process_facts import ProcessFacts
    from colony_jupyter.settings import Settings
    from colony_jupyter.values.records import Records
    from colony_jupyter.wire.models import Entry, ExecutorRecord

T = TypeVar("T")

_NOTHING_NOW = frozenset({404, 408, 503})
"""Statuses by which an assign says that there is nothing now (trap 14)."""


class AsyncColony(Calls):
    """A colony, on the caller's event loop. An asynchronous context manager.

    Args:
        settings: where it is and who calls; by default what ``%colony connect`` chose in this kernel, else the
            environment, else the embedded colony.
        prvkey: another key to call with, such as an executor's own.
        transport: carries the HTTP calls in place of a connection; for tests without a server.

    Raises:
        SettingsError: if the environment names the server only in part.
        UsageError: for a key that is no `PrivateKey`, whose text could be shown by accident.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        prvkey: PrivateKey | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if prvkey is not None and not isinstance(prvkey, PrivateKey):
            raise UsageError(
                "prvkey takes a PrivateKey, which shows nothing of itself: PrivateKey(text), which is in "
                "colony_jupyter.wire.identity."
            )
        self.settings = settings or current()
        self.endpoint = Endpoint(self.settings)
        self._http_transport = transport
        self._own_key = prvkey
        self._keys: tuple[PrivateKey, PrivateKey | None, PrivateKey | None] | None = None  # None until connected
        self._begin(Scope())

    def _begin(self, scope: Scope) -> None:
        """Create all state that belongs to one process and one event loop."""
        self._scope = scope
        self._transport = Transport(self.endpoint, scope, self._http_transport)
        self._shared: WeakValueDictionary[str, ProcessSession] = WeakValueDictionary()  # by process
        self._followed = Followed()

    def _renew(self) -> None:
        if self._scope.is_over:
            self._begin(self._scope.renewed())

    # connection

    @property
    def scope(self) -> Scope:
        """The process and event loop that this client is used on; in a forked child and on another loop it is new."""
        self._renew()
        return self._scope

    @property
    def colonyname(self) -> str:
        """Name of the colony."""
        return self.settings.colonyname

    @property
    def key(self) -> PrivateKey:
        """The key calls are signed with; known once `connect` or the first call has been awaited."""
        return self._all_keys()[0]

    @property
    def userid(self) -> str:
        """Id of the caller."""
        return self.key.id

    @property
    def is_owner(self) -> bool:
        """Whether the colony owner's key is at hand, so that executors can be added and approved."""
        return self._all_keys()[1] is not None

    async def connect(self) -> None:
        """Find the server (the embedded colony is started) and the keys; the first call does it by itself.

        Raises:
            EmbeddedError: if the embedded colony cannot be started.
            SettingsError: if there is no key.
            UsageError: if the client was closed, or is in use on another event loop that has not ended.
        """
        self.scope.enter()
        if self._keys is None:
            if self.settings.is_embedded:
                await self.endpoint.place()
            prvkey, colony_prvkey, server_prvkey = self.endpoint.keys()
            self._keys = (self._own_key or prvkey, colony_prvkey, server_prvkey)

    async def aclose(self) -> None:
        """Close the connections and streams, for good: every later call raises a `UsageError`."""
        self.scope.is_closed = True
        for shared in list(self._shared.values()):
            await shared.aclose()
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.settings.describe()}>"

    async def call(self, message: messages.Message, shape: type[T], *, seconds: float = 0.0) -> T:
        """Make a call of the protocol as a member of the colony.

        Args:
            message: one of `colony_jupyter.wire.messages`.
            shape: what the reply is read as.
            seconds: for how long the server waits by design before it answers.

        Raises:
            ServerUnreachable, ServerRefused, ProtocolError: see there.
        """
        await self.connect()
        return await self._transport.call(message, self.key, shape, seconds=seconds)

    def open_subscription(self, message: messages.Message) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        """Open a socket for one subscription of this caller; see `colony_jupyter.client.websocket.subscription`."""
        self.scope.enter()
        return subscription(self.endpoint, message, self.key)

    async def call_as_owner(self, message: messages.Message, shape: type[T]) -> T:
        """Make a call as the colony's owner.

        Raises:
            SettingsError: if the colony's key is not at hand.
        """
        await self.connect()
        owner = self._all_keys()[1]
        if owner is None:
            raise SettingsError(
                "COLONIES_COLONY_PRVKEY is not set: only the colony's owner can add, approve and remove executors."
            )
        return await self._transport.call(message, owner, shape)

    async def call_as_server_owner(self, message: messages.Message, shape: type[T]) -> T:
        """Make a call as the server's owner.

        Raises:
            SettingsError: if the server's key is not at hand.
        """
        await self.connect()
        owner = self._all_keys()[2]
        if owner is None:
            raise SettingsError("COLONIES_SERVER_PRVKEY is not set: only the server's owner can do this.")
        return await self._transport.call(message, owner, shape)

    # processes

    async def submit(
        self,
        function: str | FunctionSpec,
        /,
        *args: Any,
        kwargs: Mapping[str, Any] | None = None,
        channels: Sequence[str] = (),
        executortype: str = "",
        executornames: Sequence[str] = (),
        **options: Any,
    ) -> AsyncProcess:
        """Submit a function; returns at once with its process.

        Args:
            function: name of the function, or a whole spec.
            args: its positional arguments, JSON values.
            kwargs: its named arguments, JSON values.
            channels: names of the channels the process has; at most 100.
            executortype: type of executor that may take it; by default the one type that offers the function.
            executornames: only these executors may take it.
            options: further fields of `FunctionSpec`: ``maxexectime``, ``maxwaittime`` (whole seconds), ``maxretries``,
                ``priority``, ``label``, ``env``, ``nodename``.

        Raises:
            InvalidSpec: if the server would take it and it could then never work.
            AccessDenied: if the caller is no member of the colony.
        """
        await self.connect()
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

    async def assign(
        self, timeout: float = 10.0, *, availablecpu: str = "", availablemem: str = ""
    ) -> AsyncProcess | None:
        """Wait for a process to run, as an approved executor; None if there is none in that time.

        Args:
            timeout: seconds, rounded up to whole ones; 0 or less looks once.
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

    async def close(self, process: ProcessFacts | str, output: Sequence[Any] = ()) -> None:
        """End a process with success, as its executor.

        Args:
            process: the process or its id.
            output: its output; empty leaves it as `set_output` left it.

        Raises:
            ServerUnreachable: after a minute without an answer of ColonyOS.
        """
        await self._end(messages.CloseSuccessful(processid=str(process), output=list(output)), ProcessState.SUCCESS)

    async def fail(self, process: ProcessFacts | str, errors: Sequence[str]) -> None:
        """End a process as failed, as its executor.

        Args:
            process: the process or its id.
            errors: what went wrong.

        Raises:
            ServerUnreachable: after a minute without an answer of ColonyOS.
        """
        await self._end(messages.CloseFailed(processid=str(process), errors=list(errors)), ProcessState.FAILED)

    async def _end(self, message: messages.CloseSuccessful | messages.CloseFailed, state: ProcessState) -> None:
        async def has_ended() -> bool:
            return (await self.look(message.processid)).state is state

        await persist_once(lambda: self.call(message, dict[str, Any]), has_ended)

    async def get_process(self, processid: ProcessFacts | str) -> AsyncProcess:
        """Look a process up.

        Raises:
            ProcessNotFound: if there is none of that id.
        """
        asked = asyncio.get_running_loop().time()
        return self._process(await self.look(str(processid)), asked=asked)

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

    async def subscribe_process(
        self, process: ProcessFacts | str, state: ProcessState | int | str = ProcessState.RUNNING, timeout: float = 30.0
    ) -> AsyncProcess:
        """Wait until a process is in a state, or has been and is past it.

        Args:
            process: the process or its id.
            state: the state, or its name.
            timeout: seconds.

        Raises:
            WaitTimeout: if it is not in that time; the message says what the process waits for.
            ProcessFailed, ProcessCancelled, ProcessRemoved: if it ended another way, so that it never will.
        """
        awaited = as_state(state)
        handle = process if isinstance(process, AsyncProcess) else await self.get_process(str(process))
        await handle.wait(awaited, timeout)
        return handle

    # channels, by the plain verbs

    async def channel_append(
        self,
        processid: ProcessFacts | str,
        name: str,
        sequence: int,
        payload: Any,
        type: str = "data",  # noqa: A002 - the field's name
        inreplyto: int = 0,
    ) -> None:
        """Append an entry under a sequence of one's own.

        Args:
            processid: the process.
            name: the channel.
            sequence: the caller's numbering; initiators use odd, executors even numbers.
            payload: text, bytes, or a JSON value.
            type: ``data``, ``end``, ``error`` or any other text.
            inreplyto: sequence of the entry this one answers; 0 for none.

        Raises:
            ChannelNotFound, ChannelClosed, ChannelFull, MessageTooLarge: as they say.
        """
        await self.connect()
        await self.shared(str(processid)).writer(name).append(sequence, payload_bytes(payload), type, inreplyto)

    async def channel_read(
        self, processid: ProcessFacts | str, name: str, start: int = 0, limit: int = 0
    ) -> list[Entry]:
        """Read what is in a channel now.

        Args:
            processid: the process.
            name: the channel.
            start: entries to leave out at the beginning; an index, not a sequence (trap 2).
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
        """Hand the entries of a channel to a callback as they come, own ones and ``end`` too.

        Ends when the callback returns False, at the timeout, and when the process has closed.

        Args:
            processid: the process.
            name: the channel.
            callback: gets a list of entries; called on the loop that this runs on.
            start: entries to leave out at the beginning.
            timeout: seconds for the whole; None for no limit.

        Raises:
            ChannelNotFound, StreamBroken: as they say.
        """
        await self.connect()
        await self.handle(str(processid)).channel(name).subscribe(callback, start, timeout=timeout)

    # what handles need

    async def look(self, processid: str) -> ProcessRecord:
        """Ask for a process now, as the plain record."""
        return await self.call(messages.GetProcess(processid=processid), ProcessRecord)

    def handle(self, processid: str) -> AsyncProcess:
        """Give a handle to a process without asking the server for it."""
        return AsyncProcess(self, processid)

    def shared(self, processid: str) -> ProcessSession:
        """Return what all handles to a process have in common; it lasts as long as one of them."""
        self._renew()
        shared = self._shared.get(processid)
        if shared is None:
            shared = self._shared[processid] = ProcessSession(self, processid, self._followed)
        return shared

    async def explain_waiting(self, record: ProcessRecord) -> str:
        """Explain in a sentence what a waiting process waits for; see `colony_jupyter.client.waiting`."""
        executors: Sequence[ExecutorRecord] | None = None
        if not record.waitforparents:
            with contextlib.suppress(ColonyError):  # the sentence then names only the type
                executors = await self.executors()
        return waiting_sentence(record, executors, datetime.now(UTC))

    def _process(self, record: ProcessRecord, *, fresh: bool = False, asked: float | None = None) -> AsyncProcess:
        process = AsyncProcess(self, record.processid)
        process.shared.learn(record, asked=asked, fresh=fresh)
        return process

    def _all_keys(self) -> tuple[PrivateKey, PrivateKey | None, PrivateKey | None]:
        if self._keys is None:
            prvkey, colony_prvkey, server_prvkey = self.endpoint.keys()
            self._keys = (self._own_key or prvkey, colony_prvkey, server_prvkey)
        return self._keys
