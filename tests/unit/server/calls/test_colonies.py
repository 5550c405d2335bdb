"""Colonies, users and statistics: who is added, what is counted, what is refused."""

from __future__ import annotations

import pytest

from colony_jupyter.wire import messages as m
from colony_jupyter.wire.models import Colony, User, WorkflowSpec


async def test_a_colony_is_added_listed_and_removed_with_everything_in_it(world, identify):
    added = await world.call(m.AddColony(colony=Colony(colonyid=identify("new owner"), name="new")), "server")
    assert added == {"colonyid": identify("new owner"), "name": "new"}
    assert [each["name"] for each in await world.call(m.GetColonies(), "server")] == ["dev", "new"]
    await world.user("eve", "new")
    assert (await world.call(m.GetColony(colonyname="new"), "eve")) == added
    pid = await world.submit("eve", colony="new")
    await world.call(m.RemoveColony(colonyname="new"), "server")
    assert (await world.refusal(m.GetProcess(processid=pid), "eve"))[0] == 404
    await world.restart()
    assert await world.refusal(m.GetColony(colonyname="new"), "eve") == (403, "Colony with name <new> does not exists")
    assert [each["name"] for each in await world.call(m.GetColonies(), "server")] == ["dev"]


async def test_a_removed_colony_loses_its_workflows_functions_and_pauses(world, make_spec):
    await world.executor("one")
    await world.function("one")
    flow = WorkflowSpec(colonyname="dev", functionspecs=[make_spec(nodename="a")])
    graph = (await world.call(m.SubmitWorkflowSpec(spec=flow), "ann"))["processgraphid"]
    await world.call(m.PauseAssignments(colonyname="dev"), "dev owner")
    await world.call(m.RemoveColony(colonyname="dev"), "server")
    await world.colony("dev")
    await world.user("ann")
    await world.restart()
    for message in (
        m.GetExecutors(colonyname="dev"),
        m.GetFunctions(colonyname="dev"),
        m.GetProcesses(colonyname="dev", count=9),
    ):
        assert await world.call(message, "ann") is None
    assert (await world.refusal(m.GetProcessGraph(processgraphid=graph), "ann"))[0] == 500
    assert not (await world.call(m.GetPauseStatus(colonyname="dev"), "ann"))["ispaused"]


async def test_no_colony_at_all_is_null(world):
    await world.call(m.RemoveColony(colonyname="dev"), "server")
    assert await world.call(m.GetColonies(), "server") is None


async def test_users_are_found_by_name_and_by_id(world, identify):
    given = User(colonyname="dev", userid=identify("eve"), name="eve", email="eve@example.org", phone="1")
    added = await world.call(m.AddUser(user=given), "dev owner")
    assert (added["email"], added["phone"]) == ("eve@example.org", "1")
    assert await world.call(m.GetUser(colonyname="dev", name="eve"), "ann") == added
    assert await world.call(m.GetUserById(colonyname="dev", userid=identify("eve")), "ann") == added
    await world.call(m.RemoveUser(colonyname="dev", name="eve"), "dev owner")
    assert (await world.refusal(m.GetColony(colonyname="dev"), "eve"))[0] == 403
    await world.restart()
    assert [user["name"] for user in await world.call(m.GetUsers(colonyname="dev"), "ann")] == ["ann", "bob"]


async def test_one_key_may_be_a_user_under_two_names(world, identify):
    await world.call(m.AddUser(user=User(colonyname="dev", userid=identify("ann"), name="ann2")), "dev owner")
    await world.call(m.RemoveUser(colonyname="dev", name="ann"), "dev owner")
    found = await world.call(m.GetUserById(colonyname="dev", userid=identify("ann")), "ann")
    assert found["name"] == "ann2"


COLONY = Colony(colonyid="1" * 64, name="dev")
ABSENT = (400, "Colony with name <absent> does not exists")


