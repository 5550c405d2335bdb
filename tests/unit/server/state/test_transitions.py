"""State changes of processes and workflows: assignment, deadlines, retries, removed executors, pruning."""

from __future__ import annotations

import pytest

from colony_jupyter.server.errors import Refused
from colony_jupyter.wire import messages as m
from colony_jupyter.wire.limits import STALE_EXECUTOR
from colony_jupyter.wire.models import AttributeType, ExecutorRecord, ProcessState, WorkflowSpec

WAITING, RUNNING, SUCCESS, FAILED, CANCELLED = ProcessState


async def test_priorities_and_order(world):
    await world.executor("one")
    first, second = await world.submit(), await world.submit()
    high, low = await world.submit(priority=1), await world.submit(priority=-1)
    assert [(await world.assign("one"))["processid"] for _ in range(4)] == [high, first, second, low]


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
    waits = await world.submit(kind="absent-x", maxwaittime=5)
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


async def test_a_deadline_is_enforced_within_the_second_after_it(world):
    """As a real server compares whole seconds."""
    await world.executor("one")
    pid = await world.submit(maxexectime=5)
    await world.assign("one")
    world.wait(5.5)
    assert (await world.get(pid))["state"] == RUNNING
    world.wait(0.6)
    assert (await world.get(pid))["state"] == FAILED


async def test_times_below_minus_one_have_passed(world):
    """As on a real server, for which -1 alone is no limit."""
    await world.executor("one")
    runs = await world.submit(maxexectime=-5)
    assert (await world.assign("one"))["processid"] == runs
    waits = await world.submit(kind="absent-x", maxwaittime=-5)
    world.wait(2)
    assert (await world.get(runs))["errors"] == ["Maximum execution time limit exceeded"]
    assert (await world.get(waits))["errors"] == ["Maximum waiting time limit exceeded"]


async def test_deadlines_outlive_a_restart(world):
    await world.executor("one")
    pid = await world.submit(maxexectime=5)
    await world.assign("one")
    await world.restart()
    world.wait(7)
    assert (await world.get(pid))["state"] == ProcessState.FAILED


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


async def test_attributes_of_a_process_whose_executor_is_removed_stay_as_they_were(world):
    """Unlike those of one that ran too long; also in the reply to the next who is given it."""
    await world.executor("one")
    await world.executor("two")
    processid = await world.submit("ann", env={"K": "v"})
    await world.assign("one")
    await world.call(m.RemoveExecutor(colonyname="dev", executorname="one"), "dev owner")
    (attribute,) = (await world.get(processid))["attributes"]
    assert (attribute["attributetype"], attribute["state"]) == (AttributeType.ENV, RUNNING)
    assert (await world.assign("two"))["attributes"] == [attribute]


async def test_a_process_that_ran_too_long_has_waiting_attributes(world):
    await world.executor("one")
    processid = await world.submit("ann", env={"K": "v"}, maxexectime=1, maxretries=3)
    await world.assign("one")
    world.wait(5)
    assert [attribute["state"] for attribute in (await world.get(processid))["attributes"]] == [WAITING]


# Closing


async def test_output_remains_unless_the_close_has_another(world):
    await world.executor("one")
    pid = await world.submit()
    await world.assign("one")
    await world.call(m.SetOutput(processid=pid, output=[1]), "one")
    await world.call(m.CloseSuccessful(processid=pid), "one")
    assert (await world.get(pid))["out"] == [1]
    ended = (await world.get(pid))["endtime"]
    await world.call(m.CloseSuccessful(processid=pid, output=[2]), "one")  # accepted a second time
    found = await world.get(pid)
    assert (found["state"], found["out"]) == (SUCCESS, [2])
    assert found["endtime"] > ended


async def test_a_cancelled_process_retains_its_executor_and_loses_its_channels(world):
    await world.executor("one")
    pid = await world.submit(channels=["c"])
    await world.assign("one")
    await world.call(m.ChannelAppend(processid=pid, name="c", sequence=1), "ann")
    await world.call(m.CancelProcess(processid=pid), "bob")
    found = await world.get(pid)
    assert (found["state"], found["isassigned"]) == (CANCELLED, True)
    assert await world.call(m.ChannelRead(processid=pid, name="c"), "ann") == []
    close = m.CloseSuccessful(processid=pid)
    assert await world.refusal(close, "one") == (400, "Tried to set cancelled process as successful")


# Deadlines


