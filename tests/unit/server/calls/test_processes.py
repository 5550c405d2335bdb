"""Submitting, assigning, time, workflows: what becomes of processes."""

from __future__ import annotations

import asyncio

import pytest

from colony_jupyter.server.errors import Refused
from colony_jupyter.wire import messages as m
from colony_jupyter.wire.limits import STALE_EXECUTOR
from colony_jupyter.wire.models import ExecutorRecord, ProcessState, WorkflowSpec


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_every_long_poll_is_served(world):
    """Trap 4: the real server wakes one of them, which may be one that may not take the process."""
    await world.executor("one")
    await world.executor("two")
    polls = {who: asyncio.create_task(world.assign(who, timeout=100)) for who in ("one", "two")}
    await settle()
    for who in ("two", "one"):
        pid = await world.submit(names=[who])
        assert (await polls[who])["processid"] == pid


async def test_a_hundred_polls_get_a_hundred_processes(world):
    for number in range(100):
        await world.executor(f"e{number}")
    polls = [asyncio.create_task(world.assign(f"e{number}", timeout=100)) for number in range(100)]
    await settle()
    submitted = {await world.submit() for _ in range(100)}
    assert {(await poll)["processid"] for poll in polls} == submitted
    assert not world.server.listeners._polls


async def test_a_lost_connection_is_assigned_nothing(world):
    await world.executor("one")
    lost = asyncio.Event()
    message = m.AssignProcess(colonyname="dev", timeout=100)
    poll = asyncio.create_task(world.call(message, "one", gone=lost.wait))
    await settle()
    lost.set()
    pid = await world.submit()  # both at once: whoever is gone stays gone
    with pytest.raises(Refused, match="No process available"):
        await poll
    assert (await world.get(pid))["state"] == ProcessState.WAITING
    assert (await world.assign("one"))["processid"] == pid


async def test_a_poll_of_an_executor_removed_meanwhile_takes_nothing(world):
    await world.executor("one")
    poll = asyncio.create_task(world.assign("one", timeout=1))
    await settle()
    await world.call(m.RemoveExecutor(colonyname="dev", executorname="one"), "dev owner")
    pid = await world.submit()
    with pytest.raises(Refused, match="No process available"):
        await poll
    assert (await world.get(pid))["state"] == ProcessState.WAITING


async def test_priorities_and_order(world):
    await world.executor("one")
    first, second = await world.submit(), await world.submit()
    high, low = await world.submit(priority=1), await world.submit(priority=-1)
    assert [(await world.assign("one"))["processid"] for _ in range(4)] == [high, first, second, low]


async def test_executornames_and_offers(world):
    await world.executor("one")
    nobody = await world.submit(names=["*"])
    assert (await world.get(nobody))["spec"]["conditions"]["executornames"] == []
    big = await world.submit(cpu="2000m", mem="2Gi")
    for offer in ({"availablecpu": "1000m"}, {"availablemem": "1Gi"}, {"availablecpu": "-1m"}):
        with pytest.raises(Refused, match="No process available"):
            await world.assign("one", **offer)
    assert (await world.assign("one", availablecpu="2000m", availablemem="2Gi"))["processid"] == big
    with pytest.raises(Refused, match="No process available"):
        await world.assign("one")


async def test_stale_executors_are_removed_after_ten_minutes(world):
    for name in ("polls", "works", "never"):
        await world.executor(name)
    pid = await world.submit(names=["works"], channels=["c"])
    await world.assign("works")
    for _ in range(3):
        world.wait(STALE_EXECUTOR / 3 + 1)
        with pytest.raises(Refused, match="No process available"):
            await world.assign("polls", availablecpu="-1m")
    listed = await world.call(m.GetExecutors(colonyname="dev"), "ann")
    assert {each["executorname"]: each["state"] for each in listed} == {"polls": 1, "works": 3, "never": 1}
    found = await world.get(pid)
    assert (found["state"], found["assignedexecutorid"], found["retries"]) == (ProcessState.WAITING, "", 0)
    with pytest.raises(Refused, match="not a member"):
        await world.call(m.CloseSuccessful(processid=pid), "works")


