"""One failing call, timer or callback does not disturb others."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from colony_jupyter.errors import EmbeddedError
from colony_jupyter.server.errors import Refused
from colony_jupyter.wire import messages as m

RELOADED = "the state is read from disk again"


@pytest.fixture
def loads(world, monkeypatch):
    """Count how often the state is read from disk."""
    counted = []
    load = world.server.store.load

    async def counting():
        counted.append(1)
        return await load()

    monkeypatch.setattr(world.server.store, "load", counting)
    return counted


@pytest.mark.parametrize("days", [-(2**62), -(2**63), -1, 0])
async def test_a_search_of_odd_days_finds_nothing_and_disturbs_no_one(world, loads, days):
    found = await world.call(m.SearchLogs(colonyname="dev", text="x", days=days, count=10), "ann")
    assert found is None
    assert not loads


@pytest.mark.parametrize(
    "amount", [{"cpu": "9" * 5000 + "m"}, {"mem": "9" * 4300 + "TiB"}, {"storage": "9" * 30 + "G"}]
)
async def test_a_spec_with_an_amount_beyond_64_bits_is_refused(world, loads, amount):
    with pytest.raises(Refused) as refused:
        await world.submit(**amount)
    assert refused.value.status == 400
    assert not loads


async def test_an_offer_beyond_64_bits_is_refused(world, loads):
    await world.executor("one")
    with pytest.raises(Refused) as refused:
        await world.assign("one", availablecpu="9" * 5000 + "m")
    assert refused.value.status == 400
    assert not loads


async def test_an_unexpected_error_before_any_change_refuses_that_call_alone(world, loads, caplog):
    async def broken():
        await world.server.ready()
        raise ZeroDivisionError

    async def innocent():
        return await world.submit()

    # Both run in tasks, as the calls of two clients do; the second changes the state meanwhile.
    with caplog.at_level(logging.ERROR):
        async with asyncio.TaskGroup() as tasks:
            submitted = tasks.create_task(innocent())
            failed = tasks.create_task(_refusal(world.server.carry_out(broken)))
    assert failed.result().status == 500
    assert "ZeroDivisionError" in failed.result().message
    assert (await world.get(submitted.result()))["state"] == 0
    assert not loads
    assert RELOADED not in caplog.text


async def _refusal(work):
    with pytest.raises(Refused) as refused:
        await work
    return refused.value


@pytest.mark.parametrize("step", ["memory", "store"])
async def test_an_unexpected_error_after_a_change_restores_the_state_from_disk(world, loads, caplog, step):
    colony = world.server.colonies["dev"]

    async def broken():
        if step == "memory":
            colony.drop_user("bob")
        else:
            world.server.store.put("paused", "dev", object())
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR), pytest.raises(Refused):
        await world.server.carry_out(broken)
    assert len(loads) == 1
    assert RELOADED in caplog.text
    assert "bob" in world.server.colonies["dev"].users


async def test_a_timer_that_fails_is_logged_and_runs_again(world, monkeypatch, caplog):
    ran = asyncio.Event()
    calls = []

    async def sometimes():
        calls.append(1)
        if len(calls) == 1:
            raise EmbeddedError("a fault of the timer")
        ran.set()

    async def bare(work):
        await work()

    monkeypatch.setattr(world.server, "carry_out", bare)
    with caplog.at_level(logging.ERROR):
        timer = asyncio.create_task(world.server._every(0.001, sometimes))
        await asyncio.wait_for(ran.wait(), 5)
        timer.cancel()
    assert "a fault of the timer" in caplog.text


async def test_a_timer_reads_a_state_that_could_not_be_read_before(world, monkeypatch, caplog):
    async def odd():
        raise KeyError("dev")

    async def nothing():
        pass

    with monkeypatch.context() as patched, caplog.at_level(logging.CRITICAL):
        patched.setattr(world.server.store, "load", odd)
        await world.server._recover()
        with pytest.raises(Refused, match="could not be read"):
            await world.submit()
    timer = asyncio.create_task(world.server._every(0.001, nothing))
    async with asyncio.timeout(5):
        while world.server._unreadable:  # noqa: ASYNC110 - no event announces it
            await asyncio.sleep(0.001)
    timer.cancel()
    assert (await world.get(await world.submit()))["state"] == 0


async def test_a_refusal_is_answered_once_what_it_is_based_on_is_on_disk(world, monkeypatch):
    pid = await world.submit()
    go, write = threading.Event(), world.server.store.writer._write

    def slowly(group):
        assert go.wait(10)
        write(group)

    monkeypatch.setattr(world.server.store.writer, "_syncs", True)  # a thread writes
    monkeypatch.setattr(world.server.store.writer, "_write", slowly)
    removing = asyncio.create_task(world.call(m.RemoveProcess(processid=pid), "ann"))
    await asyncio.sleep(0)
    getting = asyncio.create_task(world.refusal(m.GetProcess(processid=pid), "ann"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert (removing.done(), getting.done()) == (False, False)
    go.set()
    await removing
    assert (await getting)[0] == 404


async def test_a_state_that_cannot_be_restored_refuses_calls_and_does_not_hang(world, monkeypatch, caplog):
    async def odd():
        raise KeyError("dev")

    with monkeypatch.context() as patched:
        patched.setattr(world.server.store, "load", odd)
        with caplog.at_level(logging.ERROR):
            await world.server._recover()
        with pytest.raises(Refused, match="could not be read"):
            await asyncio.wait_for(world.submit(), 5)
    await world.server._recover()
    await world.submit()


async def test_a_colony_and_a_user_are_made_once(world, identify):
    for _ in range(2):
        await world.server.ensure_colony("new", identify("new owner"))
        await world.server.ensure_user("new", identify("eve"), "eve")
    await world.restart()
    assert (await world.call(m.GetColony(colonyname="new"), "eve"))["name"] == "new"
    assert len(await world.call(m.GetUsers(colonyname="new"), "eve")) == 1


async def test_what_closed_long_ago_is_pruned_at_the_start(tmp_path, make_world):
    made = make_world(tmp_path, keep_days=1)
    await made.server.start()
    try:
        await made.colony("dev")
        await made.user("ann")
        old = await made.submit()
        await made.call(m.CancelProcess(processid=old), "ann")
        made.time += 2 * 86_400 * 10**9
        recent = await made.submit()
        await made.call(m.CancelProcess(processid=recent), "ann")
        await made.restart()
        async with asyncio.timeout(5):
            listing = m.GetProcesses(colonyname="dev", count=9, state=4)
            while [each["processid"] for each in await made.call(listing, "ann")] != [recent]:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.01)
    finally:
        await made.server.stop()
