"""Records of the embedded colony: processes, executors, workflows, entries and log lines as plain values.

Times are Unix nanoseconds, 0 for none; `colony_jupyter.server.api.encoding` writes them as the wire has them.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from colony_jupyter.wire.models import DATA, Attribute, ExecutorRecord, FunctionSpec, ProcessState


class Process(Struct, kw_only=True):
    """A process."""

    processid: str
    colonyname: str
    initiatorid: str
    initiatorname: str
    spec: FunctionSpec
    order: int  # number of the submission, which decides between equal times
    priority: int  # `prioritytime`
    submitted: int
    started: int = 0
    ended: int = 0
    waitdeadline: int = 0
    execdeadline: int = 0
    executorid: str = ""
    assigned: bool = False
    state: ProcessState = ProcessState.WAITING
    retries: int = 0
    waitforparents: bool = False
    parents: list[str] = field(default_factory=list)
    children: list[str] = field(default_factory=list)
    workflowid: str = ""
    input: list[Any] | None = field(default_factory=list)  # None if its parents put out nothing
    output: list[Any] = field(default_factory=list)
    former_output: list[Any] = field(default_factory=list)  # before it was closed, as its announcement shows it
    errors: list[str] | None = field(default_factory=list)
    attributes: list[Attribute] = field(default_factory=list)
    channelsid: str = (
        ""  # id of the executor that may use the channels; it stays after the end, and goes with a requeue
    )

    @property
    def key(self) -> tuple[int, int]:
        """What waiting processes are ordered by."""
        return (self.priority, self.order)

    @property
    def executortype(self) -> str:
        """The type of executor it is for."""
        return self.spec.conditions.executortype


class Executor(Struct, kw_only=True):
    """An executor; `record` holds what the wire shows, but for the times."""

    record: ExecutorRecord
    commissioned: int
    heard: int = 0


class Workflow(Struct, kw_only=True):
    """A workflow. Its state is that of its members, unless it was cancelled."""

    processgraphid: str
    colonyname: str
    initiatorid: str
    initiatorname: str
    rootprocessids: list[str]
    processids: list[str]
    submitted: int
    started: int = 0
    ended: int = 0
    cancelled: bool = False
    final: ProcessState | None = None  # its state, once all its members have closed


class StoredEntry(Struct, array_like=True, gc=False):
    """An entry of a channel.

    Stored as a list, so fields are only ever added, at the end and with a default.
    """

    sequence: int
    inreplyto: int
    timestamp: int
    senderid: str
    payload: bytes | None
    type: str = DATA


class LogLine(Struct, kw_only=True):
    """A line of a process's or an executor's log."""

    processid: str
    colonyname: str
    executorname: str
    message: str
    timestamp: int
