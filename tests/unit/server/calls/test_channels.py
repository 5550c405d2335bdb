"""Channels: order, what subscribers hear and when, what is kept."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from colony_jupyter.server.api.subscriptions import ConnectionDropped
from colony_jupyter.server.errors import Refused
from colony_jupyter.wire import messages as m


async def append(world, pid: str, who: str, sequence: int, channel: str = "c") -> None:
    await world.call(m.ChannelAppend(processid=pid, name=channel, sequence=sequence), who)


async def sequences(world, pid: str, who: str = "ann") -> list[int]:
    return [entry["sequence"] for entry in await world.call(m.ChannelRead(processid=pid, name="c"), who)]


async def test_a_log_is_the_same_after_a_restart(world):
    await world.executor("one")
    pid = await world.submit(channels=["c"])
    await world.assign("one")
    for sequence in (1, 5, 3, 4, 9, 2):
        await append(world, pid, "ann", sequence)
    assert await sequences(world, pid) == [1, 2, 3, 4, 5, 9]
    await world.restart()
    assert await sequences(world, pid) == [1, 2, 3, 4, 5, 9]
    await append(world, pid, "one", 2)
    assert await sequences(world, pid) == [1, 2, 3, 4, 5, 9, 2]


async def test_channels_of_cancelled_processes_come_back_and_stay(world):
    pid = await world.submit(channels=["c"])
    await append(world, pid, "ann", 1)
    await world.call(m.CancelProcess(processid=pid), "ann")
    assert await sequences(world, pid) == []
    await append(world, pid, "ann", 2)
    await world.restart()
    await append(world, pid, "ann", 3)
    assert await sequences(world, pid) == [2, 3]


async def test_a_failed_write_is_undone_for_all(world, monkeypatch):
    """What gathered while it failed was made of what is not on disk."""
    await world.executor("one")
    pid = await world.submit(channels=["c"])
    await append(world, pid, "ann", 1)
    subscription = world.subscribe(m.SubscribeChannel(processid=pid, name="c", timeout=60), "ann")
    assert [entry["sequence"] for entry in (await anext(subscription))[1]] == [1]
    poll = asyncio.create_task(world.assign("one", timeout=100, availablecpu="-1m"))
    await asyncio.sleep(0)
    write = world.server.store.writer._write
    failures = iter([sqlite3.OperationalError("database or disk is full")] * 2)  # at once, and with patience

    def fail_twice(group):
        for error in failures:
            raise error
        write(group)

    monkeypatch.setattr(world.server.store.writer, "_write", fail_twice)

    async def later() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        await append(world, pid, "ann", 5)

    results = await asyncio.gather(
        append(world, pid, "ann", 3), world.submit(), later(), world.get(pid), return_exceptions=True
    )
    assert all(isinstance(each, Refused) and each.status == 500 for each in results[:3])
    assert await sequences(world, pid) == [1]
    assert list(world.server.colonies["dev"].processes) == [pid]
    with pytest.raises(ConnectionDropped):  # it comes again, and reads on
        await anext(subscription)
    # The long poll has lived through it: it takes what is there now.
    await append(world, pid, "ann", 3)
    assert await sequences(world, pid) == [1, 3]
    assert not poll.done()
    poll.cancel()
    await asyncio.gather(poll, return_exceptions=True)
    await world.restart()
    assert await sequences(world, pid) == [1, 3]


async def test_a_call_that_breaks_leaves_nothing_behind(world, monkeypatch):
    pid = await world.submit()
    save = world.server.save

    def broken(process):
        save(process)
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(world.server, "save", broken)
    with pytest.raises(Refused, match="RuntimeError"):
        await world.submit()
    monkeypatch.undo()
    assert list(world.server.colonies["dev"].processes) == [pid]
    await world.submit()
    await world.restart()
    assert len(world.server.colonies["dev"].processes) == 2


async def test_notifications_are_sent_only_after_it_is_on_disk(world, monkeypatch):
    pid = await world.submit(channels=["c"])
    entered = asyncio.Event()
    leave = asyncio.Event()
    in_thread = world.server.store.writer.in_thread

    async def slow(work):
        entered.set()
        await leave.wait()
        return await in_thread(work)

    monkeypatch.setattr(world.server.store.writer, "in_thread", slow)
    monkeypatch.setattr(world.server.store.writer, "_syncs", True)
    appending = asyncio.create_task(append(world, pid, "ann", 1))
    await entered.wait()
    reading = asyncio.create_task(sequences(world, pid))
    subscription = world.subscribe(m.SubscribeChannel(processid=pid, name="c", timeout=60), "ann")
    first = asyncio.ensure_future(anext(subscription))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not any(task.done() for task in (appending, reading, first))
    leave.set()
    assert await reading == [1]
    assert len((await first)[1]) == 1
    await subscription.aclose()
    await appending
