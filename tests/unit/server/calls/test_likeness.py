"""Small things in which a client could tell one server from another; each was seen on a real one."""

from __future__ import annotations

import pytest

from colony_jupyter.server.errors import Refused
from colony_jupyter.wire import messages as m
from colony_jupyter.wire.models import Attribute, AttributeType, WorkflowSpec

TOO_MANY = (400, "Count is larger than MaxCount limit <100>")
NO_STATE = 9


async def refusal(world, message):
    with pytest.raises(Refused) as refused:
        await world.call(message, "ann")
    return (refused.value.status, refused.value.message)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"count": 101, "state": NO_STATE, "initiator": "nobody"}, TOO_MANY),
        ({"count": 1, "state": NO_STATE, "initiator": "nobody"}, (400, "User <nobody> does not exist")),
        ({"count": -1, "executortype": "x", "initiator": "nobody"}, (400, "User <nobody> does not exist")),
        ({"count": -1, "state": NO_STATE}, (400, "Failed to get processes, invalid msg.State")),
    ],
)
async def test_order_of_checks_in_lists_of_processes(world, members, told):
    assert await refusal(world, m.GetProcesses(colonyname="dev", **members)) == told


async def test_order_of_checks_in_lists_of_workflows(world):
    message = m.GetProcessGraphs(colonyname="dev", count=101, state=NO_STATE)
    assert await refusal(world, message) == (400, "invalid msg.State")
    assert await refusal(world, m.GetProcessGraphs(colonyname="dev", count=101)) == TOO_MANY


async def test_order_of_checks_in_lists_of_log_lines(world):
    message = m.GetLogs(colonyname="dev", processid="0" * 64, count=501)
    assert await refusal(world, message) == (500, "Failed to get logs, process does not exist")
    message = m.GetLogs(colonyname="dev", processid=await world.submit("ann"), count=501)
    assert await refusal(world, message) == (403, "Count exceeds max log count (500)")


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


async def test_attributes_are_for_the_executor_to_add_and_while_it_runs(world):
    for name in ("one", "two"):
        await world.executor(name)
    pid = await world.submit()

    async def add(who, key="k"):
        attribute = Attribute(targetid=pid, attributetype=AttributeType.OUT, key=key, value="v")
        return await world.call(m.AddAttribute(attribute=attribute), who)

    with pytest.raises(Refused, match="Failed to add attribute, process is not running"):
        await add("one")
    assigned = (await world.assign("one"))["assignedexecutorid"]
    for who in ("two", "ann"):
        with pytest.raises(Refused, match=f"only executor with id <{assigned}> is allowed to set attributes"):
            await add(who)
    assert (await add("one"))["value"] == "v"
    with pytest.raises(Refused, match="there already"):
        await add("one")
    await world.call(m.CloseSuccessful(processid=pid), "one")
    with pytest.raises(Refused, match="Failed to add attribute, process is not running"):
        await add("one", "another")


async def test_environment_that_is_added_later_is_seen_in_the_spec(world):
    await world.executor("one")
    processid = await world.submit("ann", env={"OLD": "1"})
    await world.assign("one")
    for kind, key in ((AttributeType.ENV, "NEW"), (AttributeType.OUT, "OTHER")):
        attribute = Attribute(targetid=processid, targetcolonyname="dev", attributetype=kind, key=key, value="2")
        await world.call(m.AddAttribute(attribute=attribute), "one")
    await world.restart()
    assert (await world.get(processid))["spec"]["env"] == {"OLD": "1", "NEW": "2"}


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


async def test_a_function_registered_twice_is_counted_once(world):
    """Both records show the same, also the one that came later."""
    await world.executor("one")
    for expected in (1, 2):
        await world.function("one")
        await world.submit("ann")
        processid = (await world.assign("one"))["processid"]
        await world.call(m.CloseSuccessful(processid=processid), "one")
        found = await world.call(m.GetFunctions(colonyname="dev"), "ann")
        assert [function["counter"] for function in found] == [expected] * expected
        assert len({tuple(v for k, v in sorted(each.items()) if k.endswith("time")) for each in found}) == 1


async def test_lists_come_back_in_the_order_in_which_things_came(world):
    """Also after changes to what they list."""
    names = ["zeta", "alpha", "mid"]
    for name in names:
        await world.executor(name)
        await world.user(f"user {name}")
        await world.function("zeta", f"function {name}")
    for name in names[::-1]:
        await world.call(m.RejectExecutor(colonyname="dev", executorname=name), "dev owner")

    async def listed():
        executors = await world.call(m.GetExecutors(colonyname="dev"), "ann")
        users = await world.call(m.GetUsers(colonyname="dev"), "ann")
        functions = await world.call(m.GetFunctions(colonyname="dev"), "ann")
        return [
            [executor["executorname"] for executor in executors],
            [user["name"] for user in users],
            [function["funcname"] for function in functions],
        ]

    before = await listed()
    assert before == [names, ["ann", "bob", *(f"user {n}" for n in names)], [f"function {n}" for n in names]]
    await world.restart()
    assert await listed() == before