async def test_waiting_starts_anew_after_a_process_ran_too_long(world):
    await world.executor("one")
    pid = await world.submit(maxwaittime=100, maxexectime=1, maxretries=-1)
    await world.assign("one")
    before = (await world.get(pid))["waitdeadline"]
    world.wait(60)
    found = await world.get(pid)
    assert (found["state"], found["retries"]) == (WAITING, 1)
    assert found["waitdeadline"] > before
    world.wait(60)
    assert (await world.get(pid))["state"] == WAITING
    world.wait(60)
    assert (await world.get(pid))["errors"] == ["Maximum waiting time limit exceeded"]


async def test_without_a_limit_of_retries_a_process_is_always_tried_again(world):
    await world.executor("one")
    pid = await world.submit(maxexectime=1, maxretries=-1)
    for retries in (1, 2, 3):
        await world.assign("one")
        world.wait(3)
        found = await world.get(pid)
        assert (found["state"], found["retries"]) == (WAITING, retries)


async def test_a_process_without_a_limit_of_execution_runs_on(world):
    await world.executor("one")
    pid = await world.submit(maxexectime=-1)
    await world.assign("one")
    world.time += 1000 * 86_400 * 10**9
    world.server.expire()
    assert (await world.get(pid))["state"] == RUNNING


# Executors


async def test_a_removed_executor_loses_its_functions_and_the_others_do_not(world):
    for name in ("one", "two"):
        await world.executor(name)
        await world.function(name)
    for _ in range(2):
        await world.submit()
    mine, theirs = (await world.assign("one"))["processid"], (await world.assign("two"))["processid"]
    await world.call(m.RemoveExecutor(colonyname="dev", executorname="one"), "dev owner")
    left = await world.call(m.GetFunctions(colonyname="dev"), "ann")
    assert [function["executorname"] for function in left] == ["two"]
    found = await world.get(mine)
    assert (found["state"], found["starttime"]) == (WAITING, "0001-01-01T00:00:00Z")
    assert (await world.get(theirs))["state"] == RUNNING


async def test_a_location_is_matched_in_any_letter_case(world, identify):
    record = ExecutorRecord(
        executorid=identify("one"), executortype="x", executorname="one", colonyname="dev", locationname="Umea"
    )
    await world.call(m.AddExecutor(executor=record), "dev owner")
    await world.call(m.ApproveExecutor(colonyname="dev", executorname="one"), "dev owner")
    await world.submit(locationname="lulea")
    ours = await world.submit(locationname="UMEA")
    assert (await world.assign("one"))["processid"] == ours
    assert (await world.refusal(m.AssignProcess(colonyname="dev", timeout=-1), "one"))[0] == 404


# Workflows


@pytest.fixture
async def flow(world, make_spec):
    """Return a function that submits a workflow of nodes and gives its id and those of its members."""
    await world.executor("one")

    async def submit(**dependencies):
        steps = [make_spec(nodename=name, dependencies=needed) for name, needed in dependencies.items()]
        found = await world.call(m.SubmitWorkflowSpec(spec=WorkflowSpec(colonyname="dev", functionspecs=steps)), "ann")
        return found["processgraphid"], found["processids"]

    return submit


async def graph(world, processgraphid):
    return await world.call(m.GetProcessGraph(processgraphid=processgraphid), "ann")


async def test_the_state_of_a_workflow_follows_its_members(world, flow):
    graphid, members = await flow(a=[], b=["a"])
    seen = [(await graph(world, graphid))["state"]]
    for pid in members:
        assert (await world.assign("one"))["processid"] == pid
        seen.append((await graph(world, graphid))["state"])
        await world.call(m.CloseSuccessful(processid=pid), "one")
        seen.append((await graph(world, graphid))["state"])
    assert seen == [WAITING, RUNNING, RUNNING, RUNNING, SUCCESS]
    found = await graph(world, graphid)
    assert found["submissiontime"] < found["starttime"] < found["endtime"]


async def test_a_child_waits_for_all_of_its_parents(world, flow):
    _, (a, b, c) = await flow(a=[], b=[], c=["a", "b"])
    for _ in range(2):
        await world.assign("one")
    await world.call(m.CloseSuccessful(processid=a), "one")
    assert (await world.get(c))["waitforparents"]
    await world.call(m.CloseSuccessful(processid=b), "one")
    assert not (await world.get(c))["waitforparents"]
    assert (await world.assign("one"))["processid"] == c