@pytest.mark.parametrize(
    ("message", "who", "refusal"),
    [
        (m.AddColony(), "server", (400, "Failed to add colony, colony is <nil>")),
        (
            m.AddColony(colony=Colony(colonyid="1", name="new")),
            "server",
            (400, "Failed to add colony, invalid colony Id length"),
        ),
        (m.AddColony(colony=COLONY), "server", (400, "A Colony with name <dev> already exists")),
        (m.RemoveColony(colonyname="absent"), "server", (400, "Colony with name <absent> not found")),
        (m.GetColonyStatistics(colonyname="absent"), "ann", (400, "Colony with name <absent> not found")),
        (m.AddUser(), "dev owner", (400, "Failed to add user, executor is nil")),
        (m.AddUser(user=User(colonyname="absent", userid="0", name="x")), "dev owner", ABSENT),
        (m.AddUser(user=User(colonyname="", userid="0", name="x")), "dev owner", (403, "Empty Colony name")),
        (
            m.AddUser(user=User(colonyname="dev", userid="0", name="ann")),
            "dev owner",
            (400, "A user with name <ann> already exists in Colony with name <dev>"),
        ),
        (
            m.AddUser(user=User(colonyname="dev", userid="0", name="a:b")),
            "dev owner",
            (500, "Failed to add user, addedUser is nil"),
        ),
        (m.GetUsers(colonyname="absent"), "ann", ABSENT),
        (m.GetUser(colonyname="dev", name="x"), "ann", (500, "Failed to get user, user is nil")),
        (m.GetUserById(colonyname="dev", userid="0"), "ann", (404, "Failed to get user by ID, user is nil")),
        (m.RemoveUser(colonyname="absent", name="x"), "dev owner", ABSENT),
        (m.RemoveUser(colonyname="", name="x"), "dev owner", (403, "Empty Colony name")),
        (m.RemoveUser(colonyname="dev", name="x"), "dev owner", (400, "User with name <x> not found")),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_is_missing_or_in_use_is_named_in_the_refusal(world, message, who, refusal):
    assert await world.refusal(message, who) == refusal


async def test_statistics_count_executors_processes_and_workflows_by_state(world, make_spec):
    for name in ("one", "two"):
        await world.executor(name)
    await world.executor("pending", approved=False)
    await world.call(m.RemoveExecutor(colonyname="dev", executorname="two"), "dev owner")
    cancelled = await world.submit()
    await world.call(m.CancelProcess(processid=cancelled), "ann")
    flow = WorkflowSpec(colonyname="dev", functionspecs=[make_spec(nodename="a")])
    graphs = [(await world.call(m.SubmitWorkflowSpec(spec=flow), "ann"))["processgraphid"] for _ in range(3)]
    running = await world.assign("one")
    await world.call(m.CancelProcessGraph(processgraphid=graphs[1]), "ann")
    counts = await world.call(m.GetColonyStatistics(colonyname="dev"), "ann")
    expected = {
        "colonies": 1,
        "executors": 3,
        "activeexecutors": 1,
        "unregisteredexecutors": 1,
        "waitingprocesses": 1,
        "runningprocesses": 1,
        "successfulprocesses": 0,
        "failedprocesses": 0,
        "cancelledprocesses": 2,
        "waitingworkflows": 1,
        "runningworkflows": 1,
        "successfulworkflows": 0,
        "failedworkflows": 0,
        "cancelledworkflows": 1,
    }
    assert counts == expected
    await world.call(m.CloseSuccessful(processid=running["processid"]), "one")
    counts = await world.call(m.GetColonyStatistics(colonyname="dev"), "ann")
    assert (counts["runningworkflows"], counts["successfulworkflows"], counts["successfulprocesses"]) == (0, 1, 1)


async def test_statistics_of_the_server_are_the_sums_of_its_colonies(world):
    await world.colony("other")
    await world.user("eve", "other")
    await world.submit("eve", colony="other")
    await world.submit()
    await world.executor("one")
    counts = await world.call(m.GetStatistics(), "server")
    assert (counts["colonies"], counts["executors"], counts["waitingprocesses"]) == (2, 1, 2)
    assert counts["waitingworkflows"] == counts["activeexecutors"] == 0  # a real server does not fill these
