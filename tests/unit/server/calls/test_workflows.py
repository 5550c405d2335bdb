"""What a failure does to the rest of a workflow; each case was seen on a real server."""

from __future__ import annotations

import pytest

from colony_jupyter.wire import messages as m
from colony_jupyter.wire.models import AttributeType, WorkflowSpec

WAITING, RUNNING, SUCCESS, FAILED = range(4)


@pytest.fixture
async def flow(world, make_spec):
    """Give a function that submits a workflow, by the dependencies of its nodes, and gives its members by name."""
    await world.executor("one")

    async def submit(options=None, **dependencies):
        steps = [make_spec(nodename=name, dependencies=needed) for name, needed in dependencies.items()]
        for step in steps:
            for name, value in (options or {}).get(step.nodename, {}).items():
                setattr(step, name, value)
        found = await world.call(m.SubmitWorkflowSpec(spec=WorkflowSpec(colonyname="dev", functionspecs=steps)), "ann")
        return found["processgraphid"], dict(zip(dependencies, found["processids"], strict=True))

    return submit


async def succeed(world, processid):
    await world.call(m.CloseSuccessful(processid=processid, output=[1]), "one")


async def fail(world, processid, errors=("no",)):
    await world.call(m.CloseFailed(processid=processid, errors=list(errors)), "one")


async def states(world, members):
    return {name: (await world.get(processid))["state"] for name, processid in members.items()}


async def workflow_state(world, processgraphid):
    return (await world.call(m.GetProcessGraph(processgraphid=processgraphid), "ann"))["state"]


async def test_nothing_depends_on_the_one_that_fails_and_the_others_go_on(world, flow):
    """Work under way is not thrown away for a leaf."""
    graph, members = await flow(root=[], leaf=["root"], runs=["root"], waits=["runs"])
    await world.assign("one")
    await succeed(world, members["root"])
    assert {(await world.assign("one"))["processid"] for _ in range(2)} == {members["leaf"], members["runs"]}
    await fail(world, members["leaf"])
    assert await states(world, members) == {"root": SUCCESS, "leaf": FAILED, "runs": RUNNING, "waits": WAITING}
    assert await workflow_state(world, graph) == FAILED
    await succeed(world, members["runs"])
    assert (await world.assign("one"))["processid"] == members["waits"]
    await succeed(world, members["waits"])
    assert await states(world, members) == {"root": SUCCESS, "leaf": FAILED, "runs": SUCCESS, "waits": SUCCESS}
    assert await workflow_state(world, graph) == FAILED


async def test_one_that_others_depend_on_takes_all_along(world, flow):
    """Those that had succeeded, too; their output and their ends stay."""
    graph, members = await flow(root=[], middle=["root"], beside=["root"], leaf=["middle"])
    await world.assign("one")
    await succeed(world, members["root"])
    for _ in range(2):
        await world.assign("one")
    await succeed(world, members["beside"])
    ended = (await world.get(members["beside"]))["endtime"]
    await fail(world, members["middle"])
    await world.restart()
    assert await states(world, members) == dict.fromkeys(members, FAILED)
    assert await workflow_state(world, graph) == FAILED
    found = {name: await world.get(processid) for name, processid in members.items()}
    assert {name: process["errors"] for name, process in found.items()} == {
        "root": [],
        "middle": ["no"],
        "beside": [],
        "leaf": [],
    }
    assert (found["beside"]["out"], found["beside"]["endtime"]) == ([1], ended)


async def test_who_failed_along_is_not_brought_back_by_a_deadline_of_the_same_second(world, flow):
    """Both have run too long: the first takes the second along, whose retries count no more."""
    options = {"first": {"maxexectime": 1}, "second": {"maxexectime": 1, "maxretries": 5}}
    _, members = await flow(options, first=[], second=[], child=["first"])
    for _ in range(2):
        await world.assign("one")
    world.wait(5)
    assert await states(world, members) == dict.fromkeys(members, FAILED)
    assert (await world.get(members["second"]))["retries"] == 0


async def test_nor_is_it_failed_twice(world, flow):
    """Both have waited too long: the one that failed along has no errors of its own."""
    options = {name: {"maxwaittime": 1} for name in ("first", "second")}
    _, members = await flow(options, first=[], second=[], child=["first"])
    world.wait(5)
    assert await states(world, members) == dict.fromkeys(members, FAILED)
    assert (await world.get(members["second"]))["errors"] == []


async def test_members_are_listed_from_the_roots_down(world, flow):
    """As given in the reply to the submission only."""
    graph, members = await flow(a=[], b=[], c=["b", "a"], d=["a"])
    found = await world.call(m.GetProcessGraph(processgraphid=graph), "ann")
    names = {processid: name for name, processid in members.items()}
    assert [names[processid] for processid in found["processids"]] == ["a", "c", "d", "b"]


async def test_a_cycle_is_listed_too(world, flow):
    graph, members = await flow(root=[], a=["b"], b=["a"])
    found = await world.call(m.GetProcessGraph(processgraphid=graph), "ann")
    assert found["processids"] == list(members.values())


@pytest.mark.parametrize(("given", "shown"), [(["e"], ["e"]), ([], []), (None, None)])
async def test_errors_are_shown_as_they_were_given(world, given, shown):
    await world.executor("one")
    processid = await world.submit("ann")
    await world.assign("one")
    await world.call(m.CloseFailed(processid=processid, errors=given), "one")
    assert (await world.get(processid))["errors"] == shown


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
