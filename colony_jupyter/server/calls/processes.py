"""Submitting, assigning, looking up and ending processes."""

from __future__ import annotations

import asyncio
import heapq
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.server.api import encoding
from colony_jupyter.server.calls.registry import Caller, Silence, call, required
from colony_jupyter.server.errors import Refused, check_text
from colony_jupyter.server.state import quantities
from colony_jupyter.server.state.json_values import restored
from colony_jupyter.wire import messages
from colony_jupyter.wire.limits import MAX_PROCESSES
from colony_jupyter.wire.models import FunctionSpec, ProcessState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from colony_jupyter.server.server import Server
    from colony_jupyter.server.state.colony_state import ColonyState
    from colony_jupyter.server.state.records import Process

_NOTHING: Final = "No process available for assignment"
_ALL: Final = -1
_STATES: Final = {
    ProcessState.SUCCESS: "successful",
    ProcessState.FAILED: "failed",
    ProcessState.CANCELLED: "cancelled",
}
"""Words of refusals for the states in which a process has ended."""


@call(messages.SubmitFunctionSpec, "submit process")
async def submit(server: Server, message: messages.SubmitFunctionSpec, caller: Caller) -> Any:
    spec: FunctionSpec = required(message.spec, Refused(400, "Failed to submit process spec, msg.FunctionSpec is nil"))
    colony = server.as_member(spec.conditions.colonyname, caller.id)
    process = server.submit(
        colony, spec, initiatorid=caller.id, initiatorname=initiator_name(server, colony, caller.id)
    )
    return encoding.process(process)


def initiator_name(server: Server, colony: ColonyState, callerid: str) -> str:
    """Return the name of a caller: an executor anywhere comes before a user (trap 20)."""
    for each in (colony, *server.colonies.values()):
        executor = each.executor_by_id(callerid)
        if executor is not None:
            return executor.record.executorname
    user = colony.user_by_id(callerid)
    return user.name if user else ""


