"""Calls about processes: submitting, assigning, closing, attributes, logs and workflows."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from colony_jupyter.wire.messages.message import Message
from colony_jupyter.wire.models import Attribute, FunctionSpec, Int, WorkflowSpec

# submitting and assigning


class SubmitFunctionSpec(Message, tag="submitfuncspecmsg"):
    """Submit a process (member)."""

    spec: FunctionSpec | None = None


class AssignProcess(Message, tag="assignprocessmsg"):
    """Wait up to ``timeout`` seconds for a process; negative: check once (approved executor)."""

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


class PauseStatus(Struct, kw_only=True):
    """Reply to `GetPauseStatus`."""

    colonyname: str = ""
    ispaused: bool = False


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
    """Store a key and value with a running process (its executor)."""

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
