"""A process on a simulated server whose executor answers by a plan, and the client of its user: no sockets."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
from simulated_colony import ME, THEM, SimulatedColony

from colony_jupyter.client.process import AsyncProcess
from colony_jupyter.notebook.model.changes import Change, TextRefused
from colony_jupyter.wire.messages import ChannelAppend
from colony_jupyter.wire.models import Conditions, ExecutorRecord, FunctionSpec, ProcessState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from colony_jupyter.client.process_session import ProcessSession

Answer = tuple[str, str, bool]
"""Text and type of an entry, and whether it answers the message by its number."""


class ChatServer(SimulatedColony):
    """The server, with one process and its executor.

    Args:
        answers: returns the entries that answer a message.
        channels: names of the process's channels.
    """

    def __init__(
        self, answers: Callable[[str], Iterable[Answer]] = lambda _: (), channels: tuple[str, ...] = ("chat",)
    ) -> None:
        super().__init__(channels=channels)
        self.answers = answers

    def _reply(self, owner: str, message: Any) -> Any:
        if not isinstance(message, ChannelAppend) or message.name not in self.logs:
            return super()._reply(owner, message)
        text, kind = bytes(message.payload or b"").decode(), message.payloadtype or "data"
        self.sequence[owner] = message.sequence - 2
        self.append(owner, text, channel=message.name, kind=kind, inreplyto=message.inreplyto)
        for answer, type_, is_reply in self.answers(text) if kind == "data" else ():
            number = message.sequence if is_reply else 0
            self.append(THEM, answer, channel=message.name, kind=type_, inreplyto=number)
        return {}


class ChatUser:
    """The client of the user, as far as notebooks use it; each submission makes a process on a server of its own."""

    userid = ME
    colonyname = "dev"

    def __init__(self, answers: Callable[[str], Iterable[Answer]] = lambda _: ()) -> None:
        self.answers = answers
        self.settings = SimpleNamespace(address="simulated:1")
        self.submitted: list[dict[str, Any]] = []
        self.refusal: Exception | None = None
        """What the next submissions are refused with."""
        self.waiting = ""
        """What processes wait for, as a sentence."""
        self._servers: dict[str, ChatServer] = {}
        self._shared: dict[str, ProcessSession] = {}

    def server(self, process: AsyncProcess) -> ChatServer:
        """The server that has a process."""
        return self._servers[process.processid]

    def process(self, **fields: Any) -> AsyncProcess:
        """Return a new process; its record has these fields."""
        number = f"{len(self._servers) + 1:x}" * 64
        spec = fields.pop("spec", FunctionSpec(funcname="chat", channels=["chat"]))
        server = self._servers[number] = ChatServer(self._answer, tuple(spec.channels))
        server.record = msgspec.structs.replace(server.record, processid=number, spec=spec, **fields)
        self._shared[number] = server.session()
        return AsyncProcess(self, number)  # type: ignore[arg-type]  # as much of a client as is used

    def _answer(self, text: str) -> Iterable[Answer]:
        return self.answers(text)

    # what actions call

    async def connect(self) -> None:
        pass

    def shared(self, processid: str) -> ProcessSession:
        return self._shared[processid]

    async def submit(self, funcname: str, *, channels: list[str], executortype: str, **options: Any) -> AsyncProcess:
        await asyncio.sleep(0.05)
        if self.refusal is not None:
            raise self.refusal
        self.submitted.append({"funcname": funcname, "executortype": executortype, **options})
        conditions = Conditions(colonyname="dev", executortype=executortype)
        return self.process(spec=FunctionSpec(funcname=funcname, channels=channels, conditions=conditions))

    async def cancel(self, processid: str) -> None:
        self._servers[processid].close(ProcessState.CANCELLED)

    async def type_offering(self, funcname: str) -> str:
        return f"type of {funcname}"

    async def explain_waiting(self, record: Any) -> str:
        return self.waiting

    async def workflow_failure(self, record: Any) -> str:
        return ""

    async def get_executor_by_id(self, executorid: str) -> ExecutorRecord:
        return ExecutorRecord(executorid=executorid, executorname="laptop", executortype="cli", colonyname="dev")


class ChatView:
    """Records what a view of a conversation is fed with."""

    on_close: Any = None

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.is_finished = False

    def feed(self, change: Change) -> None:
        self.changes.append(change)

    @property
    def refusals(self) -> list[TextRefused]:
        return [change for change in self.changes if isinstance(change, TextRefused)]

    def finish(self) -> None:
        self.is_finished = True
