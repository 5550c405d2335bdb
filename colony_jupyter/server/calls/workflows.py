"""Workflows ("process graphs")."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

from colony_jupyter.server.api import encoding
from colony_jupyter.server.calls.processes import (
    check_count,
    check_not_negative,
    check_state,
    initiator_name,
    removed_states,
)
from colony_jupyter.server.calls.registry import Caller, call, required
from colony_jupyter.server.errors import Refused, check_text
from colony_jupyter.server.state.records import Workflow
from colony_jupyter.server.state.spec_rules import normal, texts_of
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import FunctionSpec, ProcessState, WorkflowSpec

if TYPE_CHECKING:
    from colony_jupyter.server.server import Server
    from colony_jupyter.server.state.colony_state import ColonyState
    from colony_jupyter.server.state.records import Process


@call(messages.SubmitWorkflowSpec, "submit workflow")
async def submit_workflow(server: Server, message: messages.SubmitWorkflowSpec, caller: Caller) -> Any:
    spec: WorkflowSpec = required(message.spec, Refused(400, "Failed to submit workflow, msg.WorkflowSpec is nil"))
    colony = server.as_member(spec.colonyname, caller.id)
    _check(spec)
    name = initiator_name(server, colony, caller.id)
    workflow = Workflow(
        processgraphid=server.new_id(),
        colonyname=spec.colonyname,
        initiatorid=caller.id,
        initiatorname=name,
        rootprocessids=[],
        processids=[],
        submitted=server.now(),
    )
    members: dict[str, Process] = {}
    for function in spec.functionspecs:
        function.conditions.colonyname = spec.colonyname
        function.maxexectime = function.maxexectime or -1  # unlike at a submission on its own
        members[function.nodename] = server.submit(
            colony,
            function,
            initiatorid=caller.id,
            initiatorname=name,
            workflowid=workflow.processgraphid,
            waitforparents=bool(function.conditions.dependencies),
        )
    for process in members.values():
        for dependency in process.spec.conditions.dependencies:
            parent = members[dependency]
            process.parents.append(parent.processid)
            parent.children.append(process.processid)
    for process in members.values():
        server.save(process)
    workflow.processids = [process.processid for process in members.values()]
    workflow.rootprocessids = [process.processid for process in members.values() if not process.parents]
    colony.add_workflow(workflow)
    server.index_id(workflow.processgraphid, workflow.colonyname)
    server.save_workflow(workflow)
    return encoding.workflow(workflow, colony, ProcessState.WAITING, fresh=True)


def _check(spec: WorkflowSpec) -> None:
    """Refuse a workflow before anything of it is stored (section 8)."""
    names: set[str] = set()
    for function in spec.functionspecs:
        if not function.nodename:
            raise Refused(500, "Nodename is missing, check function spec for errors")
        if function.nodename in names:
            raise Refused(500, f"Duplicate nodename: {function.nodename}")
        names.add(function.nodename)
        check_text(*texts_of(function), refused=(500, "Failed to submit workflow, failed to add process"))
        normal(function)
    if any(not names.issuperset(function.conditions.dependencies) for function in spec.functionspecs):
        raise Refused(
            500,
            "Failed to submit workflow, invalid dependencies, are you depending on a nodename that does not exits?",
        )


@call(messages.GetProcessGraph, "get processgraph")
async def get_workflow(server: Server, message: messages.GetProcessGraph, caller: Caller) -> Any:
    colony, workflow = _as_member(server, message.processgraphid, caller, "Failed to get processgraph, graph is nil")
    return encoding.workflow(workflow, colony, server.workflow_state(colony, workflow))


@call(messages.GetProcessGraphs, "get processgraphs")
async def get_workflows(server: Server, message: messages.GetProcessGraphs, caller: Caller) -> Any:
    colony = server.as_member(message.colonyname, caller.id)
    state = check_state(message.state, "invalid msg.State")
    check_count(message.count)
    check_not_negative(message.count)
    ended = reversed(colony.final_workflows(state)[-message.count :]) if message.count else ()
    found = [colony.workflows[processgraphid] for _, processgraphid in ended]
    found += (each for each in colony.open_workflows() if server.workflow_state(colony, each) is state)
    newest = heapq.nlargest(message.count, found, key=lambda workflow: workflow.submitted)
    return [encoding.workflow(each, colony, state) for each in newest] or None


@call(messages.CancelProcessGraph, "cancel processgraph")
async def cancel_workflow(server: Server, message: messages.CancelProcessGraph, caller: Caller) -> Any:
    colony, workflow = _as_member(server, message.processgraphid, caller, "Failed to cancel processgraph, graph is nil")
    server.cancel_workflow(colony, workflow)
    return {}


@call(messages.RemoveProcessGraph, "remove processgraph")
async def remove_workflow(server: Server, message: messages.RemoveProcessGraph, caller: Caller) -> Any:
    colony, workflow = _as_member(server, message.processgraphid, caller, "Failed to remove processgraph, graph is nil")
    if server.workflow_state(colony, workflow) is ProcessState.RUNNING:
        raise Refused(400, "Failed to remove processgraph, cannot remove a running processgraph")
    server.remove_workflow(colony, workflow)
    return {}


@call(messages.RemoveAllProcessGraphs, "remove all processgraphs")
async def remove_all_workflows(server: Server, message: messages.RemoveAllProcessGraphs, caller: Caller) -> Any:
    colony = server.as_owner(message.colonyname, caller.id)
    states = removed_states(
        message.state, "not possible to remove running processgraphs", "invalid state when deleting all processgraphs"
    )
    for workflow in list(colony.workflows.values()):
        if server.workflow_state(colony, workflow) in states:
            server.remove_workflow(colony, workflow)
    return {}


@call(messages.AddChild, "add child to processgraph")
async def add_child(server: Server, message: messages.AddChild, caller: Caller) -> Any:
    spec: FunctionSpec = required(
        message.spec, Refused(400, "Failed to add child to processgraph, msg.FunctionSpec is nil")
    )
    server.as_member(spec.conditions.colonyname, caller.id)
    parentid = message.parentprocessid
    colony, parent = server.process(parentid, Refused(400, f"Process with Id {parentid} does not exist"))
    server.as_member(colony.colony.name, caller.id)
    if parent.state is not ProcessState.RUNNING:
        raise Refused(400, f"Process with Id {parentid} is not running")
    if parent.executorid != caller.id:
        raise Refused(400, f"Process with Id {parentid} is not assigned to executor with Id {caller.id}")
    workflow = colony.workflows.get(parent.workflowid)
    if (
        workflow is None
        or message.processgraphid != parent.workflowid
        or spec.conditions.colonyname != parent.colonyname
    ):
        raise Refused(400, f"Process with Id {parentid} does not belong to a processgraph")
    spec.maxexectime = spec.maxexectime or -1
    child = server.submit(
        colony, spec, initiatorid="", initiatorname="", workflowid=parent.workflowid, waitforparents=True
    )
    if message.insert:
        _insert(server, colony, parent, child)
    else:
        grandchild = colony.processes.get(message.childprocessid)
        if grandchild is not None and grandchild.workflowid == parent.workflowid:
            _link(child, grandchild)
            if grandchild.state is ProcessState.WAITING:
                colony.hold(grandchild)
            server.save(grandchild)
    _link(parent, child)
    workflow.processids.append(child.processid)
    for changed in (parent, child):
        server.save(changed)
    server.save_workflow(workflow)
    return encoding.process(child)


def _link(parent: Process, child: Process) -> None:
    parent.children.append(child.processid)
    child.parents.append(parent.processid)


def _insert(server: Server, colony: ColonyState, parent: Process, between: Process) -> None:
    """Put a process between another and all its children."""
    for childid in parent.children:
        child = colony.processes.get(childid)
        if child is not None:
            child.parents = [*(each for each in child.parents if each != parent.processid), between.processid]
            between.children.append(childid)
            server.save(child)
    parent.children = []


def _as_member(server: Server, processgraphid: str, caller: Caller, missing: str) -> tuple[ColonyState, Workflow]:
    colony, workflow = server.workflow(processgraphid, Refused(500, missing))
    server.as_member(colony.colony.name, caller.id)
    return colony, workflow
