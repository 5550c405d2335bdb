"""Workflows: what a failure does to other members, children, and what is refused; each was seen on a real server."""

from __future__ import annotations

import pytest

from colony_jupyter.server.errors import Refused
from colony_jupyter.wire import messages as m
from colony_jupyter.wire.models import ProcessState, WorkflowSpec

WAITING, RUNNING, SUCCESS, FAILED = range(4)


@pytest.fixture
async def flow(world, make_spec):
    """Return a function that submits a workflow, by the dependencies of its nodes, and returns its members by name."""
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


async def test_one_that_others_depend_on_removes_them_too(world, flow):
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


async def test_order_of_checks_in_lists_of_workflows(world):
    message = m.GetProcessGraphs(colonyname="dev", count=101, state=9)
    assert await world.refusal(message, "ann") == (400, "invalid msg.State")
    assert await world.refusal(m.GetProcessGraphs(colonyname="dev", count=101), "ann") == (
        400,
        "Count is larger than MaxCount limit <100>",
    )


@pytest.mark.parametrize(("output", "given"), [([], None), ([1], [1])])
async def test_what_a_child_is_given_by_parents_that_put_out_nothing(world, make_spec, output, given):
    await world.executor("one")
    steps = [make_spec(nodename="a"), make_spec(nodename="b", dependencies=["a"])]
    await world.call(m.SubmitWorkflowSpec(spec=WorkflowSpec(colonyname="dev", functionspecs=steps)), "ann")
    parent = await world.assign("one")
    assert parent["in"] == []
    await world.call(m.CloseSuccessful(processid=parent["processid"], output=output), "one")
    child = await world.assign("one")
    assert child["in"] == given
    await world.restart()
    assert (await world.get(child["processid"]))["in"] == given


async def test_one_that_is_put_between_is_the_last_of_its_childrens_parents(world, make_spec):
    """Which is the order in which they are given what their parents put out."""
    await world.executor("one")
    steps = [make_spec(nodename="a"), make_spec(nodename="b"), make_spec(nodename="c", dependencies=["a", "b"])]
    flow = await world.call(m.SubmitWorkflowSpec(spec=WorkflowSpec(colonyname="dev", functionspecs=steps)), "ann")
    first, second, last = flow["processids"]
    assert (await world.assign("one"))["processid"] == first
    message = m.AddChild(
        processgraphid=flow["processgraphid"], parentprocessid=first, spec=make_spec(nodename="new"), insert=True
    )
    between = (await world.call(message, "one"))["processid"]
    assert (await world.get(last))["parents"] == [second, between]


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
    for bad in (workflow(make_spec, a=["absent"]), workflow(make_spec, **{"": []})):
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


async def test_a_process_that_could_run_waits_for_a_parent_that_is_added(world, make_spec):
    await world.executor("one")
    flow = await world.call(workflow(make_spec, a=[], b=[]), "ann")
    parent, other = flow["processids"]
    assert (await world.assign("one"))["processid"] == parent
    message = m.AddChild(
        processgraphid=flow["processgraphid"],
        parentprocessid=parent,
        childprocessid=other,
        spec=make_spec(nodename="new"),
    )
    child = (await world.call(message, "one"))["processid"]
    assert (await world.get(other))["parents"] == [child]
    for runs, waits in ((parent, child), (child, other)):
        with pytest.raises(Refused, match="No process available"):
            await world.assign("one")
        await world.call(m.CloseSuccessful(processid=runs), "one")
        assert (await world.assign("one"))["processid"] == waits


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