async def test_deadlines_and_retries(world):
    await world.executor("one")
    waits = await world.submit(kind="nobody-x", maxwaittime=5)
    runs = await world.submit(maxexectime=5, maxretries=1, maxwaittime=-1)
    at_once = await world.submit(maxexectime=0)
    assert (await world.assign("one"))["processid"] == runs
    world.wait(4)
    assert (await world.get(waits))["state"] == ProcessState.WAITING
    world.wait(3)
    found = await world.get(waits)
    assert (found["state"], found["errors"]) == (ProcessState.FAILED, ["Maximum waiting time limit exceeded"])
    again = await world.get(runs)
    assert (again["state"], again["retries"], again["isassigned"]) == (ProcessState.WAITING, 1, False)
    assert (await world.assign("one"))["processid"] == runs
    world.wait(7)
    found = await world.get(runs)
    assert (found["state"], found["errors"]) == (ProcessState.FAILED, ["Maximum execution time limit exceeded"])
    assert (await world.assign("one"))["processid"] == at_once  # trap 1
    world.wait(2)
    assert (await world.get(at_once))["state"] == ProcessState.FAILED


async def test_deadlines_outlive_a_restart(world):
    await world.executor("one")
    pid = await world.submit(maxexectime=5)
    await world.assign("one")
    await world.restart()
    world.wait(7)
    assert (await world.get(pid))["state"] == ProcessState.FAILED


async def test_pausing(world):
    await world.executor("one")
    await world.call(m.PauseAssignments(colonyname="dev"), "dev owner")
    pid = await world.submit()
    with pytest.raises(Refused) as refused:
        await world.assign("one")
    assert refused.value.status == 503
    await world.restart()  # paused it stays
    poll = asyncio.create_task(world.assign("one", timeout=100))
    await settle()
    assert not poll.done()
    await world.call(m.ResumeAssignments(colonyname="dev"), "dev owner")
    assert (await poll)["processid"] == pid


async def test_lists_by_initiator_miss_what_an_executor_of_the_same_key_submitted(world, identify):
    """Trap 20."""
    as_user = await world.submit("ann")
    record = ExecutorRecord(executorid=identify("ann"), executortype="y", executorname="robot", colonyname="dev")
    await world.call(m.AddExecutor(executor=record), "dev owner")
    as_executor = await world.submit("ann")
    assert (await world.get(as_executor))["initiatorname"] == "robot"
    listing = m.GetProcesses(colonyname="dev", count=10, state=0, initiator="ann")
    assert [each["processid"] for each in await world.call(listing, "bob")] == [as_user]
    listing.initiator = "robot"
    with pytest.raises(Refused, match="User <robot> does not exist"):
        await world.call(listing, "bob")


async def test_function_counters_and_statistics(world):
    await world.executor("one")
    await world.function("one", "f")
    for seconds in (2, 4):
        pid = await world.submit()
        await world.assign("one")
        world.time += seconds * 10**9
        await world.call(m.CloseSuccessful(processid=pid, output=[1]), "one")
    (function,) = await world.call(m.GetFunctions(colonyname="dev"), "ann")
    assert function["counter"] == 2
    times = [function[name] for name in ("minexectime", "maxexectime", "avgexectime")]
    assert times == pytest.approx([2, 4, 3], abs=0.01)
    failed = await world.submit()
    await world.assign("one")
    await world.call(m.CloseFailed(processid=failed, errors=["no"]), "one")
    await world.submit()
    counts = await world.call(m.GetColonyStatistics(colonyname="dev"), "ann")
    names = ("executors", "waitingprocesses", "runningprocesses", "successfulprocesses", "failedprocesses")
    assert [counts[name] for name in names] == [1, 1, 0, 2, 1]