async def test_cancelling_a_workflow_cancels_what_is_left_of_it(world, flow):
    graphid, (a, b, c) = await flow(a=[], b=["a"], c=["b"])
    await world.assign("one")
    await world.call(m.CloseSuccessful(processid=a), "one")
    await world.assign("one")
    await world.call(m.CancelProcessGraph(processgraphid=graphid), "bob")
    assert [(await world.get(pid))["state"] for pid in (a, b, c)] == [SUCCESS, CANCELLED, CANCELLED]
    ended = (await graph(world, graphid))["endtime"]
    await world.restart()
    assert (await graph(world, graphid))["state"] == CANCELLED
    assert (await graph(world, graphid))["endtime"] == ended


async def test_a_workflow_that_has_succeeded_may_still_be_cancelled(world, flow):
    graphid, (a,) = await flow(a=[])
    await world.assign("one")
    await world.call(m.CloseSuccessful(processid=a), "one")
    ended = (await graph(world, graphid))["endtime"]
    await world.call(m.CancelProcessGraph(processgraphid=graphid), "ann")
    found = await graph(world, graphid)
    assert (found["state"], found["endtime"]) == (CANCELLED, ended)
    assert (await world.get(a))["state"] == SUCCESS


async def test_an_empty_workflow_waits_for_ever_unless_it_is_cancelled(world, flow):
    graphid, members = await flow()
    assert members == []
    assert (await graph(world, graphid))["state"] == WAITING
    await world.call(m.CancelProcessGraph(processgraphid=graphid), "ann")
    assert (await graph(world, graphid))["state"] == CANCELLED


# Pruning


async def test_pruning_removes_what_closed_long_ago_and_its_log_lines_and_nothing_else(world, flow):
    graphid, (member,) = await flow(a=[])
    old, running, waiting = [await world.submit() for _ in range(3)]
    for pid in (member, old, running):
        assert (await world.assign("one"))["processid"] == pid
        await world.call(m.AddLog(processid=pid, message="x"), "one")
    for pid in (member, old):
        await world.call(m.CloseSuccessful(processid=pid), "one")
    empty, _ = await flow()
    world.time += 100 * 10**9
    recent = await world.submit()
    await world.call(m.CancelProcess(processid=recent), "ann")
    more = world.server.prune(50 * 10**9, 100)
    await world.server.commit()
    assert not more
    left = [pid for pid in (member, old, running, waiting, recent) if await there(world, pid)]
    assert left == [running, waiting, recent]
    for graphs in (graphid, empty):
        assert (await world.refusal(m.GetProcessGraph(processgraphid=graphs), "ann"))[0] == 500
    lines = await world.call(m.SearchLogs(colonyname="dev", text="x", days=1, count=9), "ann")
    assert [line["processid"] for line in lines] == [running]


async def test_pruning_continues_also_before_its_last_step_is_on_disk(world):
    for pid in [await world.submit() for _ in range(5)]:
        await world.call(m.CancelProcess(processid=pid), "ann")
    world.time += 100 * 10**9
    assert [world.server.prune(10**9, 2) for _ in range(3)] == [True, True, False]
    await world.server.commit()
    assert await world.call(m.GetProcesses(colonyname="dev", count=9, state=CANCELLED), "ann") is None


async def test_pruning_goes_in_small_steps(world):
    for pid in [await world.submit() for _ in range(5)]:
        await world.call(m.CancelProcess(processid=pid), "ann")
    world.time += 100 * 10**9
    steps = 0
    while world.server.prune(10**9, 2):
        await world.server.commit()
        steps += 1
    assert steps == 2
    await world.server.commit()
    assert await world.call(m.GetProcesses(colonyname="dev", count=9, state=CANCELLED), "ann") is None


async def test_a_workflow_that_is_larger_than_a_step_is_a_step_of_its_own(world, flow):
    graphid, _ = await flow(a=[], b=[], c=[])
    await world.call(m.CancelProcessGraph(processgraphid=graphid), "ann")
    single = [await world.submit() for _ in range(3)]
    for pid in single:
        await world.call(m.CancelProcess(processid=pid), "ann")
    world.time += 100 * 10**9
    assert world.server.prune(10**9, 3)
    await world.server.commit()
    assert (await world.refusal(m.GetProcessGraph(processgraphid=graphid), "ann"))[0] == 500
    assert [await there(world, pid) is not None for pid in single] == [True, True, True]


async def there(world, pid):
    try:
        return await world.get(pid)
    except Refused:
        return None
