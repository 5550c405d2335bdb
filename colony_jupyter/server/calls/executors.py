"""Executors and their functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.server.api import encoding
from colony_jupyter.server.calls.colonies import check_name
from colony_jupyter.server.calls.registry import Caller, call, required
from colony_jupyter.server.errors import NUL, Refused, check_text
from colony_jupyter.server.state.records import Executor
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import NO_TIME, ExecutorState

if TYPE_CHECKING:
    from colony_jupyter.server.server import Server
    from colony_jupyter.server.state.colony_state import ColonyState
    from colony_jupyter.wire.models import ExecutorRecord, Function

DUPLICATE_FUNCTION: Final = 'pq: duplicate key value violates unique constraint "prod_functions_pkey"'
"""The words of a real server's database."""


@call(messages.AddExecutor, "add executor")
async def add_executor(server: Server, message: messages.AddExecutor, caller: Caller) -> Any:
    record: ExecutorRecord = required(message.executor, Refused(400, "Failed to add executor, executor is nil"))
    colony = server.as_owner(record.colonyname, caller.id)
    check_name(record.executorname, "Failed to parse Executor name")
    check_text(record.executorname, record.executorid, record.executortype, record.locationname)
    former = colony.executors.get(record.executorname)
    if former is not None:
        server.orphan(colony, former)
    record = msgspec.structs.replace(
        record, state=ExecutorState.PENDING, commissiontime=NO_TIME, lastheardfromtime=NO_TIME
    )
    executor = Executor(record=record, commissioned=server.now())
    colony.add_executor(executor)
    server.save_executor(executor)
    return encoding.executor(executor)


@call(messages.ApproveExecutor, "approve executor")
async def approve_executor(server: Server, message: messages.ApproveExecutor, caller: Caller) -> Any:
    colony = server.as_owner(message.colonyname, caller.id)
    executor = _named(colony, message.executorname, "Failed to approve executor, executor is nil")
    executor.record.state = ExecutorState.APPROVED
    server.save_executor(executor)
    return {}


@call(messages.RejectExecutor, "reject executor")
async def reject_executor(server: Server, message: messages.RejectExecutor, caller: Caller) -> Any:
    colony = server.as_owner(message.colonyname, caller.id)
    executor = _named(colony, message.executorname, "Failed to reject executor, executor is nil")
    executor.record.state = ExecutorState.REJECTED
    server.save_executor(executor)
    return {}


@call(messages.RemoveExecutor, "remove executor")
async def remove_executor(server: Server, message: messages.RemoveExecutor, caller: Caller) -> Any:
    colony = server.as_owner(message.colonyname, caller.id)
    server.remove_executor(colony, _named(colony, message.executorname, "Failed to remove executor, executor is nil"))
    return {}


@call(messages.GetExecutors, "get executors")
async def get_executors(server: Server, message: messages.GetExecutors, caller: Caller) -> Any:
    colony = server.as_member_in_any_state(message.colonyname, caller.id)
    return [encoding.executor(executor) for executor in colony.executors.values()] or None


@call(messages.GetExecutor, "get executor")
async def get_executor(server: Server, message: messages.GetExecutor, caller: Caller) -> Any:
    colony = server.as_member(message.colonyname, caller.id)
    return encoding.executor(_named(colony, message.executorname, "Failed to get executor, executor is nil"))


@call(messages.GetExecutorById, "get executor by ID")
async def get_executor_by_id(server: Server, message: messages.GetExecutorById, caller: Caller) -> Any:
    colony = server.as_member(message.colonyname, caller.id)
    found = colony.executor_by_id(message.executorid)
    return encoding.executor(required(found, Refused(404, "Failed to get executor by ID, executor is nil")))


@call(messages.AddFunction, "add function")
async def add_function(server: Server, message: messages.AddFunction, caller: Caller) -> Any:
    function: Function = required(message.fun, Refused(400, "Failed to add function, msg.Function is nil"))
    colony = server.as_member(function.colonyname, caller.id)
    executor = colony.executors.get(function.executorname)
    if executor is None:
        raise Refused(400, f"Failed to add function, Executor with name <{function.executorname}> does not exist")
    if executor.record.executorid != caller.id:
        raise Refused(403, "Not allowed to add a function to another executor")
    check_text(function.funcname, function.description, function.functionid, refused=(500, NUL))
    functionid = function.functionid or server.new_id()
    if any(functionid in each.functions for each in server.colonies.values()):
        raise Refused(500, DUPLICATE_FUNCTION)
    function = msgspec.structs.replace(function, functionid=functionid, counter=0)
    colony.put_function(function)
    server.store.put("function", function.functionid, function)
    return encoding.function(function)


@call(messages.GetFunctions, "get functions")
async def get_functions(server: Server, message: messages.GetFunctions, caller: Caller) -> Any:
    colony = server.as_member(message.colonyname, caller.id)
    found = [function for function in colony.functions.values() if message.executorname in ("", function.executorname)]
    return [encoding.function(function) for function in found] or None


@call(messages.RemoveFunction, "remove function")
async def remove_function(server: Server, message: messages.RemoveFunction, caller: Caller) -> Any:
    if not message.functionid:
        raise Refused(400, "Failed to remove function, msg.FunctionID is empty")
    colony = next((c for c in server.colonies.values() if message.functionid in c.functions), None)
    if colony is None:
        raise Refused(404, "Failed to remove function, function does not exist")
    function = colony.functions[message.functionid]
    server.as_member(function.colonyname, caller.id)
    executor = colony.executors.get(function.executorname)
    if executor is None or executor.record.executorid != caller.id:
        raise Refused(403, "Not allowed to remove a function from another executor")
    colony.drop_function(function)
    server.store.delete("function", message.functionid)
    return {}


def _named(colony: ColonyState, name: str, missing: str) -> Executor:
    executor = colony.executors.get(name)
    if executor is None:
        raise Refused(500, missing)
    return executor
