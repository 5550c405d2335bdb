"""Attributes and logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colony_jupyter.server.api import encoding
from colony_jupyter.server.calls.registry import Caller, call, required
from colony_jupyter.server.errors import Refused, check_text
from colony_jupyter.server.state.quantities import DAY
from colony_jupyter.server.state.records import LogLine
from colony_jupyter.server.state.transitions import make_attribute
from colony_jupyter.wire import messages
from colony_jupyter.wire.limits import INT64_MAX, MAX_FOUND_LOGS, MAX_LOG_DAYS, MAX_LOGS
from colony_jupyter.wire.models import Attribute, AttributeType, ProcessState

if TYPE_CHECKING:
    from colony_jupyter.server.server import Server


@call(messages.AddAttribute, "add attribute")
async def add_attribute(server: Server, message: messages.AddAttribute, caller: Caller) -> Any:
    given: Attribute = required(message.attribute, Refused(400, "Failed to add attribute, attribute is nil"))
    missing = Refused(404, "Failed to add attribute, process not found")
    colony, process = server.process(given.targetid, missing)
    server.as_member(colony.colony.name, caller.id)
    if process.state is not ProcessState.RUNNING:
        raise Refused(403, "Failed to add attribute, process is not running")
    if process.executorid != caller.id:
        raise Refused(
            403,
            f"Failed to add attribute, only executor with id <{process.executorid}> is allowed to set attributes",
        )
    try:
        kind = AttributeType(given.attributetype)
    except ValueError:
        raise Refused(400, "Failed to add attribute, invalid attributetype") from None
    check_text(given.key, given.value)
    attribute = make_attribute(process, kind, given.key, given.value)
    if any(known.attributeid == attribute.attributeid for known in process.attributes):
        raise Refused(400, "Failed to add attribute, an attribute of this key and type is there already")
    colony.add_attribute(process, attribute)
    if kind is AttributeType.ENV:
        process.spec.env[attribute.key] = attribute.value
    server.save(process)
    return encoding.attribute(attribute)


@call(messages.GetAttribute, "get attribute")
async def get_attribute(server: Server, message: messages.GetAttribute, caller: Caller) -> Any:
    here = (colony.with_attribute(message.attributeid) for colony in server.colonies.values())
    process = next(filter(None, here), None) or server.store.archive.with_attribute(message.attributeid)
    if process is None:
        raise Refused(400, "Attribute does not exists")
    server.as_member(process.colonyname, caller.id)
    attribute = next(each for each in process.attributes if each.attributeid == message.attributeid)
    return encoding.attribute(attribute)


@call(messages.AddLog, "add log")
async def add_log(server: Server, message: messages.AddLog, caller: Caller) -> Any:
    colony, process = server.process(message.processid, Refused(500, "Failed to add log, process is nil"))
    server.as_member(colony.colony.name, caller.id)
    if process.state is not ProcessState.RUNNING:
        raise Refused(403, "Failed to set output, process is not running")  # sic (trap 32)
    executor = colony.executor_by_id(caller.id)
    if executor is None or process.executorid != caller.id:
        raise Refused(403, "Failed to add log, not allowed to add log, only the assigned Executor may att logs")
    _store(server, process.colonyname, executor.record.executorname, message.message, process.processid)
    return {}


@call(messages.AddExecutorLog, "add executor log")
async def add_executor_log(server: Server, message: messages.AddExecutorLog, caller: Caller) -> Any:
    colony = server.as_member(message.colonyname, caller.id)
    executor = colony.executor_by_id(caller.id)
    if executor is None:
        raise Refused(403, "Failed to add executor log, executor not found")
    if executor.record.executorname != message.executorname:
        raise Refused(403, "Failed to add executor log, executor name mismatch")
    _store(server, message.colonyname, message.executorname, message.message, "")
    return {}


@call(messages.GetLogs, "get logs")
async def get_logs(server: Server, message: messages.GetLogs, caller: Caller) -> Any:
    colony = server.as_member(message.colonyname, caller.id)
    if message.executorname:
        if message.executorname not in colony.executors:
            raise Refused(500, "Failed to get logs, executor does not exist")
    elif colony.find(message.processid) is None:
        raise Refused(500, "Failed to get logs, process does not exist")
    if message.count > MAX_LOGS:
        raise Refused(403, f"Count exceeds max log count ({MAX_LOGS})")
    if message.count <= 0:
        return None
    lines = await server.store.logs(
        colonyname=message.colonyname,
        processid=message.processid,
        executorname=message.executorname,
        count=message.count,
        since=message.since,
        latest=message.latest,
    )
    return [encoding.log(line) for line in lines] or None


@call(messages.SearchLogs, "search logs")
async def search_logs(server: Server, message: messages.SearchLogs, caller: Caller) -> Any:
    server.as_member(message.colonyname, caller.id)
    if message.count > MAX_FOUND_LOGS:
        raise Refused(400, f"Count exceeds max log count ({MAX_FOUND_LOGS})")
    if message.days > MAX_LOG_DAYS:
        raise Refused(400, f"Count exceeds max day count ({MAX_LOG_DAYS})")
    if message.count <= 0:
        return None
    since = min(max(0, server.now() - message.days * DAY), INT64_MAX)
    lines = await server.store.search_logs(message.colonyname, message.text, since, message.count)
    return [encoding.log(line) for line in lines] or None


def _store(server: Server, colonyname: str, executorname: str, message: str, processid: str) -> None:
    check_text(message)
    server.store.add_log(
        LogLine(
            processid=processid,
            colonyname=colonyname,
            executorname=executorname,
            message=message,
            timestamp=server.now(),
        )
    )
