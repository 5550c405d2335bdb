"""The calls of the protocol by message type (docs/protocol.md section 4; channels: section 5).

Names are those of the wire; `msgtype` is written by itself. What is left out is zero to the server, so nothing is left
out here: a message is sent with all its fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field

from colony_jupyter.wire.models import (
    Attribute,
    Colony,
    ExecutorRecord,
    Function,
    FunctionSpec,
    Int,
    User,
    WorkflowSpec,
)

if TYPE_CHECKING:
    from msgspec.structs import StructConfig


class Message(Struct, kw_only=True, tag_field="msgtype"):
    """What all calls have in common: the member ``msgtype``."""


def msgtype(message: Message | type[Message]) -> str:
    """Returns the type of a message, as it stands in ``msgtype`` and in the envelope's ``payloadtype``."""
    config: StructConfig = message.__struct_config__
    return str(config.tag)


# colonies


class AddColony(Message, tag="addcolonymsg"):
    """Add a colony (server key)."""

    colony: Colony | None = None


class RemoveColony(Message, tag="removecolonymsg"):
    """Remove a colony with all that is in it (server key)."""

    colonyname: str = ""


class GetColony(Message, tag="getcolonymsg"):
    """Look up a colony (member)."""

    colonyname: str = ""


class GetColonies(Message, tag="getcoloniesmsg"):
    """List all colonies (server key)."""


class GetColonyStatistics(Message, tag="getcolonystatsmsg"):
    """Counts of one colony (member)."""

    colonyname: str = ""


class GetStatistics(Message, tag="getstatisticsmsg"):
    """Counts of the whole server (server key)."""


# users


class AddUser(Message, tag="addusermsg"):
    """Add a user (colony key)."""

    user: User | None = None


class GetUsers(Message, tag="getusersmsg"):
    """List the users."""

    colonyname: str = ""


class GetUser(Message, tag="getusermsg"):
    """Look up a user by name."""

    colonyname: str = ""
    name: str = ""


class GetUserById(Message, tag="getuserbyidmsg"):
    """Look up a user by id."""

    colonyname: str = ""
    userid: str = ""


class RemoveUser(Message, tag="removeusermsg"):
    """Remove a user (colony key)."""

    colonyname: str = ""
    name: str = ""


# executors


class AddExecutor(Message, tag="addexecutormsg"):
    """Add an executor, pending at first (colony key)."""

    executor: ExecutorRecord | None = None


class ApproveExecutor(Message, tag="approveexecutormsg"):
    """Make an executor a member (colony key)."""

    colonyname: str = ""
    executorname: str = ""


class RejectExecutor(Message, tag="rejectexecutormsg"):
    """Refuse an executor (colony key)."""

    colonyname: str = ""
    executorname: str = ""


class RemoveExecutor(Message, tag="removeexecutormsg"):
    """Remove an executor (colony key)."""

    colonyname: str = ""
    executorname: str = ""


class GetExecutors(Message, tag="getexecutorsmsg"):
    """List the executors, removed ones included."""

    colonyname: str = ""


class GetExecutor(Message, tag="getexecutormsg"):
    """Look up an executor by name (member)."""

    colonyname: str = ""
    executorname: str = ""


class GetExecutorById(Message, tag="getexecutorbyidmsg"):
    """Look up an executor by id (member)."""

    colonyname: str = ""
    executorid: str = ""


# functions


class AddFunction(Message, tag="addfunctionmsg"):
    """Register a function (the executor itself)."""

    fun: Function | None = None


class GetFunctions(Message, tag="getfunctionsmsg"):
    """List functions of one executor, or of all with an empty name (member)."""

    colonyname: str = ""
    executorname: str = ""


class RemoveFunction(Message, tag="removefunctionmsg"):
    """Take a function back (the executor itself)."""

    functionid: str = ""


# submitting and assigning


class SubmitFunctionSpec(Message, tag="submitfuncspecmsg"):
    """Submit a process (member)."""

    spec: FunctionSpec | None = None


class AssignProcess(Message, tag="assignprocessmsg"):
    """Wait up to ``timeout`` seconds for a process; negative: look once (approved executor)."""

    colonyname: str = ""
    timeout: Int = 0
    availablecpu: str = ""
    availablemem: str = ""


class PauseAssignments(Message, tag="pauseassignmentsmsg"):
    """Hand out no more processes (colony key)."""

    colonyname: str = ""


