"""Submitting, assigning, time, workflows: what becomes of processes."""

from __future__ import annotations

import asyncio

import pytest

from colony_jupyter.server.errors import Refused
from colony_jupyter.wire import messages as m
from colony_jupyter.wire.models import ExecutorRecord, ProcessState


async def run_ready_tasks() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_every_long_poll_is_served(world):
    """Trap 4: the real server wakes one of them, which may be one that may not take the process."""
    await world.executor("one")
    await world.executor("two")
    polls = {who: asyncio.create_task(world.assign(who, timeout=100)) for who in ("one", "two")}
    await run_ready_tasks()
    for who in ("two", "one"):
        pid = await world.submit(names=[who])
        assert (await polls[who])["processid"] == pid


async def test_a_hundred_polls_get_a_hundred_processes(world):
    for number in range(100):
        await world.executor(f"e{number}")
    polls = [asyncio.create_task(world.assign(f"e{number}", timeout=100)) for number in range(100)]
    await run_ready_tasks()
    submitted = {await world.submit() for _ in range(100)}
    assert {(await poll)["processid"] for poll in polls} == submitted
    assert not world.server.waiters._polls


async def test_a_lost_connection_is_assigned_nothing(world):
    await world.executor("one")
    lost = asyncio.Event()
    message = m.AssignProcess(colonyname="dev", timeout=100)
    poll = asyncio.create_task(world.call(message, "one", gone=lost.wait))
    await run_ready_tasks()
    lost.set()
    pid = await world.submit()  # both at once: what was removed stays removed
    with pytest.raises(Refused, match="No process available"):
        await poll
    assert (await world.get(pid))["state"] == ProcessState.WAITING
    assert (await world.assign("one"))["processid"] == pid


async def test_a_poll_of_an_executor_removed_meanwhile_is_assigned_nothing(world):
    await world.executor("one")
    poll = asyncio.create_task(world.assign("one", timeout=1))
    await run_ready_tasks()
    await world.call(m.RemoveExecutor(colonyname="dev", executorname="one"), "dev owner")
    pid = await world.submit()
    with pytest.raises(Refused, match="No process available"):
        await poll
    assert (await world.get(pid))["state"] == ProcessState.WAITING


@pytest.fixture
def attempts(world, monkeypatch):
    """Return a list that has an item for each attempt to assign a process."""
    found, assign = [], world.server.assign

    def counting(*arguments):
        found.append(arguments)
        return assign(*arguments)

    monkeypatch.setattr(world.server, "assign", counting)
    return found


async def test_a_poll_that_finds_nothing_waits_for_the_next_event(world, attempts):
    await world.executor("one")
    poll = asyncio.create_task(world.assign("one", timeout=100))
    await run_ready_tasks()
    await world.submit(names=["another"])
    await run_ready_tasks()
    assert len(attempts) == 2  # at the beginning, and when it was woken
    pid = await world.submit()
    assert (await poll)["processid"] == pid


async def test_a_poll_is_assigned_nothing_while_the_state_is_read_from_disk(world, attempts):
    await world.executor("one")
    pid = await world.submit(names=["another"])
    poll = asyncio.create_task(world.assign("one", timeout=100))
    await run_ready_tasks()
    world.server._whole.clear()
    world.server.waiters.wake_all()
    await run_ready_tasks()
    assert len(attempts) == 1
    world.server._whole.set()
    await run_ready_tasks()
    assert len(attempts) == 2
    await world.call(m.RemoveProcess(processid=pid), "ann")
    last = await world.submit()
    assert (await poll)["processid"] == last


async def test_executornames_and_offers(world):
    await world.executor("one")
    unnamed = await world.submit(names=["*"])
    assert (await world.get(unnamed))["spec"]["conditions"]["executornames"] == []
    big = await world.submit(cpu="2000m", mem="2Gi")
    for offer in ({"availablecpu": "1000m"}, {"availablemem": "1Gi"}, {"availablecpu": "-1m"}):
        with pytest.raises(Refused, match="No process available"):
            await world.assign("one", **offer)
    assert (await world.assign("one", availablecpu="2000m", availablemem="2Gi"))["processid"] == big
    with pytest.raises(Refused, match="No process available"):
        await world.assign("one")


async def test_pausing(world):
    await world.executor("one")
    await world.call(m.PauseAssignments(colonyname="dev"), "dev owner")
    pid = await world.submit()
    with pytest.raises(Refused) as refused:
        await world.assign("one")
    assert refused.value.status == 503
    await world.restart()  # paused it stays
    poll = asyncio.create_task(world.assign("one", timeout=100))
    await run_ready_tasks()
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


TOO_MANY = (400, "Count is larger than MaxCount limit <100>")
NO_STATE = 9


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"count": 101, "state": NO_STATE, "initiator": "absent"}, TOO_MANY),
        ({"count": 1, "state": NO_STATE, "initiator": "absent"}, (400, "User <absent> does not exist")),
        ({"count": -1, "executortype": "x", "initiator": "absent"}, (400, "User <absent> does not exist")),
        ({"count": -1, "state": NO_STATE}, (400, "Failed to get processes, invalid msg.State")),
    ],
)
async def test_order_of_checks_in_lists_of_processes(world, members, expected):
    assert await world.refusal(m.GetProcesses(colonyname="dev", **members), "ann") == expected
