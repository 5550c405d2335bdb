"""Executors and their functions: registering, approving, what is listed and what is refused."""

from __future__ import annotations

import pytest

from colony_jupyter.server.errors import Refused
from colony_jupyter.wire import messages as m
from colony_jupyter.wire.models import ExecutorRecord, ExecutorState, Function, FunctionArgument


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


async def test_a_function_has_the_id_that_its_client_sent(world):
    await world.executor("one")
    function = Function(executorname="one", colonyname="dev", funcname="f", functionid="a" * 64)
    added = await world.call(m.AddFunction(fun=function), "one")
    assert added["functionid"] == "a" * 64
    with pytest.raises(Refused, match="duplicate key") as refused:
        await world.call(m.AddFunction(fun=function), "one")
    assert refused.value.status == 500
    await world.call(m.RemoveFunction(functionid="a" * 64), "one")
    await world.call(m.AddFunction(fun=function), "one")


async def test_an_executor_is_pending_until_it_is_approved(world, identify):
    await world.executor("one", approved=False)
    found = await world.call(m.GetExecutorById(colonyname="dev", executorid=identify("one")), "ann")
    assert (found["executorname"], found["state"]) == ("one", ExecutorState.PENDING)
    await world.submit()
    assert (await world.refusal(m.AssignProcess(colonyname="dev", timeout=-1), "one"))[0] == 403
    for change, state in (
        (m.ApproveExecutor, ExecutorState.APPROVED),
        (m.RejectExecutor, ExecutorState.REJECTED),
        (m.RemoveExecutor, ExecutorState.REMOVED),
        (m.ApproveExecutor, ExecutorState.APPROVED),
    ):
        await world.call(change(colonyname="dev", executorname="one"), "dev owner")
        found = await world.call(m.GetExecutor(colonyname="dev", executorname="one"), "ann")
        assert found["state"] == state
    assert (await world.assign("one"))["state"] == 1


async def test_a_name_in_use_replaces_the_executor_and_frees_its_process(world):
    await world.executor("one")
    await world.function("one")
    pid = await world.submit()
    await world.assign("one")
    await world.executor("one", approved=False)
    found = await world.get(pid)
    assert (found["state"], found["assignedexecutorid"], found["retries"]) == (0, "", 0)
    assert await world.call(m.GetFunctions(colonyname="dev"), "ann") is None
    (listed,) = await world.call(m.GetExecutors(colonyname="dev"), "ann")
    assert listed["state"] == ExecutorState.PENDING


async def test_what_a_request_claims_of_an_executor_is_not_believed(world, identify):
    record = ExecutorRecord(
        executorid=identify("one"),
        executortype="x",
        executorname="one",
        colonyname="dev",
        state=ExecutorState.APPROVED,
        lastheardfromtime="2020-01-01T00:00:00Z",
    )
    added = await world.call(m.AddExecutor(executor=record), "dev owner")
    assert (added["state"], added["lastheardfromtime"]) == (ExecutorState.PENDING, "0001-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("message", "who", "refusal"),
    [
        (m.AddExecutor(), "dev owner", (400, "Failed to add executor, executor is nil")),
        (
            m.AddExecutor(
                executor=ExecutorRecord(executorid="0", executortype="x", executorname="a:b", colonyname="dev")
            ),
            "dev owner",
            (500, "Failed to parse Executor name"),
        ),
        (
            m.ApproveExecutor(colonyname="dev", executorname="no"),
            "dev owner",
            (500, "Failed to approve executor, executor is nil"),
        ),
        (
            m.RejectExecutor(colonyname="dev", executorname="no"),
            "dev owner",
            (500, "Failed to reject executor, executor is nil"),
        ),
        (
            m.RemoveExecutor(colonyname="dev", executorname="no"),
            "dev owner",
            (500, "Failed to remove executor, executor is nil"),
        ),
        (m.GetExecutor(colonyname="dev", executorname="no"), "ann", (500, "Failed to get executor, executor is nil")),
        (
            m.GetExecutorById(colonyname="dev", executorid="0"),
            "ann",
            (404, "Failed to get executor by ID, executor is nil"),
        ),
        (m.AddFunction(), "ann", (400, "Failed to add function, msg.Function is nil")),
        (m.RemoveFunction(), "ann", (400, "Failed to remove function, msg.FunctionID is empty")),
        (m.RemoveFunction(functionid="0"), "ann", (404, "Failed to remove function, function does not exist")),
        (
            m.AddFunction(fun=Function(colonyname="dev", executorname="no")),
            "ann",
            (400, "Failed to add function, Executor with name <no> does not exist"),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_is_missing_is_named_in_the_refusal(world, message, who, refusal):
    assert await world.refusal(message, who) == refusal


async def test_functions_are_added_and_removed_by_their_own_executor_only(world):
    for name in ("one", "two"):
        await world.executor(name)
    functionid = await world.function("one")
    add = m.AddFunction(fun=Function(colonyname="dev", executorname="one", funcname="g"))
    assert await world.refusal(add, "two") == (403, "Not allowed to add a function to another executor")
    remove = m.RemoveFunction(functionid=functionid)
    assert await world.refusal(remove, "two") == (403, "Not allowed to remove a function from another executor")
    await world.function("two", "h")
    listed = await world.call(m.GetFunctions(colonyname="dev", executorname="two"), "ann")
    assert [function["funcname"] for function in listed] == ["h"]
    await world.call(remove, "one")
    assert len(await world.call(m.GetFunctions(colonyname="dev"), "ann")) == 1


async def test_a_function_is_shown_with_its_description_and_arguments(world):
    await world.executor("one")
    arguments = [FunctionArgument(name="n", type="int", required=True), FunctionArgument(name="m", type="str")]
    given = Function(colonyname="dev", executorname="one", funcname="f", description="adds", args=arguments)
    added = await world.call(m.AddFunction(fun=given), "one")
    assert added["description"] == "adds"
    assert added["args"] == [{"name": "n", "type": "int", "required": True}, {"name": "m", "type": "str"}]
    await world.restart()
    assert await world.call(m.GetFunctions(colonyname="dev"), "ann") == [added]


async def test_a_text_with_nul_is_refused_with_the_message_of_the_database(world):
    await world.executor("one")
    add = m.AddFunction(fun=Function(colonyname="dev", executorname="one", funcname="f\0"))
    assert await world.refusal(add, "one") == (500, 'pq: invalid byte sequence for encoding "UTF8": 0x00')
