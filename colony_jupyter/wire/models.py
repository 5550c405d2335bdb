"""The objects of the protocol (docs/protocol.md section 3): one definition for client and server.

Field names are the wire's. Where a name is a Python keyword the attribute is ``input`` and ``output``. Times stay the
server's RFC 3339 text, since it has nine fractional digits and a ``datetime`` six: `moment` reads them.
The defaults are those for *making* an object; what is absent in a message from elsewhere is zero
(`colony_jupyter.wire.decoding`).
"""

from __future__ import annotations

import copy
import enum
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import Meta, Struct, StructMeta, field

from colony_jupyter.wire.decoding import read_json
from colony_jupyter.wire.limits import INT64_MAX, INT64_MIN
from colony_jupyter.wire.sdk_names import missing_attribute

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_TIME: Final = "0001-01-01T00:00:00Z"
"""A time that is not set."""

Int = Annotated[int, Meta(ge=INT64_MIN, le=INT64_MAX)]


class ProcessState(enum.IntEnum):
    """State of a process, and of a workflow."""

    WAITING = 0
    RUNNING = 1
    SUCCESS = 2
    FAILED = 3
    CANCELLED = 4

    @property
    def is_closed(self) -> bool:
        """Whether it has ended, one way or another."""
        return self >= ProcessState.SUCCESS


class ExecutorState(enum.IntEnum):
    """State of an executor in its colony. Only an approved one is a member."""

    PENDING = 0
    APPROVED = 1
    REJECTED = 2
    REMOVED = 3


class AttributeType(enum.IntEnum):
    """What an attribute of a process is."""

    IN = 0
    OUT = 1
    ERR = 2
    ENV = 3


class Colony(Struct, kw_only=True):
    """A colony: its name, and the id of its owner's key."""

    colonyid: str
    name: str


class User(Struct, kw_only=True):
    """A user of a colony."""

    colonyname: str
    userid: str
    name: str
    email: str = ""
    phone: str = ""


class Gpu(Struct, kw_only=True):
    """GPUs that a process demands or an executor has."""

    name: str = ""
    mem: str = "0Mi"
    count: Int = 0
    nodecount: Int = 0


class Conditions(Struct, kw_only=True):
    """Which executors a process may be assigned to."""

    colonyname: str = ""
    executornames: list[str] | None = None
    executortype: str = ""
    locationname: str = ""
    dependencies: list[str] = field(default_factory=list)
    nodes: Int = 0
    cpu: str = "0m"
    processes: Int = 0
    processespernode: Int = 0
    mem: str = "0Mi"
    storage: str = "0Mi"
    gpu: Gpu = field(default_factory=Gpu)
    walltime: Int = 0


class OnEvent(Struct, kw_only=True):
    """Whether a synchronised folder keeps its local files at one moment."""

    keeplocal: bool = False


class OnConflicts(Struct, kw_only=True):
    """What happens to conflicting files of a synchronised folder."""

    onstart: OnEvent = field(default_factory=OnEvent)
    onclose: OnEvent = field(default_factory=OnEvent)


class SnapshotMount(Struct, kw_only=True):
    """A snapshot that a process wants to see; stored as given."""

    snapshotid: str = ""
    label: str = ""
    dir: str = ""
    keepfiles: bool = False
    keepsnapshot: bool = False


class SyncDir(Struct, kw_only=True):
    """A folder that a process wants synchronised; stored as given."""

    label: str = ""
    dir: str = ""
    keepfiles: bool = False
    onconflicts: OnConflicts = field(default_factory=OnConflicts)


class Filesystem(Struct, kw_only=True):
    """File mounts of a process; stored as given."""

    mount: str = ""
    snapshots: list[SnapshotMount] | None = None
    dirs: list[SyncDir] | None = None


SYNC: Final = "sync"
"""Name of the channel on which a reader acknowledges that it has everything, so that the executor may close."""


def visible_channels(declared: Sequence[str]) -> list[str]:
    """Return the channels that a user declared, without the `sync` that a pane's submission adds in first place."""
    return list(declared[1:]) if len(declared) > 1 and declared[0] == SYNC else list(declared)


