"""A server with many processes, and its executors, on virtual time and without sockets.

Lists are limited in number, as on a real server. Answers are late, get lost, and a gateway answers in the server's
place.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from simulated_replies import in_shape

from colony_jupyter.client.connection import Scope
from colony_jupyter.client.process_session import ProcessSession
from colony_jupyter.client.process_watcher import Followed
from colony_jupyter.errors import ProcessNotFound, ServerRefused, ServerUnreachable
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import NO_TIME, FunctionSpec, ProcessRecord, ProcessState

if TYPE_CHECKING:
    import random

ME = "1" * 64
EXECUTOR = "2" * 64
WAITING, RUNNING, SUCCESS, FAILED, CANCELLED = ProcessState

_SILENT = ("down", "lost", "busy")
"""No connection; an answer that does not arrive; a gateway that answers 429."""


class ProcessServer:
    """The server, as the `Connection` of its one client.

    Args:
        chance: decides how long calls take and which fail.
        faults: probability that a call fails.
    """

    def __init__(self, chance: random.Random, faults: float = 0.0) -> None:
        self.chance = chance
        self.faults = faults
        self.is_down = False
        self.processes: dict[str, ProcessRecord] = {}
        self.submitted_at: dict[str, float] = {}
        self.calls: list[Any] = []
        """Every call that reached the server."""
        self.key: Any = SimpleNamespace(id=ME)
        self.colonyname = "simulated"
        self.scope = Scope()
        self.refusal: ServerRefused | None = None
        """What submissions are refused with from now on."""

    # what executors and others do

    def in_state(self, state: ProcessState) -> list[ProcessRecord]:
        """Processes of a state, in the order of the server's lists."""
        found = [each for each in self.processes.values() if each.state is state]
        if state is WAITING:
            return sorted(found, key=lambda each: each.prioritytime)
        if state is RUNNING:
            return sorted(found, key=lambda each: each.starttime)
        return sorted(found, key=lambda each: each.endtime, reverse=True)

    def assign(self, count: int) -> None:
        """Let executors take processes."""
        for record in self.in_state(WAITING)[:count]:
            record.state, record.starttime, record.assignedexecutorid = RUNNING, self._time(), EXECUTOR

    def close(self, count: int, state: ProcessState = SUCCESS) -> None:
        """Let executors close processes; the output of one with the argument 3 is 30."""
        for record in self.in_state(RUNNING)[:count]:
            record.state, record.endtime = state, self._time()
            if state is SUCCESS:
                record.output = [record.spec.args[0] * 10]
            elif state is FAILED:
                record.errors = [f"no luck with {record.spec.args[0]}"]

    def put_back(self, count: int) -> None:
        """Let executors be removed: what they run waits again."""
        for record in self.in_state(RUNNING)[:count]:
            record.state, record.starttime, record.assignedexecutorid = WAITING, NO_TIME, ""

    def cancel_some(self, count: int) -> None:
        """Let another member cancel processes."""
        for record in self.in_state(WAITING)[-count:]:
            record.state, record.endtime = CANCELLED, self._time()

    def remove(self, count: int) -> None:
        """Let another member remove processes."""
        for record in self.in_state(WAITING)[-count:]:
            del self.processes[record.processid]

    def add_strangers(self, label: str, count: int) -> None:
        """Let another user submit processes under the same label, which end at once."""
        for _ in range(count):
            record = self._submit(FunctionSpec(funcname="f", args=[0], label=label), initiator="3" * 64)
            record.state, record.starttime, record.endtime = SUCCESS, self._time(), self._time()

    # what clients do

    def shared(self, processid: str) -> ProcessSession:
        """Return what the handles of the client to a process share."""
        return ProcessSession(self, processid, Followed())

    async def call(self, message: Any, shape: Any) -> Any:
        """Answer a call, after the time that it takes, unless it fails."""
        fault = self.chance.choice(_SILENT) if self.chance.random() < self.faults else ""
        await asyncio.sleep(self.chance.choice((0.001, 0.001, 0.05)))
        if self.is_down or fault == "down":
            raise ServerUnreachable("simulated:1", "connection refused")
        if fault == "busy":
            raise ServerUnreachable("simulated:1", "HTTP 429", sent=True, status=429, retry_after=1.5)
        self.calls.append(message)
        reply = self._reply(message)
        reply = [_copied(each) for each in reply] if isinstance(reply, list) else _copied(reply)
        await asyncio.sleep(self.chance.choice((0.001, 0.001, 0.05, 0.4)))
        if fault == "lost":
            raise ServerUnreachable("simulated:1", "connection reset", sent=True)
        return in_shape(reply, shape)

    def _reply(self, message: Any) -> Any:
        match message:
            case messages.SubmitFunctionSpec():
                if self.refusal is not None:
                    raise self.refusal
                return self._submit(message.spec, initiator=ME)
            case messages.GetProcesses():
                found = [each for each in self.in_state(message.state) if each.spec.label == message.label]
                return found[: message.count]
            case messages.GetProcess() if message.processid not in self.processes:
                raise ProcessNotFound(404, "process not found")
            case messages.GetProcess():
                return self.processes[message.processid]
            case messages.GetProcessHistory():
                oldest = asyncio.get_running_loop().time() - message.seconds
                found = [each for each in self.in_state(message.state) if self.submitted_at[each.processid] >= oldest]
                return sorted(found, key=lambda each: each.submissiontime)
            case messages.CancelProcess():
                record = self.processes.get(message.processid)
                if record is None or record.state.is_closed:
                    raise ServerRefused(400, "Tried to cancel a closed process")
                record.state, record.endtime = CANCELLED, self._time()
                return {}
            case messages.ChannelAppend():
                return {}
        raise AssertionError(f"the simulated server does not know {message!r}")

    def _submit(self, spec: Any, initiator: str) -> ProcessRecord:
        number = len(self.submitted_at) + 1
        record = ProcessRecord(
            processid=f"{number:064}",
            initiatorid=initiator,
            prioritytime=number,
            submissiontime=self._time(),
            spec=replace(spec),
        )
        self.processes[record.processid] = record
        self.submitted_at[record.processid] = asyncio.get_running_loop().time()
        return record

    def _time(self) -> str:
        # Each use of the clock gives a later time.
        self._ticks = getattr(self, "_ticks", 0) + 1
        seconds = asyncio.get_running_loop().time() - 1000
        minutes, seconds = divmod(int(seconds), 60)
        return f"2026-01-01T{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{self._ticks:09}Z"


def _copied(reply: Any) -> Any:
    return replace(reply, spec=replace(reply.spec)) if isinstance(reply, ProcessRecord) else reply