class ResumeAssignments(Message, tag="resumeassignmentsmsg"):
    """Hand out processes again (colony key)."""

    colonyname: str = ""


class GetPauseStatus(Message, tag="getpausestatusmsg"):
    """Whether assignments are paused; answered as ``pausestatusreplymsg``."""

    colonyname: str = ""


# processes


class GetProcess(Message, tag="getprocessmsg"):
    """Look up a process (member)."""

    processid: str = ""


class GetProcesses(Message, tag="getprocessesmsg"):
    """List processes of one state; only one filter counts (trap 28)."""

    colonyname: str = ""
    count: Int = 0
    state: Int = 0
    executortype: str = ""
    label: str = ""
    initiator: str = ""


class GetProcessHistory(Message, tag="getprocesshistmsg"):
    """List processes submitted within the last seconds."""

    colonyname: str = ""
    executorid: str = ""
    seconds: Int = 0
    state: Int = 0


class SetOutput(Message, tag="setoutputmsg"):
    """Set the output of a running process (its executor)."""

    processid: str = ""
    output: list[Any] = field(name="out", default_factory=list)


class CloseSuccessful(Message, tag="closesuccessfulmsg"):
    """End a process with success (its executor)."""

    processid: str = ""
    output: list[Any] = field(name="out", default_factory=list)


class CloseFailed(Message, tag="closefailedmsg"):
    """End a process with errors (its executor)."""

    processid: str = ""
    errors: list[str] | None = field(default_factory=list)


class CancelProcess(Message, tag="cancelprocessmsg"):
    """Cancel a process (any member)."""

    processid: str = ""


class RemoveProcess(Message, tag="removeprocessmsg"):
    """Remove a process that does not run (any member)."""

    processid: str = ""


class RemoveAllProcesses(Message, tag="removeallprocessesmsg"):
    """Remove all processes of a state, -1 for all; absent is 0, the waiting ones (colony key, trap 34)."""

    colonyname: str = ""
    state: Int = 0


# attributes and logs


class AddAttribute(Message, tag="addattributemsg"):
    """Keep a key and value with a running process (its executor)."""

    attribute: Attribute | None = None


class GetAttribute(Message, tag="getattributemsg"):
    """Look up an attribute (member)."""

    attributeid: str = ""


class AddLog(Message, tag="addlogmsg"):
    """Add a log line to a running process (its executor)."""

    processid: str = ""
    message: str = ""


class AddExecutorLog(Message, tag="addexecutorlogmsg"):
    """Add a log line to an executor (itself)."""

    colonyname: str = ""
    executorname: str = ""
    message: str = ""


class GetLogs(Message, tag="getlogsmsg"):
    """List log lines of a process or an executor; ``since`` in Unix ns, ``count`` 1..500 (trap 36)."""

    colonyname: str = ""
    processid: str = ""
    executorname: str = ""
    count: Int = 0
    since: Int = 0
    latest: bool = False


class SearchLogs(Message, tag="searchlogsmsg"):
    """Search log lines of the colony."""

    colonyname: str = ""
    text: str = ""
    days: Int = 0
    count: Int = 0


# workflows


class SubmitWorkflowSpec(Message, tag="submitworkflowspecmsg"):
    """Submit a workflow (member)."""

    spec: WorkflowSpec | None = None


class GetProcessGraph(Message, tag="getprocessgraphmsg"):
    """Look up a workflow (member)."""

    processgraphid: str = ""


class GetProcessGraphs(Message, tag="getprocessgraphsmsg"):
    """List workflows of one state (member)."""

    colonyname: str = ""
    count: Int = 0
    state: Int = 0


class CancelProcessGraph(Message, tag="cancelprocessgraphmsg"):
    """Cancel a workflow (any member)."""

    processgraphid: str = ""


class RemoveProcessGraph(Message, tag="removeprocessgraphmsg"):
    """Remove a workflow with its processes (any member)."""

    processgraphid: str = ""


class RemoveAllProcessGraphs(Message, tag="removeallprocessgraphsmsg"):
    """Remove all workflows of a state, -1 for all (colony key)."""

    colonyname: str = ""
    state: Int = 0


class AddChild(Message, tag="addchildmsg"):
    """Add a process to a running workflow (the parent's executor)."""

    processgraphid: str = ""
    parentprocessid: str = ""
    childprocessid: str = ""
    spec: FunctionSpec | None = None
    insert: bool = False