class _SpecType(StructMeta):
    """Accepts two of the conditions as arguments, too, in the order of ColonyOS's own SDKs."""

    def __call__(cls, funcname: str = "", executortype: str = "", colonyname: str = "", **fields: Any) -> Any:  # noqa: N805
        if executortype or colonyname:
            conditions = fields["conditions"] = copy.copy(fields.get("conditions") or Conditions())
            conditions.executortype = executortype or conditions.executortype
            conditions.colonyname = colonyname or conditions.colonyname
        return super().__call__(funcname=funcname, **fields)


class FunctionSpec(Struct, kw_only=True, metaclass=_SpecType):
    """What to run, where, and within which limits.

    ``FunctionSpec("stream-data", "cli", "dev")`` names the function, the type of executor and the colony, as in
    ColonyOS's own tutorial; all other fields are given by name, or set afterwards.

    The defaults are safe ones: no limit on waiting and running time. On the wire an absent ``maxexectime`` is 0, which
    is not "none" but a deadline long past (trap 1), so it is always sent. Times are whole seconds, -1 for no limit.
    """

    nodename: str = ""
    funcname: str = ""
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)
    priority: Int = 0
    maxwaittime: Int = -1
    maxexectime: Int = -1
    maxretries: Int = 0
    conditions: Conditions = field(default_factory=Conditions)
    label: str = ""
    fs: Filesystem = field(default_factory=Filesystem)
    env: dict[str, str] = field(default_factory=dict)
    channels: list[str] = field(default_factory=list)

    if TYPE_CHECKING:

        def __init__(self, funcname: str = "", executortype: str = "", colonyname: str = "", **fields: Any) -> None: ...


class WorkflowSpec(Struct, kw_only=True):
    """Function specs that depend on each other by ``nodename``."""

    colonyname: str = ""
    functionspecs: list[FunctionSpec] = field(default_factory=list)


class Attribute(Struct, kw_only=True):
    """A key and value stored with a process."""

    attributeid: str = ""
    targetid: str = ""
    targetcolonyname: str = ""
    targetprocessgraphid: str = ""
    state: Int = 0
    attributetype: Int = 0
    key: str = ""
    value: str = ""


class ProcessRecord(Struct, kw_only=True):
    """A process as the server reports it at one moment."""

    processid: str
    initiatorid: str = ""
    initiatorname: str = ""
    assignedexecutorid: str = ""
    isassigned: bool = False
    state: ProcessState = ProcessState.WAITING
    prioritytime: Int = 0
    submissiontime: str = NO_TIME
    starttime: str = NO_TIME
    endtime: str = NO_TIME
    waitdeadline: str = NO_TIME
    execdeadline: str = NO_TIME
    retries: Int = 0
    attributes: list[Attribute] = field(default_factory=list)
    spec: FunctionSpec = field(default_factory=FunctionSpec)
    waitforparents: bool = False
    parents: list[str] = field(default_factory=list)
    children: list[str] = field(default_factory=list)
    processgraphid: str = ""
    input: list[Any] = field(name="in", default_factory=list)
    output: list[Any] = field(name="out", default_factory=list)
    errors: list[str] | None = field(default_factory=list)


class Hardware(Struct, kw_only=True):
    """One kind of machine of an executor."""

    model: str = ""
    nodes: Int = 0
    cpu: str = ""
    cores: Int = 0
    mem: str = ""
    storage: str = ""
    gpu: Gpu = field(default_factory=lambda: Gpu(mem=""))
    platform: str = ""
    architecture: str = ""
    network: list[str] | None = None


class Software(Struct, kw_only=True):
    """One program of an executor."""

    name: str = ""
    type: str = ""
    version: str = ""


class Capabilities(Struct, kw_only=True):
    """What an executor has."""

    hardware: list[Hardware] | None = None
    software: list[Software] | None = None


class Allocations(Struct, kw_only=True):
    """Projects an executor may use; stored as given."""

    projects: dict[str, Any] | None = None


class ExecutorRecord(Struct, kw_only=True):
    """An executor as the server reports it."""

    executorid: str
    executortype: str
    executorname: str
    colonyname: str
    state: ExecutorState = ExecutorState.PENDING
    requirefuncreg: bool = False
    commissiontime: str = NO_TIME
    lastheardfromtime: str = NO_TIME
    locationname: str = ""
    capabilities: Capabilities = field(default_factory=Capabilities)
    allocations: Allocations = field(default_factory=Allocations)
    blueprintid: str = ""
    blueprintgen: Int = 0


