"""Objects as a ColonyOS server writes them: times, members that are left out, null and empty lists, drawings."""

from __future__ import annotations

import asyncio

import pytest

from colony_jupyter.server.api import encoding
from colony_jupyter.server.state.channel_logs import ChannelLog
from colony_jupyter.server.state.records import StoredEntry
from colony_jupyter.wire import messages as m
from colony_jupyter.wire.models import ExecutorRecord, ProcessState, WorkflowSpec

NEVER = "0001-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, NEVER),
        (1_700_000_000_000_000_000, "2023-11-14T22:13:20Z"),
        (1_700_000_000_120_000_000, "2023-11-14T22:13:20.12Z"),
        (1_700_000_000_000_000_001, "2023-11-14T22:13:20.000000001Z"),
        (2**63 - 1, "2262-04-11T23:47:16.854775807Z"),
    ],
)
def test_times_have_as_many_digits_as_they_need(ns, text):
    assert encoding.time(ns) == text


def test_members_of_a_spec_that_are_empty_are_left_out_or_not_as_on_a_real_server(make_spec):
    empty = encoding.spec(make_spec())
    assert "channels" not in empty
    assert "locationname" not in empty["conditions"]
    assert empty["conditions"]["executornames"] is None
    assert (empty["args"], empty["kwargs"], empty["env"], empty["conditions"]["dependencies"]) == ([], {}, {}, [])
    full = encoding.spec(make_spec(channels=["c"], locationname="here", names=["one"]))
    assert full["channels"] == ["c"]
    assert (full["conditions"]["locationname"], full["conditions"]["executornames"]) == ("here", ["one"])


def test_the_name_of_any_executor_comes_back_as_an_empty_list(make_spec):
    assert encoding.spec(make_spec(names=["*"]))["conditions"]["executornames"] == []


async def test_a_process_that_has_just_been_submitted(world):
    shown = await world.get(await world.submit())
    assert {name: shown[name] for name in ("starttime", "endtime", "waitdeadline", "execdeadline")} == dict.fromkeys(
        ("starttime", "endtime", "waitdeadline", "execdeadline"), NEVER
    )
    for name in ("attributes", "parents", "children", "in", "out", "errors"):
        assert shown[name] == []
    assert (shown["assignedexecutorid"], shown["isassigned"], shown["processgraphid"]) == ("", False, "")


async def test_an_executor_shows_when_it_was_heard_last_and_leaves_empty_members_out(world, identify):
    await world.executor("one")
    shown = await world.call(m.GetExecutor(colonyname="dev", executorname="one"), "ann")
    assert shown["commissiontime"].startswith("2023-11-14T22:13:20.")
    assert shown["lastheardfromtime"] == NEVER
    assert not {"locationname", "blueprintid", "blueprintgen"} & shown.keys()
    await world.submit()
    await world.assign("one")
    shown = await world.call(m.GetExecutor(colonyname="dev", executorname="one"), "ann")
    assert shown["lastheardfromtime"] > shown["commissiontime"]
    record = ExecutorRecord(
        executorid=identify("two"), executortype="x", executorname="two", colonyname="dev", locationname="here"
    )
    added = await world.call(m.AddExecutor(executor=record), "dev owner")
    assert added["locationname"] == "here"


def test_entries_omit_what_they_do_not_answer_and_have_null_payloads():
    plain = StoredEntry(3, 0, 1_700_000_000_000_000_000, "ann", None)
    assert encoding.entry(plain) == {
        "sequence": 3,
        "timestamp": "2023-11-14T22:13:20Z",
        "senderid": "ann",
        "payload": None,
        "type": "data",
    }
    assert encoding.entry(StoredEntry(3, 2, 1, "ann", b"x"))["inreplyto"] == 2


@pytest.mark.parametrize(
    ("start", "limit", "given"),
    [
        (0, 0, [0, 1, 2]),
        (1, 0, [1, 2]),
        (-5, 0, [0, 1, 2]),
        (0, 2, [0, 1]),
        (1, 1, [1]),
        (9, 0, []),
        (0, -1, [0, 1, 2]),
    ],
)
def test_a_part_of_a_log_is_counted_by_entries(start, limit, given):
    channel = ChannelLog("c", "p", None, empty=True)
    for number in range(3):
        channel.append(StoredEntry(number, 0, number, "ann", b""))
    assert [entry["sequence"] for entry in encoding.entries(channel, start, limit)] == given


# Announcements


async def announced(world, registered):
    await world.executor("one")
    if registered:
        await world.function("one", "f")
    pid = await world.submit()
    await world.assign("one")
    await world.call(m.SetOutput(processid=pid, output=[1]), "one")
    stream = world.subscribe(m.SubscribeProcess(processid=pid, state=ProcessState.SUCCESS, timeout=60), "ann")
    first = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    await world.call(m.CloseSuccessful(processid=pid, output=[2]), "one")
    _, shown = await first
    await stream.aclose()
    return shown


@pytest.mark.parametrize(("registered", "output"), [(False, [1]), (True, [2])])
async def test_success_is_announced_without_its_output_unless_the_function_is_registered(world, registered, output):
    """Trap 10."""
    shown = await announced(world, registered)
    assert (shown["state"], shown["out"]) == (ProcessState.SUCCESS, output)
    assert (shown["endtime"] == NEVER) is not registered


# Workflows


async def test_a_workflow_is_drawn_from_its_roots_down(world, make_spec):
    await world.executor("one")
    steps = [make_spec(nodename=name, dependencies=needed) for name, needed in (("a", []), ("b", ["a"]), ("c", ["b"]))]
    fresh = await world.call(m.SubmitWorkflowSpec(spec=WorkflowSpec(colonyname="dev", functionspecs=steps)), "ann")
    assert (fresh["submissiontime"], fresh["nodes"], fresh["edges"]) == (NEVER, [], [])
    await world.assign("one")
    shown = await world.call(m.GetProcessGraph(processgraphid=fresh["processgraphid"]), "ann")
    assert shown["submissiontime"] > NEVER
    assert shown["rootprocessids"] == fresh["processids"][:1]
    nodes = [(node["data"]["label"], node["type"], node["position"]["y"]) for node in shown["nodes"]]
    assert nodes == [("a", "input", 0), ("b", "", 100), ("c", "output", 200)]
    assert len({node["style"]["background"] for node in shown["nodes"]}) == 2  # running and waiting
    a, b, c = fresh["processids"]
    edges = [(edge["source"], edge["target"], edge["animated"]) for edge in shown["edges"]]
    assert edges == [(a, b, True), (b, c, False)]
    assert shown["edges"][0]["id"] == f"{a}-{b}"
