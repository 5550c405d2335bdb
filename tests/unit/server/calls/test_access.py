"""Access: every role tries every call and every subscription; a call that is refused changes nothing."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import msgspec
import pytest

from colony_jupyter.server.api.subscriptions import ConnectionDropped
from colony_jupyter.server.errors import Refused
from colony_jupyter.wire import messages as m
from colony_jupyter.wire.models import (
    Attribute,
    AttributeType,
    Colony,
    ExecutorRecord,
    Function,
    User,
    WorkflowSpec,
)

USERS = {"initiator", "user"}
EXECUTORS = {"assigned", "former", "idle"}  # approved ones
MEMBERS = USERS | EXECUTORS
IN_ANY_STATE = MEMBERS | {"pending", "rejected", "removed"}
OTHERS = {"foreign user", "foreign executor", "other owner", "stranger"}
ALL_ROLES = IN_ANY_STATE | OTHERS | {"server", "dev owner"}


@dataclasses.dataclass
class Things:
    """What there is to be called about."""

    running: str
    waiting: str
    closed: str
    workflow: str
    member: str
    attribute: str
    function: str


async def furnish(made: Any, make_spec: Any) -> Things:
    await made.server.start()
    for colony in ("dev", "other"):
        await made.colony(colony)
    for user in sorted(USERS):
        await made.user(user)
    await made.user("foreign user", "other")
    await made.executor("foreign executor", "x", "other")
    for name in ("assigned", "former", "rejected", "removed"):
        await made.executor(name)
    await made.executor("idle", "y")
    await made.executor("pending", approved=False)
    await made.call(m.RejectExecutor(colonyname="dev", executorname="rejected"), "dev owner")
    await made.call(m.RemoveExecutor(colonyname="dev", executorname="removed"), "dev owner")
    closed = await made.submit("initiator", names=["assigned"])
    await made.assign("assigned")
    await made.call(m.CloseSuccessful(processid=closed), "assigned")
    # Ran once by the former executor, until its time was over.
    running = await made.submit(
        "initiator", names=["former", "assigned"], channels=["c"], maxexectime=1, maxretries=5, env={"k": "v"}
    )
    assert (await made.assign("former"))["processid"] == running
    made.wait(3)
    assert (await made.assign("assigned"))["processid"] == running
    made.server.process(running, Refused(404, ""))[1].execdeadline += 10**18
    steps = [make_spec(nodename="one", names=["assigned"]), make_spec(nodename="two", dependencies=["one"])]
    submission = m.SubmitWorkflowSpec(spec=WorkflowSpec(colonyname="dev", functionspecs=steps))
    workflow = await made.call(submission, "initiator")
    assert (await made.assign("assigned"))["processid"] == workflow["processids"][0]
    waiting = await made.submit("initiator", kind="y")
    return Things(
        running=running,
        waiting=waiting,
        closed=closed,
        workflow=workflow["processgraphid"],
        member=workflow["processids"][0],
        attribute=(await made.get(running, "initiator"))["attributes"][0]["attributeid"],
        function=await made.function("assigned"),
    )


def calls(t: Things, make_spec: Any, identify: Any) -> dict[type[m.Message], tuple[m.Message, set[str]]]:
    """Every call, as it succeeds for those who may make it."""
    colony = Colony(colonyid=identify("new"), name="new")
    user = User(colonyname="dev", userid=identify("new"), name="new")
    record = ExecutorRecord(executorid=identify("new"), executortype="z", executorname="new", colonyname="dev")
    function = Function(executorname="assigned", colonyname="dev", funcname="g")
    attribute = Attribute(targetid=t.running, targetcolonyname="dev", attributetype=AttributeType.OUT, key="a")
    child = m.AddChild(processgraphid=t.workflow, parentprocessid=t.member, spec=make_spec(nodename="three"))
    flow = WorkflowSpec(colonyname="dev", functionspecs=[make_spec(nodename="one")])
    table: list[tuple[m.Message, set[str]]] = [
        (m.AddColony(colony=colony), {"server"}),
        (m.RemoveColony(colonyname="dev"), {"server"}),
        (m.GetColony(colonyname="dev"), MEMBERS),
        (m.GetColonies(), {"server"}),
        (m.GetColonyStatistics(colonyname="dev"), MEMBERS),
        (m.GetStatistics(), {"server"}),
        (m.AddUser(user=user), {"dev owner"}),
        (m.GetUsers(colonyname="dev"), IN_ANY_STATE),
        (m.GetUser(colonyname="dev", name="user"), IN_ANY_STATE),
        (m.GetUserById(colonyname="dev", userid=identify("user")), IN_ANY_STATE),
        (m.RemoveUser(colonyname="dev", name="user"), {"dev owner"}),
        (m.AddExecutor(executor=record), {"dev owner"}),
        (m.ApproveExecutor(colonyname="dev", executorname="pending"), {"dev owner"}),
        (m.RejectExecutor(colonyname="dev", executorname="pending"), {"dev owner"}),
        (m.RemoveExecutor(colonyname="dev", executorname="pending"), {"dev owner"}),
        (m.GetExecutors(colonyname="dev"), IN_ANY_STATE),
        (m.GetExecutor(colonyname="dev", executorname="idle"), MEMBERS),
        (m.GetExecutorById(colonyname="dev", executorid=identify("idle")), MEMBERS),
        (m.AddFunction(fun=function), {"assigned"}),
        (m.GetFunctions(colonyname="dev"), MEMBERS),
        (m.RemoveFunction(functionid=t.function), {"assigned"}),
        (m.SubmitFunctionSpec(spec=make_spec()), MEMBERS),
        (m.AssignProcess(colonyname="dev", timeout=-1), {"idle"}),
        (m.PauseAssignments(colonyname="dev"), {"dev owner"}),
        (m.ResumeAssignments(colonyname="dev"), {"dev owner"}),
        (m.GetPauseStatus(colonyname="dev"), IN_ANY_STATE),
        (m.GetProcess(processid=t.running), MEMBERS),
        (m.GetProcesses(colonyname="dev", count=10, state=0), MEMBERS),
        (m.GetProcessHistory(colonyname="dev", seconds=1000, state=1), MEMBERS),
        (m.SetOutput(processid=t.running, output=[1]), {"assigned"}),
        (m.CloseSuccessful(processid=t.running), {"assigned"}),
        (m.CloseFailed(processid=t.running), {"assigned"}),
        (m.CancelProcess(processid=t.running), MEMBERS),
        (m.RemoveProcess(processid=t.closed), MEMBERS),
        (m.RemoveAllProcesses(colonyname="dev", state=-1), {"dev owner"}),
        (m.AddAttribute(attribute=attribute), {"assigned"}),
        (m.GetAttribute(attributeid=t.attribute), MEMBERS),
        (m.AddLog(processid=t.running, message="x"), {"assigned"}),
        (m.AddExecutorLog(colonyname="dev", executorname="assigned", message="x"), {"assigned"}),
        (m.GetLogs(colonyname="dev", processid=t.running, count=10), MEMBERS),
        (m.SearchLogs(colonyname="dev", text="x", days=1, count=10), MEMBERS),
        (m.SubmitWorkflowSpec(spec=flow), MEMBERS),
        (m.GetProcessGraph(processgraphid=t.workflow), MEMBERS),
        (m.GetProcessGraphs(colonyname="dev", count=10, state=1), MEMBERS),
        (m.CancelProcessGraph(processgraphid=t.workflow), MEMBERS),
        (m.RemoveProcessGraph(processgraphid=t.workflow), MEMBERS),
        (m.RemoveAllProcessGraphs(colonyname="dev", state=-1), {"dev owner"}),
        (child, {"assigned"}),
        (m.ChannelAppend(processid=t.running, name="c", sequence=1), {"initiator", "assigned"}),
        (m.ChannelRead(processid=t.running, name="c"), {"initiator", "assigned"}),
        (m.SubscribeChannel(processid=t.running, name="c", timeout=-1), {"initiator", "assigned"}),
        (m.SubscribeProcess(processid=t.running, state=1, timeout=-1), MEMBERS),
        (m.SubscribeProcesses(executortype="x", state=0, timeout=-1), EXECUTORS | {"foreign executor"}),
        (m.GetVersion(), ALL_ROLES),
        (m.GetServerInfo(), ALL_ROLES),
        (m.GetCluster(), {"server"}),
    ]
    return {type(message): (message, allowed) for message, allowed in table}


# Refusals that are no 403, by call and person.
OTHER_STATUS: dict[tuple[type, str], tuple[int, str]] = {
    **{(m.AssignProcess, user): (500, "Failed to assign process, executor not found") for user in USERS},
    **{(m.AssignProcess, name): (404, "No process available for assignment") for name in ("assigned", "former")},
    **{(m.AddChild, name): (400, "is not assigned to executor") for name in MEMBERS - {"assigned"}},
}
# Answered with nothing at all (trap 16).
SILENT = {m.GetColonyStatistics, m.GetProcessHistory}


async def attempt(made: Any, message: m.Message, who: str) -> Any:
    if not isinstance(message, (m.SubscribeChannel, m.SubscribeProcess, m.SubscribeProcesses)):
        return await made.call(message, who)
    with contextlib.suppress(ConnectionDropped):
        return [frame async for frame in made.subscribe(message, who)]
    return None


async def everything(made: Any) -> bytes:
    """All that is kept, log lines included."""
    contents = await made.server.store.load()
    lines = await made.server.store.search_logs("dev", "", 0, 1000)
    for executor in contents.executors:
        executor.heard = 0  # asking for work in vain is a sign of life
    contents.archived.clear()  # msgspec writes no pairs as keys
    archived = made.server.store.writer.connection.execute("SELECT data FROM closed ORDER BY id").fetchall()
    entries = made.server.store.writer.connection.execute("SELECT * FROM entries").fetchall()
    return msgspec.json.encode([vars(contents), lines, archived, entries])


def test_every_call_is_in_the_table(make_spec, identify):
    assert set(calls(Things(*"abcdefg"), make_spec, identify)) == set(m.CALLS.values())


@pytest.mark.parametrize("shape", m.CALLS.values(), ids=m.CALLS)
async def test_who_may_not(shape, tmp_path, make_world, make_spec, identify):
    made = make_world(tmp_path)
    try:
        message, allowed = calls(await furnish(made, make_spec), make_spec, identify)[shape]
        before = await everything(made)
        for who in sorted(ALL_ROLES - allowed):
            if shape in SILENT:
                assert type(await made.call(message, who)).__name__ == "Silence", who
                continue
            with pytest.raises(Refused) as refused:
                await attempt(made, message, who)
            status, words = OTHER_STATUS.get((shape, who), (403, ""))
            assert refused.value.status == status, (who, refused.value.message)
            assert words in refused.value.message
        assert await everything(made) == before
    finally:
        await made.server.stop()


@pytest.mark.parametrize("shape", m.CALLS.values(), ids=m.CALLS)
async def test_who_may(shape, tmp_path, make_world, make_spec, identify):
    allowed = calls(Things(*"abcdefg"), make_spec, identify)[shape][1]
    assert allowed
    for who in sorted(allowed):
        made = make_world(tmp_path / who)
        made.folder.mkdir()
        try:
            things = await furnish(made, make_spec)
            if shape is m.RemoveProcessGraph:
                await made.call(m.CancelProcessGraph(processgraphid=things.workflow), "user")
            message, _ = calls(things, make_spec, identify)[shape]
            assert type(await attempt(made, message, who)).__name__ != "Silence"
        finally:
            await made.server.stop()


async def test_the_former_executor_is_shut_out_at_requeue(world):
    await world.executor("first")
    pid = await world.submit(channels=["c"], maxexectime=1, maxretries=3)
    await world.assign("first")
    await world.call(m.ChannelAppend(processid=pid, name="c", sequence=2), "first")
    world.wait(3)
    for message in (m.ChannelAppend(processid=pid, name="c", sequence=4), m.ChannelRead(processid=pid, name="c")):
        with pytest.raises(Refused, match="Not authorized"):
            await world.call(message, "first")
    assert len(await world.call(m.ChannelRead(processid=pid, name="c"), "ann")) == 1
