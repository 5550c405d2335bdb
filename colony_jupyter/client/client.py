"""A member's connection to a colony: server, keys, calls, and one session for each process it handles."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

from colony_jupyter.client.connection import Scope
from colony_jupyter.client.process_session import ProcessSession
from colony_jupyter.client.process_watcher import Followed
from colony_jupyter.client.transport.endpoint import Endpoint
from colony_jupyter.client.transport.http import Transport, persist_once
from colony_jupyter.client.transport.rpc import Calls
from colony_jupyter.client.transport.websocket import subscription
from colony_jupyter.client.waiting import waiting_sentence
from colony_jupyter.client.workflows.failures import failed_along, failure_clause
from colony_jupyter.errors import ColonyError, SettingsError, UsageError
from colony_jupyter.settings import current
from colony_jupyter.wire import messages
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import ProcessRecord, ProcessState, Workflow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager
    from typing import Self

    from colony_jupyter.client.process_facts import ProcessFacts
    from colony_jupyter.client.transport.adapter import Adapter
    from colony_jupyter.client.transport.frames import Frames
    from colony_jupyter.settings import Settings
    from colony_jupyter.wire.models import ExecutorRecord

T = TypeVar("T")


class Client(Calls):
    """A member's connection to a colony, on the caller's event loop.

    Args:
        settings: where it is and who calls; by default what ``%colony connect`` chose in this kernel, else the
            environment, else the embedded colony.
        prvkey: another key to call with, such as an executor's own.
        transport: carries the HTTP calls in place of connections to the server, and is closed with this client.

    Raises:
        SettingsError: if the environment names the server only in part.
        UsageError: for a key that is no `PrivateKey`, whose text could be shown by accident.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        prvkey: PrivateKey | None = None,
        transport: Adapter | None = None,
    ) -> None:
        if prvkey is not None and not isinstance(prvkey, PrivateKey):
            raise UsageError(
                "prvkey takes a PrivateKey, which shows nothing of itself: PrivateKey(text), which is in "
                "colony_jupyter.wire.identity."
            )
        self.settings = settings or current()
        self.endpoint = Endpoint(self.settings)
        self._adapter = transport
        self._own_key = prvkey
        self._keys: tuple[PrivateKey, PrivateKey | None, PrivateKey | None] | None = None  # None until connected
        self._begin(Scope())

    def _begin(self, scope: Scope) -> None:
        """Create all state that belongs to one process and one event loop."""
        self._scope = scope
        self._transport = Transport(self.endpoint, scope, self._adapter)
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
                await self._transport.find_server()
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
            shape: type that the reply is decoded to.
            seconds: for how long the server waits by design before it answers.

        Raises:
            ServerUnreachable, ServerRefused, ProtocolError: see there.
        """
        await self.connect()
        return await self._transport.call(message, self.key, shape, seconds=seconds)

    def open_subscription(self, message: messages.Message, shape: type[T]) -> AbstractAsyncContextManager[Frames[T]]:
        """Open a socket for one subscription of this caller; see `transport.websocket.subscription`."""
        self.scope.enter()
        return subscription(self.endpoint, message, self.key, shape)

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
            return (await self.get_record(message.processid)).state is state

        await persist_once(lambda: self.call(message, dict[str, Any]), has_ended)

    async def get_record(self, processid: str) -> ProcessRecord:
        """Ask for a process now, as the plain record."""
        return await self.call(messages.GetProcess(processid=processid), ProcessRecord)

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

    async def workflow_failure(self, record: ProcessRecord) -> str:
        """Name the process that made a workflow fail, as a clause, given one that failed along; empty if unknown."""
        if not failed_along(record):
            return ""
        with contextlib.suppress(ColonyError):
            workflow = await self.call(messages.GetProcessGraph(processgraphid=record.processgraphid), Workflow)
            for processid in tuple(workflow.processids):
                if clause := failure_clause([await self.get_record(processid)]):
                    return clause
        return ""

    def _all_keys(self) -> tuple[PrivateKey, PrivateKey | None, PrivateKey | None]:
        if self._keys is None:
            prvkey, colony_prvkey, server_prvkey = self.endpoint.keys()
            self._keys = (self._own_key or prvkey, colony_prvkey, server_prvkey)
        return self._keys