@call(messages.AssignProcess, "assign process")
async def assign(server: Server, message: messages.AssignProcess, caller: Caller) -> Any:
    colony = server.as_member(message.colonyname, caller.id)
    executor = colony.executor_by_id(caller.id, approved=True)
    if executor is None:
        raise Refused(500, "Failed to assign process, executor not found")
    if message.timeout == 0:
        raise Refused(400, "Invalid timeout value, timeout cannot be zero")
    offer = _offer(message)
    executor.heard = server.now()
    server.save_executor(executor)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + quantities.wait(message.timeout)
    kind = executor.record.executortype
    event = server.waiters.poll(message.colonyname, kind)
    gone = asyncio.ensure_future(caller.gone())
    try:
        while True:
            event.clear()
            found = _assign_now(server, message.colonyname, caller.id, offer)
            if found is not None:
                shown = encoding.process(found)
                server.start_clock(found)
                return shown
            left = deadline - loop.time()
            if left <= 0 or server.stopping.is_set():
                break
            woken = asyncio.ensure_future(event.wait())
            await asyncio.wait({woken, gone}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            woken.cancel()
            if gone.done():
                break
            await server.ready()
    finally:
        gone.cancel()
        server.waiters.unpoll(message.colonyname, kind, event)
    colony = server.colonies.get(message.colonyname, colony)
    if colony.paused and message.timeout < 0:
        raise Refused(503, "No processes available: colony assignments are paused")
    if colony.paused:
        raise Refused(408, "Assignment timeout: colony assignments are paused")
    raise Refused(404, _NOTHING)


def _offer(message: messages.AssignProcess) -> tuple[int | None, int | None]:
    cpu = memory = None
    if message.availablecpu:
        if message.availablecpu.endswith("m") and not message.availablecpu[:-1].lstrip("-").isdecimal():
            raise Refused(400, "Error converting CPU to int")
        cpu = quantities.millicores(message.availablecpu)
    if message.availablemem:
        memory = quantities.mebibytes(message.availablemem)
    return cpu, memory


def _assign_now(
    server: Server, colonyname: str, executorid: str, offer: tuple[int | None, int | None]
) -> Process | None:
    # Looked up each time: during the wait, executor or colony may have been removed, or the state restored.
    colony = server.colonies.get(colonyname)
    if colony is None or colony.paused:
        return None
    executor = colony.executor_by_id(executorid, approved=True)
    return server.assign(colony, executor, *offer) if executor else None


@call(messages.PauseAssignments, "pause assignments")
async def pause(server: Server, message: messages.PauseAssignments, caller: Caller) -> Any:
    colony = server.as_owner(message.colonyname, caller.id)
    colony.paused = True
    server.store.put("paused", message.colonyname, message.colonyname)
    return {}


@call(messages.ResumeAssignments, "resume assignments")
async def resume(server: Server, message: messages.ResumeAssignments, caller: Caller) -> Any:
    colony = server.as_owner(message.colonyname, caller.id)
    colony.paused = False
    server.store.delete("paused", message.colonyname)
    server.wake(message.colonyname)
    return {}


@call(messages.GetPauseStatus, "get pause status", replytype=messages.PAUSE_STATUS_REPLY)
async def get_pause_status(server: Server, message: messages.GetPauseStatus, caller: Caller) -> Any:
    colony = server.as_member_in_any_state(message.colonyname, caller.id)
    return {
        "msgtype": messages.PAUSE_STATUS_REPLY,
        "colonyname": message.colonyname,
        "ispaused": colony.paused,
    }


@call(messages.GetProcess, "get process")
async def get_process(server: Server, message: messages.GetProcess, caller: Caller) -> Any:
    _, process = _as_member(server, message.processid, caller, Refused(404, "Failed to get process, process not found"))
    return encoding.process(process)


@call(messages.GetProcesses, "get processes")
async def get_processes(server: Server, message: messages.GetProcesses, caller: Caller) -> Any:
    colony = server.as_member(message.colonyname, caller.id)
    # In the order of the real server's checks, also where a filter does not count.
    check_count(message.count)
    if message.initiator and message.initiator not in colony.users:
        raise Refused(400, f"User <{message.initiator}> does not exist")
    state = check_state(message.state, "Failed to get processes, invalid msg.State")
    check_not_negative(message.count)
    wanted = {}
    if message.executortype:
        wanted = {"executortype": message.executortype}
    elif message.initiator:
        # Listed by name, as stored at submission: what an executor of the same key submitted is not found (trap 20).
        wanted = {"initiatorname": message.initiator, "initiatorid": colony.users[message.initiator].userid}
    elif message.label:
        wanted = {"label": message.label}
    here = (each for each in colony.in_state(state) if wanted.items() <= _listed_by(each).items())
    there = server.store.archive.latest(message.colonyname, state, message.count, **wanted)
    return [encoding.process(process) for process in _first(_united(there, here), state, message.count)] or None


def _listed_by(process: Process) -> dict[str, str]:
    return {
        "executortype": process.executortype,
        "initiatorname": process.initiatorname,
        "initiatorid": process.initiatorid,
        "label": process.spec.label,
    }


def _united(archived: Iterable[Process], here: Iterable[Process]) -> Iterable[Process]:
    """Return processes once each: those on their way into the archive may be there already."""
    return {process.processid: process for found in (archived, here) for process in found}.values()


def check_count(count: int) -> None:
    """Refuse to list too many.

    Raises:
        Refused: if so.
    """
    if count > MAX_PROCESSES:
        raise Refused(400, f"Count is larger than MaxCount limit <{MAX_PROCESSES}>")


def check_not_negative(count: int) -> None:
    """Refuse a negative count, which the real server's database refuses.

    Raises:
        Refused: if so.
    """
    if count < 0:
        raise Refused(400, "Count must not be negative")


def _first(found: Iterable[Process], state: ProcessState, count: int) -> list[Process]:
    """Return the first ones: waiting the soonest, running the oldest, closed the newest."""
    order: Callable[[Process], tuple[int, int]]
    if state is ProcessState.WAITING:
        order = _soonest
    elif state is ProcessState.RUNNING:
        order = _longest_running
    else:
        order = _latest_ended
    return heapq.nsmallest(count, found, key=order)


def _soonest(process: Process) -> tuple[int, int]:
    return process.key


def _longest_running(process: Process) -> tuple[int, int]:
    return (process.started, process.order)


def _latest_ended(process: Process) -> tuple[int, int]:
    return (-process.ended, -process.order)


@call(messages.GetProcessHistory, "get process history")
async def get_process_history(server: Server, message: messages.GetProcessHistory, caller: Caller) -> Any:
    colony = server.colonies.get(message.colonyname)
    if colony is None or not colony.is_member(caller.id):
        return Silence()
    state = check_state(message.state, "Failed to get processes, invalid msg.State")
    oldest = server.now() - message.seconds * quantities.SECOND
    here = (
        process
        for process in colony.in_state(state)
        if process.submitted >= oldest and message.executorid in ("", process.executorid)
    )
    there = server.store.archive.submitted_since(message.colonyname, state, oldest, message.executorid)
    found = sorted(_united(there, here), key=lambda process: process.order)
    return [encoding.process(process) for process in found] or None


@call(messages.SetOutput, "set output")
async def set_output(server: Server, message: messages.SetOutput, caller: Caller) -> Any:
    _, process = _as_member(server, message.processid, caller, Refused(500, "Failed to set output, process is nil"))
    if not process.assigned or process.executorid != caller.id:
        # The words of another call, as on the real server (trap 32).
        raise Refused(403, "Failed to close process as successful, not allowed to close process as successful")
    if process.state is not ProcessState.RUNNING:
        raise Refused(403, "Failed to set output, process is not running")
    if message.output:
        process.output = restored(message.output)
        server.save(process)
    return {}


@call(messages.CloseSuccessful, "close process as successful")
async def close_successful(server: Server, message: messages.CloseSuccessful, caller: Caller) -> Any:
    doing = "Failed to close process as successful"
    colony, process = _as_member(server, message.processid, caller, Refused(500, f"{doing}, process is nil"))
    _check_executor(process, caller, doing)
    if process.state in (ProcessState.FAILED, ProcessState.CANCELLED):
        raise Refused(400, f"Tried to set {process.state.name.lower()} process as successful")
    server.succeed(colony, process, message.output)
    return {}


@call(messages.CloseFailed, "close process as failed")
async def close_failed(server: Server, message: messages.CloseFailed, caller: Caller) -> Any:
    doing = "Failed to close process as failed"
    colony, process = _as_member(server, message.processid, caller, Refused(500, f"{doing}, process is nil"))
    _check_executor(process, caller, doing)
    if process.state.is_closed:
        raise Refused(400, f"Tried to set {_STATES[process.state]} process as failed")
    check_text(*(message.errors or ()))
    server.fail(colony, process, message.errors)
    return {}


@call(messages.CancelProcess, "cancel process")
async def cancel(server: Server, message: messages.CancelProcess, caller: Caller) -> Any:
    colony, process = _as_member(
        server, message.processid, caller, Refused(500, "Failed to cancel process, process is nil")
    )
    if process.workflowid:
        raise Refused(
            400,
            "Failed to cancel, cannot cancel a process part of a workflow, cancel the entire workflow instead",
        )
    if process.state.is_closed:
        state = "already cancelled" if process.state is ProcessState.CANCELLED else _STATES[process.state]
        raise Refused(400, f"Tried to cancel {state} process")
    server.cancel(colony, process)
    return {}


@call(messages.RemoveProcess, "remove process")
async def remove(server: Server, message: messages.RemoveProcess, caller: Caller) -> Any:
    colony, process = _as_member(
        server, message.processid, caller, Refused(500, "Failed to remove process, process is nil")
    )
    if process.workflowid:
        raise Refused(
            400,
            "Failed to remove, cannot remove a process part of a workflow, delete the entire workflow instead",
        )
    if process.state is ProcessState.RUNNING:
        raise Refused(400, "Failed to remove process, cannot remove a running process")
    server.remove_process(colony, process)
    return {}


@call(messages.RemoveAllProcesses, "remove all processes")
async def remove_all(server: Server, message: messages.RemoveAllProcesses, caller: Caller) -> Any:
    colony = server.as_owner(message.colonyname, caller.id)
    states = removed_states(
        message.state, "Not possible to remove running processes", "Invalid state when deleting all processes"
    )
    for process in list(colony.processes.values()):
        if not process.workflowid and process.state in states:
            server.remove_process(colony, process)
    server.remove_archived(colony, states, members=False)
    return {}


def removed_states(state: int, running: str, invalid: str) -> list[ProcessState]:
    """Return the states that a call which removes all of a state means: -1 is all of them.

    Args:
        state: the state as it was sent.
        running: refusal of the running ones.
        invalid: refusal of what is no state.

    Raises:
        Refused: if it is RUNNING, or no state.
    """
    if state == _ALL:
        return list(ProcessState)
    if state == ProcessState.RUNNING:
        raise Refused(400, running)
    return [check_state(state, invalid)]


def check_state(state: int, invalid: str) -> ProcessState:
    """Return a state that was sent as a number.

    Raises:
        Refused: with the words ``invalid``, if it is none.
    """
    try:
        return ProcessState(state)
    except ValueError:
        raise Refused(400, invalid) from None


def _as_member(server: Server, processid: str, caller: Caller, missing: Refused) -> tuple[ColonyState, Process]:
    colony, process = server.process(processid, missing)
    server.as_member(colony.colony.name, caller.id)
    return colony, process


def _check_executor(process: Process, caller: Caller, doing: str) -> None:
    if not process.executorid:
        raise Refused(403, f"{doing}, process is not assigned")
    if process.executorid != caller.id:
        raise Refused(403, f"{doing}, {doing.replace('Failed to', 'not allowed to')}")