class FunctionArgument(Struct, kw_only=True):
    """One argument of a registered function, as its executor describes it."""

    name: str = ""
    type: str = ""
    description: str = ""
    required: bool = False
    enum: list[str] | None = None


class Function(Struct, kw_only=True):
    """A function that an executor has registered. Times are seconds."""

    functionid: str = ""
    executorname: str = ""
    executortype: str = ""
    colonyname: str = ""
    funcname: str = ""
    description: str = ""
    args: list[FunctionArgument] = field(default_factory=list)
    counter: Int = 0
    minwaittime: float = 0.0
    maxwaittime: float = 0.0
    minexectime: float = 0.0
    maxexectime: float = 0.0
    avgwaittime: float = 0.0
    avgexectime: float = 0.0
    locationname: str = ""


class Log(Struct, kw_only=True):
    """One log line; ``timestamp`` in Unix nanoseconds. ``str()`` is its message."""

    processid: str
    colonyname: str
    executorname: str
    message: str
    timestamp: Int

    def __str__(self) -> str:
        return self.message


class Statistics(Struct, kw_only=True):
    """Counts of a colony or of a whole server."""

    colonies: Int = 0
    executors: Int = 0
    activeexecutors: Int = 0
    unregisteredexecutors: Int = 0
    waitingprocesses: Int = 0
    runningprocesses: Int = 0
    successfulprocesses: Int = 0
    failedprocesses: Int = 0
    cancelledprocesses: Int = 0
    waitingworkflows: Int = 0
    runningworkflows: Int = 0
    successfulworkflows: Int = 0
    failedworkflows: Int = 0
    cancelledworkflows: Int = 0


class Workflow(Struct, kw_only=True):
    """A workflow ("process graph"). ``nodes`` and ``edges`` are drawing data."""

    processgraphid: str
    initiatorid: str = ""
    initiatorname: str = ""
    colonyname: str = ""
    rootprocessids: list[str] = field(default_factory=list)
    state: ProcessState = ProcessState.WAITING
    submissiontime: str = NO_TIME
    starttime: str = NO_TIME
    endtime: str = NO_TIME
    processids: list[str] = field(default_factory=list)
    nodes: list[dict[str, Any]] = field(default_factory=list)
    edges: list[dict[str, Any]] = field(default_factory=list)


DATA: Final = "data"
END: Final = "end"
ERROR: Final = "error"
TURN: Final = "turn"
"""Type of the empty entry by which our executors close one turn of a chat; ``inreplyto`` names the message."""


class Entry(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, gc=False):
    """One entry of a channel.

    ``former`` is no field of the wire: a reader sets it on an entry written by neither the initiator nor the executor
    the process is assigned to now (trap 22).
    """

    sequence: Int
    inreplyto: Int = 0
    timestamp: str = ""
    senderid: str = ""
    payload: bytes = b""
    type: str = DATA
    error: str = ""
    former: bool = False

    if not TYPE_CHECKING:  # with this method a type checker would accept any name

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(missing_attribute(name))

    @property
    def text(self) -> str:
        """The payload as UTF-8 text; what is no UTF-8 shows as U+FFFD."""
        return self.payload.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the payload as the JSON value it is; NaN and infinity as Python writes them are floats.

        Raises:
            ValueError: if it is not JSON.
        """
        return read_json(self.payload)

    @property
    def is_end(self) -> bool:
        """Whether it marks an end; with ``inreplyto`` that of one answer, else of the stream."""
        return self.type == END

    @property
    def is_error(self) -> bool:
        """Whether it reports an error."""
        return self.type == ERROR

    @property
    def key(self) -> tuple[str, int, str]:
        """What distinguishes two entries: a sender may repeat its sequence numbers (docs/protocol.md section 5)."""
        return (self.senderid, self.sequence, self.timestamp)


def moment(text: str) -> datetime | None:
    """Read a time of the server; None when it is not set.

    Raises:
        ValueError: if it is not RFC 3339.
    """
    if not text or text.startswith("0001-01-01"):
        return None
    return datetime.fromisoformat(text).astimezone(UTC)
