"""One client in several event loops, in forked children, and after it was closed."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import random
import traceback
import weakref
from typing import Any

import pytest

from colony_jupyter import AsyncColony, Colony
from colony_jupyter.client.portal import PORTAL
from colony_jupyter.errors import UsageError
from colony_jupyter.wire.identity import PrivateKey


def in_child(function):
    """Run a function in a forked child; return what it raised there, "" if nothing."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            function()
        except BaseException:  # noqa: BLE001 - the parent reports it
            os.write(writing, traceback.format_exc().encode()[-4000:])
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        raised = pipe.read().decode()
    os.waitpid(child, 0)
    return raised


@pytest.fixture
def blocking(place):
    """Return a blocking colony, and an executor of it that runs a process with the channel "c"."""
    key = PrivateKey.generate(random.randbytes)
    with Colony(place) as user, Colony(place, prvkey=key) as executor:
        name = f"unit-{key.id[:12]}-x"
        user.add_executor(name, key.id, name)
        user.approve_executor(name)
        process = user.submit("work", channels=["c"], executortype=name)
        assigned = executor.assign(5)
        assert assigned is not None
        yield user, process, assigned
    PORTAL.stop()


_shared: list[Colony] = []


def _ask(processid):
    return _shared[0].get_process(processid).processid == processid


def test_a_pool_of_forked_workers_uses_the_colony_of_its_parent(blocking):
    user, process, _ = blocking
    _shared[:] = [user]
    try:
        with multiprocessing.get_context("fork").Pool(4) as pool:
            jobs = [pool.apply_async(_ask, (process.processid,)) for _ in range(40)]
            assert all(_ask(process.processid) for _ in range(40))
            assert [job.get(20) for job in jobs] == [True] * 40
    finally:
        _shared.clear()


def test_the_parents_connections_survive_a_child_that_uses_and_drops_everything(blocking):
    user, process, assigned = blocking
    stream = process.channel("c").stream(timeout=20)
    assigned.channel("c").send("before")
    assert next(stream).text == "before"

    def child():
        assert process.refresh().processid == process.processid
        process.channel("c").send("from the child")
        PORTAL.stop()
        gc.collect()

    def drop():
        for face in (user, process, assigned, stream):
            face.__dict__.clear()
        gc.collect()

    assert in_child(child) == ""
    assert in_child(drop) == ""
    assigned.channel("c").send("after")
    assert [next(stream).text for _ in range(2)] == ["from the child", "after"]
    assert stream.statistics().resumes == 0
    stream.close()


def test_a_child_numbers_behind_what_its_parent_sent(blocking):
    _, process, _ = blocking
    process.channel("c").send("one")
    assert in_child(lambda: process.channel("c").send("two")) == ""
    assert [entry.text for entry in process.channel("c").read()] == ["one", "two"]


def test_a_stream_of_the_parent_raises_in_a_child(blocking):
    _, process, assigned = blocking
    stream = process.channel("c").stream(timeout=20)
    assigned.channel("c").send("one")
    assert next(stream).text == "one"

    def child():
        with pytest.raises(UsageError, match="the parent of this process"):
            next(stream)

    assert in_child(child) == ""
    stream.close()


def test_an_asynchronous_client_works_in_a_child(place):
    colony = AsyncColony(place)

    async def submit():
        return await colony.submit("work", channels=["c"], executortype="unit-fork-x")

    async def use(process):
        await process.refresh()
        await process.channel("c").send("text")
        return [entry.text for entry in await process.channel("c").read()]

    async def parent():
        process = await submit()
        assert await use(process) == ["text"]
        # The child runs in a frame of the parent's coroutine, as that of multiprocessing does.
        assert in_child(lambda: asyncio.run(use(process))) == ""
        assert await use(process) == ["text"] * 3
        await process.cancel()
        await colony.aclose()

    asyncio.run(parent())


