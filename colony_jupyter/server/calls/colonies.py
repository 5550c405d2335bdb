"""Colonies, users and statistics."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.server.calls.registry import Caller, Silence, call, required
from colony_jupyter.server.errors import Refused, check_text
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import ExecutorState, ProcessState, Statistics

if TYPE_CHECKING:
    from colony_jupyter.server.server import Server
    from colony_jupyter.server.state.colony_state import ColonyState
    from colony_jupyter.wire.models import Colony, User

_ID_DIGITS: Final = 64


def check_name(name: str, refusal: str) -> None:
    """Refuse a name that would ruin a colony's lists on a real server (trap 13).

    Raises:
        Refused: with the words of the real server, which has stored it by then.
    """
    if ":" in name:
        raise Refused(500, refusal)


@call(messages.AddColony, "add colony")
async def add_colony(server: Server, message: messages.AddColony, caller: Caller) -> Any:
    server.require_server_owner(caller.id)
    colony: Colony = required(message.colony, Refused(400, "Failed to add colony, colony is <nil>"))
    if len(colony.colonyid) != _ID_DIGITS:
        raise Refused(400, "Failed to add colony, invalid colony Id length")
    check_text(colony.name, colony.colonyid)
    if colony.name in server.colonies:
        raise Refused(400, f"A Colony with name <{colony.name}> already exists")
    server.add_colony(colony)
    return colony


@call(messages.RemoveColony, "remove colony")
async def remove_colony(server: Server, message: messages.RemoveColony, caller: Caller) -> Any:
    server.require_server_owner(caller.id)
    if message.colonyname not in server.colonies:
        raise Refused(400, f"Colony with name <{message.colonyname}> not found")
    server.remove_colony(message.colonyname)
    return {}


@call(messages.GetColony, "get colony")
async def get_colony(server: Server, message: messages.GetColony, caller: Caller) -> Any:
    return server.as_member(message.colonyname, caller.id).colony


@call(messages.GetColonies, "get colonies")
async def get_colonies(server: Server, _: messages.GetColonies, caller: Caller) -> Any:
    server.require_server_owner(caller.id)
    return [colony.colony for colony in server.colonies.values()] or None


@call(messages.GetColonyStatistics, "get colony statistics")
async def get_colony_statistics(server: Server, message: messages.GetColonyStatistics, caller: Caller) -> Any:
    colony = server.colonies.get(message.colonyname)
    if colony is None:
        raise Refused(400, f"Colony with name <{message.colonyname}> not found")
    if not colony.is_member(caller.id):
        return Silence()
    return _count(server, colony)


@call(messages.GetStatistics, "get statistics")
async def get_statistics(server: Server, _: messages.GetStatistics, caller: Caller) -> Any:
    server.require_server_owner(caller.id)
    counts = [_count(server, colony) for colony in server.colonies.values()]
    names = ("executors", "waitingprocesses", "runningprocesses", "successfulprocesses", "failedprocesses")
    sums = {name: sum(getattr(count, name) for count in counts) for name in names}
    return Statistics(colonies=len(counts), **sums)


@call(messages.AddUser, "add user")
async def add_user(server: Server, message: messages.AddUser, caller: Caller) -> Any:
    user: User = required(message.user, Refused(400, "Failed to add user, executor is nil"))
    if user.colonyname and user.colonyname not in server.colonies:
        raise Refused(400, f"Colony with name <{user.colonyname}> does not exists")
    colony = server.as_owner(user.colonyname, caller.id)
    if user.name in colony.users:
        raise Refused(400, f"A user with name <{user.name}> already exists in Colony with name <{user.colonyname}>")
    check_name(user.name, "Failed to add user, addedUser is nil")
    check_text(user.name, user.userid, user.email, user.phone)
    server.add_user(colony, user)
    return user


@call(messages.GetUsers, "get users")
async def get_users(server: Server, message: messages.GetUsers, caller: Caller) -> Any:
    if message.colonyname not in server.colonies:
        raise Refused(400, f"Colony with name <{message.colonyname}> does not exists")
    colony = server.as_member_in_any_state(message.colonyname, caller.id)
    return list(colony.users.values()) or None


@call(messages.GetUser, "get user")
async def get_user(server: Server, message: messages.GetUser, caller: Caller) -> Any:
    colony = server.as_member_in_any_state(message.colonyname, caller.id)
    return required(colony.users.get(message.name), Refused(500, "Failed to get user, user is nil"))


@call(messages.GetUserById, "get user by ID")
async def get_user_by_id(server: Server, message: messages.GetUserById, caller: Caller) -> Any:
    colony = server.as_member_in_any_state(message.colonyname, caller.id)
    return required(colony.user_by_id(message.userid), Refused(404, "Failed to get user by ID, user is nil"))


@call(messages.RemoveUser, "remove user")
async def remove_user(server: Server, message: messages.RemoveUser, caller: Caller) -> Any:
    if message.colonyname and message.colonyname not in server.colonies:
        raise Refused(400, f"Colony with name <{message.colonyname}> does not exists")
    colony = server.as_owner(message.colonyname, caller.id)
    if message.name not in colony.users:
        raise Refused(400, f"User with name <{message.name}> not found")
    colony.drop_user(message.name)
    server.store.delete("user", f"{message.colonyname}\0{message.name}")
    return {}


def _count(server: Server, colony: ColonyState) -> Statistics:
    executors = [executor.record.state for executor in colony.executors.values()]
    workflows = Counter(server.workflow_state(colony, workflow) for workflow in colony.open_workflows())
    workflows.update({state: len(colony.final_workflows(state)) for state in ProcessState})
    return Statistics(
        colonies=1,
        executors=len(executors),
        activeexecutors=executors.count(ExecutorState.APPROVED),
        unregisteredexecutors=executors.count(ExecutorState.REMOVED),
        waitingprocesses=colony.count(ProcessState.WAITING),
        runningprocesses=colony.count(ProcessState.RUNNING),
        successfulprocesses=colony.count(ProcessState.SUCCESS),
        failedprocesses=colony.count(ProcessState.FAILED),
        cancelledprocesses=colony.count(ProcessState.CANCELLED),
        waitingworkflows=workflows[ProcessState.WAITING],
        runningworkflows=workflows[ProcessState.RUNNING],
        successfulworkflows=workflows[ProcessState.SUCCESS],
        failedworkflows=workflows[ProcessState.FAILED],
        cancelledworkflows=workflows[ProcessState.CANCELLED],
    )