async def test_search_of_logs(world):
    await world.executor("one")
    pid = await world.submit()
    await world.assign("one")
    lines = ["step 1 of 2", "Step 2 of 2", "50% done", "a*b[c]?", "line\nbreak"]
    for line in lines:
        await world.call(m.AddLog(processid=pid, message=line), "one")

    async def search(text: str) -> list[str]:
        found = await world.call(m.SearchLogs(colonyname="dev", text=text, days=1, count=100), "ann")
        return [each["message"] for each in found or []]

    assert await search("step") == lines[:1]
    assert await search("tep _ of") == lines[:2]
    assert await search("s%2") == lines[:1]
    assert await search("") == lines
    assert await search("*b[c]?") == lines[3:4]
    assert await search("line%break") == lines[4:]
    assert await search("2%1") == []


# Workflows


def workflow(make_spec, **dependencies: list[str]) -> m.SubmitWorkflowSpec:
    steps = [make_spec(nodename=name, dependencies=list(needed)) for name, needed in dependencies.items()]
    return m.SubmitWorkflowSpec(spec=WorkflowSpec(colonyname="dev", functionspecs=steps))


async def test_children_get_what_their_parents_put_out(world, make_spec):
    await world.executor("one")
    await world.call(workflow(make_spec, a=[], b=[], c=["b", "a"]), "ann")
    running = [await world.assign("one"), await world.assign("one")]
    with pytest.raises(Refused, match="No process available"):
        await world.assign("one")
    for each in running:
        name = each["spec"]["nodename"]
        await world.call(m.CloseSuccessful(processid=each["processid"], output=[name, 1]), "one")
    child = await world.assign("one")
    assert (child["spec"]["nodename"], child["in"]) == ("c", ["b", 1, "a", 1])


async def test_a_failed_member_fails_the_rest(world, make_spec):
    await world.executor("one")
    flow = await world.call(workflow(make_spec, a=[], b=["a"], c=["b"]), "ann")
    first = await world.assign("one")
    await world.call(m.CloseFailed(processid=first["processid"], errors=["no"]), "one")
    assert [(await world.get(pid))["state"] for pid in flow["processids"]] == [ProcessState.FAILED] * 3
    found = await world.call(m.GetProcessGraph(processgraphid=flow["processgraphid"]), "ann")
    assert found["state"] == ProcessState.FAILED


async def test_refused_workflows_leave_nothing(world, make_spec):
    for bad in (workflow(make_spec, a=["nobody"]), workflow(make_spec, **{"": []})):
        with pytest.raises(Refused):
            await world.call(bad, "ann")
    assert not world.server.colonies["dev"].processes
    assert not world.server.colonies["dev"].workflows


@pytest.mark.parametrize("insert", [False, True])
async def test_addchild(world, make_spec, insert):
    await world.executor("one")
    flow = await world.call(workflow(make_spec, a=[], b=["a"]), "ann")
    parent, last = flow["processids"]
    await world.assign("one")
    message = m.AddChild(
        processgraphid=flow["processgraphid"], parentprocessid=parent, spec=make_spec(nodename="new"), insert=insert
    )
    child = (await world.call(message, "one"))["processid"]
    await world.restart()
    assert (await world.get(parent))["children"] == ([child] if insert else [last, child])
    assert (await world.get(last))["parents"] == [child if insert else parent]
    await world.call(m.CloseSuccessful(processid=parent), "one")
    ready = {(await world.assign("one"))["processid"]}
    if not insert:
        ready.add((await world.assign("one"))["processid"])
    assert ready == ({child} if insert else {child, last})


@pytest.mark.parametrize("members", [{"parentprocessid": "0" * 64}, {"processgraphid": "0" * 64}])
async def test_addchild_to_nothing_is_refused(world, make_spec, members):
    """An unknown parent crashes the real server."""
    await world.executor("one")
    flow = await world.call(workflow(make_spec, a=[]), "ann")
    await world.assign("one")
    known = {"processgraphid": flow["processgraphid"], "parentprocessid": flow["processids"][0]}
    with pytest.raises(Refused) as refused:
        await world.call(m.AddChild(spec=make_spec(), **{**known, **members}), "one")
    assert refused.value.status == 400