def test_a_child_does_not_finalize_the_loop_and_the_tasks_of_its_parent(place):
    """Their finalizers remove sockets from the selector, which the parent and the child share."""
    held: dict[str, Any] = {"loop": asyncio.new_event_loop(), "colony": AsyncColony(place)}
    held["task"] = held["loop"].create_task(asyncio.Event().wait())
    held["loop"].run_until_complete(held["colony"].executors())

    def child():
        alive = [weakref.ref(held["loop"]), weakref.ref(held["task"])]
        held.clear()
        gc.collect()
        assert None not in [each() for each in alive]

    assert in_child(child) == ""
    loop = held["loop"]
    held["task"].cancel()
    loop.run_until_complete(held["colony"].aclose())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def test_a_client_works_on_one_event_loop_after_another(place):
    colony = AsyncColony(place)

    async def submit():
        process = await colony.submit("work", channels=["c"], executortype="unit-loops-x")
        await process.channel("c").send("one")
        return process

    async def use(process, text):
        await process.channel("c").send(text)
        async with process.channel("c").stream(limit=2) as stream:
            return [entry.text async for entry in stream]

    process = asyncio.run(submit())
    assert asyncio.run(use(process, "two")) == ["one", "two"]
    assert asyncio.run(use(process, "three")) == ["one", "two"]
    asyncio.run(process.cancel())


def test_a_stream_of_a_loop_that_has_ended_raises(place):
    colony = AsyncColony(place)

    async def begin():
        process = await colony.submit("work", channels=["c"], executortype="unit-loops-x")
        await process.channel("c").send("one")
        stream = process.channel("c").stream()
        await anext(stream)
        return process, stream

    process, stream = asyncio.run(begin())
    with pytest.raises(UsageError, match="an event loop that has ended"):
        asyncio.run(anext(stream))
    asyncio.run(process.cancel())


def test_a_client_on_two_event_loops_at_once_is_refused(place):
    colony = AsyncColony(place)
    raised: list[BaseException] = []

    def other():
        try:
            asyncio.run(colony.executors())
        except UsageError as error:
            raised.append(error)

    async def use():
        await colony.executors()
        await asyncio.to_thread(other)
        await colony.executors()

    asyncio.run(use())
    (error,) = raised
    assert "an AsyncColony on each loop" in str(error)


async def test_closing_a_client_ends_what_waits_on_it(place):
    async with AsyncColony(place) as owner:
        colony = AsyncColony(place)
        process = await colony.submit("work", channels=["c"], executortype="unit-closed-x")
        stream = process.channel("c").stream()
        waits = [asyncio.create_task(wait) for wait in (anext(stream), process.result(), process.channel("c").ask("?"))]
        await stream.listening()
        await colony.aclose()
        await colony.aclose()
        done, waiting = await asyncio.wait(waits, timeout=5)
        assert not waiting
        assert [type(task.exception()) for task in waits] == [UsageError, UsageError, UsageError]
        assert all("closed" in str(task.exception()) for task in done)
        await owner.cancel(process.processid)


@pytest.mark.parametrize(
    "use",
    [
        lambda colony, process: anext(process.channel("c").stream()),
        lambda colony, process: process.channel("c").send("text"),
        lambda colony, process: process.channel("c").read(),
        lambda colony, process: process.channel("c").ask("?"),
        lambda colony, process: process.refresh(),
        lambda colony, process: process.result(),
        lambda colony, process: colony.executors(),
        lambda colony, process: colony.connect(),
        lambda colony, process: colony.submit("work", executortype="x"),
    ],
    ids=["stream", "send", "read", "ask", "refresh", "result", "call", "connect", "submit"],
)
async def test_a_closed_client_raises(place, use):
    async with AsyncColony(place) as owner:
        async with AsyncColony(place) as colony:
            process = await colony.submit("work", channels=["c"], executortype="unit-closed-x")
        with pytest.raises(UsageError, match="closed"):
            await asyncio.wait_for(use(colony, process), 5)
        await owner.cancel(process.processid)
