"""What has closed is on disk only, which no reply shows: it is found, listed, counted and removed as before."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import sqlite3

import pytest

from colony_jupyter.server.errors import Refused
from colony_jupyter.server.server import DATABASE, Server
from colony_jupyter.server.storage import schema
from colony_jupyter.wire import messages as m
from colony_jupyter.wire.models import Attribute, AttributeType, Conditions, FunctionSpec, ProcessState, WorkflowSpec

CLOSED = (ProcessState.SUCCESS, ProcessState.FAILED, ProcessState.CANCELLED)


async def close(world, how, **members):
    """Submit a process and close it in one of three ways."""
    pid = await world.submit(**members)
    if how is ProcessState.CANCELLED:
        await world.call(m.CancelProcess(processid=pid), "ann")
        return pid
    kind = members.get("kind", "x")
    assert (await world.assign(f"one {kind}"))["processid"] == pid
    if how is ProcessState.SUCCESS:
        await world.call(m.CloseSuccessful(processid=pid, output=[pid]), f"one {kind}")
    else:
        await world.call(m.CloseFailed(processid=pid, errors=["no"]), f"one {kind}")
    return pid


async def listed(world, state, count=100, **wanted):
    found = await world.call(m.GetProcesses(colonyname="dev", count=count, state=state, **wanted), "ann")
    return [process["processid"] for process in found or []]


async def counts(world):
    found = await world.call(m.GetColonyStatistics(colonyname="dev"), "ann")
    return [found[f"{name}processes"] for name in ("waiting", "running", "successful", "failed", "cancelled")]


def in_memory(world):
    return set(world.server.colonies["dev"].processes)


@pytest.fixture
async def peopled(world):
    for kind in ("x", "y"):
        await world.executor(f"one {kind}", kind)
    return world


@pytest.mark.parametrize("again", [False, True], ids=["", "restarted"])
async def test_it_is_found_listed_and_counted(peopled, again):
    world = peopled
    chance = random.Random(4)
    made = {state: [] for state in CLOSED}
    for number in range(60):
        how = chance.choice(CLOSED)
        members = {"kind": chance.choice("xy"), "label": chance.choice("ab"), "args": [number]}
        who = chance.choice(["ann", "bob"])
        pid = await close(world, how, **members, who=who)
        made[how].insert(0, (pid, {**members, "who": who}))
    waiting = await world.submit()
    assert in_memory(world) == {waiting}
    if again:
        await world.restart()
        assert in_memory(world) == {waiting}
    assert await counts(world) == [1, 0, *(len(made[state]) for state in CLOSED)]
    for state in CLOSED:
        everything = [pid for pid, _ in made[state]]
        assert await listed(world, state) == everything
        assert await listed(world, state, 3) == everything[:3]
        for ours, theirs in [("kind", "executortype"), ("label", "label"), ("who", "initiator")]:
            for value in {members[ours] for _, members in made[state]}:
                wanted = [pid for pid, members in made[state] if members[ours] == value]
                assert await listed(world, state, **{theirs: value}) == wanted
                assert await listed(world, state, 2, **{theirs: value}) == wanted[:2]
        for pid, members in made[state]:
            found = await world.get(pid)
            assert (found["state"], found["spec"]["args"]) == (state, members["args"])
            assert found["out"] == ([pid] if state is ProcessState.SUCCESS else [])
            assert found["errors"] == (["no"] if state is ProcessState.FAILED else [])
        history = m.GetProcessHistory(colonyname="dev", seconds=3600, state=state)
        assert [each["processid"] for each in await world.call(history, "ann")] == everything[::-1]
    unknown = m.GetProcessHistory(colonyname="dev", seconds=3600, state=2, executorid="0" * 64)
    assert await world.call(unknown, "ann") is None
    world.wait(7200)
    for seconds, there in [(3600, False), (10**30, True), (-(10**30), False)]:
        history = m.GetProcessHistory(colonyname="dev", seconds=seconds, state=ProcessState.SUCCESS)
        assert bool(await world.call(history, "ann")) is there


async def test_all_callers_see_the_same_while_it_is_being_moved(peopled, monkeypatch):
    """Closed, listed, read and removed in one turn of the loop, and while a thread is at the disk."""
    world = peopled
    pids = [await world.submit() for _ in range(20)]
    monkeypatch.setattr(world.server.store.writer, "_syncs", True)
    cancelled: list[str] = []

    async def cancel(pid):
        await world.call(m.CancelProcess(processid=pid), "ann")
        cancelled.append(pid)

    async def look():
        for _ in range(30):
            known = set(cancelled)
            found = await listed(world, ProcessState.CANCELLED)
            assert len(found) == len(set(found))
            assert known <= set(found)
            waiting, *_, done = await counts(world)
            assert waiting + done == len(pids)
            await asyncio.sleep(0)

    await asyncio.gather(look(), *(cancel(pid) for pid in pids), look())
    assert not in_memory(world)

    async def remove(pid):
        await world.call(m.RemoveProcess(processid=pid), "ann")
        with pytest.raises(Refused, match="process not found"):
            await world.get(pid)
        assert pid not in await listed(world, ProcessState.CANCELLED)

    await asyncio.gather(*(remove(pid) for pid in pids[:10]))
    assert await counts(world) == [0, 0, 0, 0, 10]
    again = (world.call(m.RemoveProcess(processid=pids[10]), "ann") for _ in range(2))
    results = await asyncio.gather(*again, return_exceptions=True)
    assert [type(result) for result in results] == [dict, Refused]
    await world.restart()
    assert set(await listed(world, ProcessState.CANCELLED)) == set(pids[11:])
    assert await counts(world) == [0, 0, 0, 0, 9]


async def test_what_is_removed_is_not_chosen_again_before_that_is_on_disk(peopled):
    world = peopled
    pids = [await close(world, ProcessState.CANCELLED) for _ in range(5)]
    archive, chosen = world.server.store.archive, []
    while found := archive.ended_before("dev", ProcessState.CANCELLED, 2**62, 2):
        chosen.append(found)
        for pid in found:
            archive.remove(pid)
    assert [len(found) for found in chosen] == [2, 2, 1]
    assert sorted(pid for found in chosen for pid in found) == sorted(pids)


async def test_submissions_are_numbered_on_behind_what_has_closed(peopled):
    world = peopled
    for _ in range(3):
        await close(world, ProcessState.CANCELLED)
    before = world.server.next_order()
    await world.restart()
    assert world.server.next_order() == before


async def test_success_reported_twice_is_stored_twice(peopled, monkeypatch):
    world = peopled
    pid = await close(world, ProcessState.SUCCESS, env={"a": "1"})
    monkeypatch.setattr(world.server.store.writer, "_syncs", True)  # a thread writes while more arrives

    async def confirm(number):
        for _ in range(number):
            await asyncio.sleep(0)
        await world.call(m.CloseSuccessful(processid=pid, output=[number]), "one x")

    await asyncio.gather(*(confirm(number) for number in range(10)))
    assert (await world.get(pid))["out"] == [9]
    assert not in_memory(world)
    assert await counts(world) == [0, 0, 1, 0, 0]
    await world.restart()
    assert (await world.get(pid))["out"] == [9]
    assert await counts(world) == [0, 0, 1, 0, 0]


async def test_attributes_are_found(peopled):
    world = peopled
    pid = await world.submit(env={"a": "1"})
    await world.assign("one x")
    attribute = Attribute(targetid=pid, attributetype=AttributeType.OUT, key="b", value="2")
    await world.call(m.AddAttribute(attribute=attribute), "one x")
    known = {each["key"]: each["attributeid"] for each in (await world.get(pid))["attributes"]}

    async def values():
        found = [await world.call(m.GetAttribute(attributeid=known[key]), "ann") for key in "ab"]
        return [(each["value"], each["state"]) for each in found]

    assert await values() == [("1", 1), ("2", 0)]
    await world.call(m.CloseSuccessful(processid=pid), "one x")
    assert not in_memory(world)
    assert await values() == [("1", 2), ("2", 2)]
    await world.restart()
    assert await values() == [("1", 2), ("2", 2)]
    await world.call(m.RemoveProcess(processid=pid), "ann")
    with pytest.raises(Refused, match="does not exists"):
        await values()


async def test_all_are_removed_with_or_without_a_state_or_with_the_colony(peopled):
    world = peopled
    for how in CLOSED * 2:
        await close(world, how)
    await world.submit()
    flow = WorkflowSpec(colonyname="dev", functionspecs=[member("one")])
    member_id = (await world.call(m.SubmitWorkflowSpec(spec=flow), "ann"))["processids"][0]
    assert await counts(world) == [2, 0, 2, 2, 2]
    remove = m.RemoveAllProcesses(colonyname="dev", state=ProcessState.FAILED)
    await world.call(remove, "dev owner")
    assert await counts(world) == [2, 0, 2, 0, 2]
    await world.call(m.RemoveAllProcesses(colonyname="dev", state=-1), "dev owner")
    assert await counts(world) == [1, 0, 0, 0, 0]
    await world.assign("one x")
    await world.call(m.CloseSuccessful(processid=member_id), "one x")
    assert not in_memory(world)
    await world.call(m.RemoveAllProcesses(colonyname="dev", state=-1), "dev owner")
    assert await counts(world) == [0, 0, 1, 0, 0]  # members of workflows are spared
    await world.call(m.RemoveColony(colonyname="dev"), "server")
    await world.colony("dev")
    await world.user("ann")
    assert await counts(world) == [0, 0, 0, 0, 0]
    with pytest.raises(Refused, match="process not found"):
        await world.get(member_id)
    (left,) = world.server.store.writer.connection.execute("SELECT count(*) FROM closed").fetchone()
    assert left == 0


def member(nodename, *dependencies):
    conditions = Conditions(executortype="x", dependencies=list(dependencies))
    return FunctionSpec(nodename=nodename, funcname="f", maxexectime=-1, conditions=conditions)


async def test_workflows_whose_members_have_all_closed(peopled):
    world = peopled
    flows = {}
    for name in ("successful", "failed", "cancelled", "running"):
        specs = [member("root"), member("leaf", "root"), member("other", "root")]
        message = m.SubmitWorkflowSpec(spec=WorkflowSpec(colonyname="dev", functionspecs=specs))
        flows[name] = (await world.call(message, "ann"))["processgraphid"]
        if name == "cancelled":
            await world.call(m.CancelProcessGraph(processgraphid=flows[name]), "ann")
            continue
        root = (await world.assign("one x"))["processid"]
        if name == "failed":
            await world.call(m.CloseFailed(processid=root, errors=["no"]), "one x")
            continue
        await world.call(m.CloseSuccessful(processid=root, output=[name]), "one x")
        leaf = await world.assign("one x")
        assert leaf["in"] == [name]
        await world.call(m.CloseSuccessful(processid=leaf["processid"]), "one x")
        if name == "successful":
            other = await world.assign("one x")
            await world.call(m.CloseSuccessful(processid=other["processid"]), "one x")
    assert len(in_memory(world)) == 3  # of the one that runs, what has closed too: the rest depends on it

    async def shown():
        graphs = {
            name: await world.call(m.GetProcessGraph(processgraphid=graph), "ann") for name, graph in flows.items()
        }
        for name, graph in graphs.items():
            (alone,) = await world.call(m.GetProcessGraphs(colonyname="dev", count=9, state=graph["state"]), "ann")
            assert alone == graph, name
        return graphs

    history = m.GetProcessHistory(colonyname="dev", seconds=3600, state=ProcessState.FAILED)
    assert len(await world.call(history, "ann")) == 3  # two of them failed along with the root, at no time
    before = await shown()
    assert [before[name]["state"] for name in ("successful", "failed", "cancelled", "running")] == [2, 3, 4, 1]
    assert all(len(graph["nodes"]) == 3 for graph in before.values())
    await world.restart()
    assert await shown() == before
    # Cancelling what is over turns its state, and nothing else.
    await world.call(m.CancelProcessGraph(processgraphid=flows["successful"]), "ann")
    await world.call(m.RemoveProcessGraph(processgraphid=flows["cancelled"]), "ann")
    await world.restart()
    graph = await world.call(m.GetProcessGraph(processgraphid=flows["successful"]), "ann")
    assert (graph["state"], graph["processids"]) == (4, before["successful"]["processids"])
    with pytest.raises(Refused, match="graph is nil"):
        await world.call(m.GetProcessGraph(processgraphid=flows["cancelled"]), "ann")
    assert await counts(world) == [1, 0, 5, 3, 0]


async def test_what_could_not_be_written_has_not_closed(peopled, monkeypatch):
    world = peopled
    pid, other = await world.submit(), await close(world, ProcessState.CANCELLED)

    def fail(_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(world.server.store.writer, "_write", fail)
    for message in (m.CancelProcess(processid=pid), m.RemoveProcess(processid=other)):
        with pytest.raises(Refused, match="could not be written"):
            await world.call(message, "ann")
    monkeypatch.undo()
    assert [(await world.get(each))["state"] for each in (pid, other)] == [0, 4]
    assert await counts(world) == [1, 0, 0, 0, 1]
    assert await listed(world, ProcessState.CANCELLED) == [other]


async def test_a_folder_of_before_has_its_closed_processes_moved(peopled):
    """Schema 1 kept them among the others, and noted no state of a workflow."""
    world = peopled
    pids = [await close(world, how) for how in CLOSED]
    flow = WorkflowSpec(colonyname="dev", functionspecs=[member("one"), member("two", "one")])
    graph = await world.call(m.SubmitWorkflowSpec(spec=flow), "ann")
    await world.call(m.CancelProcessGraph(processgraphid=graph["processgraphid"]), "ann")
    before = [await world.get(pid) for pid in (*pids, *graph["processids"])]
    await world.server.stop()
    with contextlib.closing(sqlite3.connect(world.folder / DATABASE)) as connection, connection:
        connection.execute("INSERT INTO objects SELECT 'process', id, data FROM closed")
        for table in ("closed", "attributes", "closed_counts"):
            connection.execute(f"DROP TABLE {table}")
        rows = connection.execute("SELECT id, data FROM objects WHERE kind = 'workflow'").fetchall()
        for key, data in rows:
            workflow = json.loads(data)
            del workflow["final"]
            connection.execute("UPDATE objects SET data = ? WHERE id = ?", (json.dumps(workflow).encode(), key))
        connection.execute("PRAGMA user_version=1")
    world.server = Server(world.folder, **world.options)
    await world.server.start()
    assert not in_memory(world)
    assert [await world.get(pid) for pid in (*pids, *graph["processids"])] == before
    assert await counts(world) == [0, 0, 1, 1, 3]
    connection = world.server.store.writer.connection
    assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
    assert connection.execute("SELECT count(*) FROM objects WHERE kind = 'process'").fetchone() == (0,)


async def test_entries_of_a_cancelled_process_come_back_after_a_restart(peopled):
    world = peopled
    pid = await close(world, ProcessState.CANCELLED, channels=["c"])
    for number in (1, 2):
        await world.call(m.ChannelAppend(processid=pid, name="c", sequence=number, payload=b"late"), "ann")
    await world.restart()
    entries = await world.call(m.ChannelRead(processid=pid, name="c"), "ann")
    assert [entry["sequence"] for entry in entries] == [1, 2]


async def test_lists_are_read_by_index(peopled):
    """What is asked of the archive in every list is not answered by looking at every process."""
    connection = peopled.server.store.writer.connection
    queries = []
    connection.set_trace_callback(queries.append)
    archive = peopled.server.store.archive
    archive._connection.set_trace_callback(queries.append)
    for state, name in itertools.product(CLOSED, ("executortype", "label", "initiatorname")):
        archive.latest("dev", state, 10, **{name: "a"})
    archive.get("a" * 64)
    archive.with_attribute("a" * 64)
    archive.ended_before("dev", ProcessState.SUCCESS, 5, 5)
    assert len(queries) == 12
    for query in queries:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
        assert not [step for step in plan if step.startswith("SCAN")], query
        assert not [step for step in plan if "TEMP B-TREE" in step], query