# channels


class ChannelAppend(Message, tag="channelappendmsg"):
    """Append an entry; ``payloadtype`` becomes its type (a party to the process)."""

    processid: str = ""
    name: str = ""
    sequence: Int = 0
    inreplyto: Int = 0
    payload: bytes | None = b""
    payloadtype: str = ""


class ChannelRead(Message, tag="channelreadmsg"):
    """Read entries; ``afterseq`` is an index, not a sequence (trap 2)."""

    processid: str = ""
    name: str = ""
    afterseq: Int = 0
    limit: Int = 0


class SubscribeChannel(Message, tag="subscribechannelmsg"):
    """Entries as they come, for ``timeout`` seconds (WebSocket)."""

    processid: str = ""
    name: str = ""
    afterseq: Int = 0
    timeout: Int = 0


class SubscribeProcess(Message, tag="subscribeprocessmsg"):
    """The process each time it enters the state (WebSocket). Leave ``executortype`` empty."""

    processid: str = ""
    executortype: str = ""
    state: Int = 0
    timeout: Int = 0
    colonyname: str = ""


class SubscribeProcesses(Message, tag="subscribeprocessesmsg"):
    """Processes of a type that enter the state (WebSocket, executors)."""

    executortype: str = ""
    state: Int = 0
    timeout: Int = 0
    colonyname: str = ""


# server


class GetVersion(Message, tag="versionmsg"):
    """Version of the server (anyone, unsigned)."""


class GetServerInfo(Message, tag="getserverinfomsg"):
    """Version and backends of the server (anyone, unsigned)."""


class Node(Struct, kw_only=True):
    """One node of a server."""

    name: str = ""
    host: str = ""
    port: Int = 0
    peerport: Int = 0
    relayport: Int = 0
    apiport: Int = 0


class Cluster(Struct, kw_only=True):
    """Reply to `GetCluster`."""

    nodes: list[Node] | None = None
    leader: Node = field(default_factory=Node)


class GetCluster(Message, tag="getclustermsg"):
    """Nodes of the server (server owner)."""


class PauseStatus(Struct, kw_only=True):
    """Reply to `GetPauseStatus`."""

    colonyname: str = ""
    ispaused: bool = False


class Version(Struct, kw_only=True):
    """Reply to `GetVersion`."""

    buildversion: str = ""
    buildtime: str = ""


class Backend(Struct, kw_only=True):
    """One way in which a server can be reached."""

    type: str = ""
    port: Int = 0
    host: str = ""


class ServerInfo(Struct, kw_only=True):
    """Reply to `GetServerInfo`."""

    buildversion: str = ""
    buildtime: str = ""
    backends: list[Backend] = field(default_factory=list)


PAUSE_STATUS_REPLY: Final = "pausestatusreplymsg"
"""The one ``payloadtype`` of a reply that is not that of its request."""

CALLS: Final[dict[str, type[Message]]] = {
    msgtype(call): call
    for call in (
        AddColony,
        RemoveColony,
        GetColony,
        GetColonies,
        GetColonyStatistics,
        GetStatistics,
        AddUser,
        GetUsers,
        GetUser,
        GetUserById,
        RemoveUser,
        AddExecutor,
        ApproveExecutor,
        RejectExecutor,
        RemoveExecutor,
        GetExecutors,
        GetExecutor,
        GetExecutorById,
        AddFunction,
        GetFunctions,
        RemoveFunction,
        SubmitFunctionSpec,
        AssignProcess,
        PauseAssignments,
        ResumeAssignments,
        GetPauseStatus,
        GetProcess,
        GetProcesses,
        GetProcessHistory,
        SetOutput,
        CloseSuccessful,
        CloseFailed,
        CancelProcess,
        RemoveProcess,
        RemoveAllProcesses,
        AddAttribute,
        GetAttribute,
        AddLog,
        AddExecutorLog,
        GetLogs,
        SearchLogs,
        SubmitWorkflowSpec,
        GetProcessGraph,
        GetProcessGraphs,
        CancelProcessGraph,
        RemoveProcessGraph,
        RemoveAllProcessGraphs,
        AddChild,
        ChannelAppend,
        ChannelRead,
        SubscribeChannel,
        SubscribeProcess,
        SubscribeProcesses,
        GetVersion,
        GetServerInfo,
        GetCluster,
    )
}
"""Every call by its msgtype."""
