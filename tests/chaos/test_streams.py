"""Streams over a network that cuts, delays, swallows, refuses and goes silent, and servers that die."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time

import pytest
from parties import collect, reach, world
from proxy import Proxy

from colony_jupyter import AsyncColony, FunctionSpec, StreamBroken
from colony_jupyter.channels.effects import StreamState
from colony_jupyter.errors import ChannelClosed, ServerUnreachable, StreamError, WaitTimeout
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import ProcessState


async def misbehave(reading: Proxy, writing: Proxy, cuts: int, pause: float) -> None:
    """Cut the network in every way there is, many times."""
    chance = random.Random(4)
    for number in range(cuts):
        await asyncio.sleep(pause * chance.random())
        kind = chance.choice(("cut", "cut", "soon", "soon", "swallow", "refuse", "delay", "both"))
        if number % 25 == 24:
            reading.go_silent()
        elif kind in ("cut", "both"):
            reading.cut_all()
            if kind == "both":
                writing.cut_all()
        elif kind == "soon":
            reading.cut_soon()
            writing.cut_soon()
        elif kind == "swallow":
            async with writing.swallowed_replies():
                await asyncio.sleep(0.05)
            reading.cut_all()
        elif kind == "refuse":
            reading.refusing = writing.refusing = True
            reading.cut_all()
            await asyncio.sleep(0.1)
            reading.refusing = writing.refusing = False
        else:
            reading.delay = 0.01
            await asyncio.sleep(0.05)
            reading.delay = 0.0
            reading.cut_all()


async def stay_alive(executor: AsyncColony) -> None:
    """Send the sign of life without which an executor is removed after ten minutes (trap 3), and get no work."""
    while True:
        with contextlib.suppress(ServerUnreachable):  # it goes through the chaos, too
            await executor.assign(-1, availablecpu="-1m")
        await asyncio.sleep(60)


async def stream_through_chaos(make_colony_server, *, entries: int, channels: int, cuts: int, pause: float):
    server = make_colony_server(limits=False)
    names = [f"c{n}" for n in range(channels)]
    async with (
        Proxy(server.port) as reading,
        Proxy(server.port) as writing,
        world(server, channels=names, reader_port=reading.port, writer_port=writing.port) as (mine, theirs),
    ):
        going_on = asyncio.Event()
        alive = asyncio.create_task(stay_alive(theirs.colony))

        async def write(name):
            channel = theirs.channel(name)
            for number in range(entries // channels):
                await channel.send(f"{name} {number}")
                if number == entries // channels - 2:
                    await going_on.wait()  # the last ones come after the last cut, so that each cut hits a stream
            await channel.end()

        streams = {name: mine.channel(name).stream() for name in names}
        readers = [asyncio.create_task(collect(stream)) for stream in streams.values()]
        writers = [asyncio.create_task(write(name)) for name in names]
        await misbehave(reading, writing, cuts, pause)
        going_on.set()
        await asyncio.gather(*writers)
        delivered = await asyncio.gather(*readers)
        alive.cancel()
        await asyncio.gather(alive, return_exceptions=True)
        for name, came in zip(names, delivered, strict=True):
            assert [entry.text for entry in came] == [f"{name} {number}" for number in range(entries // channels)]
        assert reading.cuts >= cuts
        assert all(stream.state is StreamState.ENDED for stream in streams.values())
        return [stream.statistics() for stream in streams.values()]


@pytest.mark.timeout(240)
async def test_ten_thousand_entries_come_through_a_hundred_cuts(make_colony_server):
    statistics = await stream_through_chaos(make_colony_server, entries=10_000, channels=4, cuts=100, pause=0.2)
    assert sum(each.resumes for each in statistics) > 20


@pytest.mark.chaos
@pytest.mark.timeout(3600)
async def test_a_hundred_thousand_entries_come_through_a_thousand_cuts(make_colony_server, record_property):
    begun = time.monotonic()
    statistics = await stream_through_chaos(make_colony_server, entries=100_000, channels=12, cuts=1000, pause=0.3)
    print(  # noqa: T201 - the figures are what this run is for
        f"\n{time.monotonic() - begun:.0f} s, "
        f"{sum(each.delivered for each in statistics)} delivered, "
        f"{sum(each.repeats for each in statistics)} repeats dropped, "
        f"{sum(each.resumes for each in statistics)} resumes"
    )


async def test_a_server_that_is_killed_and_comes_back_costs_nothing(make_colony_server):
    server = make_colony_server()
    async with world(server) as (mine, theirs):
        stream = mine.channel("c").stream()
        reader = asyncio.create_task(collect(stream))
        for number in range(60):
            if number in (20, 40):
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.start)
            await theirs.channel("c").send(number)
        await theirs.channel("c").end()
        assert [entry.json() for entry in await reader] == list(range(60))
        assert stream.statistics().resumes >= 1


async def test_a_link_that_went_silent_is_noticed_and_replaced(make_colony_server):
    server = make_colony_server()
    async with Proxy(server.port) as reading, world(server, reader_port=reading.port) as (mine, theirs):
        stream = mine.channel("c").stream()
        first = asyncio.create_task(anext(stream))
        await theirs.channel("c").send("before")
        assert (await first).text == "before"
        reading.go_silent()
        await theirs.channel("c").send("in the dark")
        assert (await asyncio.wait_for(anext(stream), 15)).text == "in the dark"
        await theirs.channel("c").end()
        assert await collect(stream) == []


async def test_it_ends_within_a_second_of_a_close_without_an_end_entry(make_colony_server):
    server = make_colony_server()
    async with world(server) as (mine, theirs):
        stream = mine.channel("c").stream()
        reader = asyncio.create_task(collect(stream))
        for number in range(30):
            await theirs.channel("c").send(number)
        await theirs.colony.close(theirs, ["done"])
        at = time.monotonic()
        assert len(await reader) == 30
        assert time.monotonic() - at < 1.0
        assert stream.process is not None
        assert stream.process.state is ProcessState.SUCCESS
        assert stream.process.output == ["done"]


@pytest.mark.parametrize("way", ["fail", "cancel", "deadline", "removed"])
async def test_it_ends_however_the_process_ends(make_colony_server, way):
    server = make_colony_server()
    limits = {"maxexectime": 1} if way == "deadline" else {}
    async with world(server, **limits) as (mine, theirs):
        stream = mine.channel("c").stream()
        reader = asyncio.create_task(collect(stream))
        await theirs.channel("c").send("only")
        await mine.channel("c").stream(limit=1).__anext__()
        if way == "fail":
            await theirs.colony.fail(theirs, ["it broke"])
        elif way == "cancel":
            await mine.cancel()
        elif way == "removed":
            await mine.colony.remove_all_processes()
        came = await asyncio.wait_for(reader, 10)
        assert [entry.text for entry in came] == ["only"]
        if way != "removed":
            assert stream.process is not None
            assert stream.process.state is (ProcessState.CANCELLED if way == "cancel" else ProcessState.FAILED)


@pytest.mark.parametrize("way", ["cancelled", "failed"])
async def test_it_ends_within_the_poll_interval_when_the_end_is_not_announced(make_colony_server, way):
    server = make_colony_server()
    async with world(server) as (mine, theirs):
        colony, executortype = mine.colony, theirs.spec.conditions.executortype
        specs = [FunctionSpec(funcname="f", nodename=name, channels=["c"]) for name in ("a", "b", "then")]
        for spec in specs:
            spec.conditions.executortype = executortype
        specs[-1].conditions.dependencies = ["b"]  # what others depend on takes the whole workflow along
        workflow = await colony.submit_workflow(specs)
        first, second = sorted([await theirs.colony.assign(5) for _ in "ab"], key=lambda one: one.spec.nodename)
        await first.channel("c").send("only")
        stream = colony.handle(first.processid).channel("c").stream()
        assert (await anext(stream)).text == "only"
        at = time.monotonic()
        if way == "cancelled":
            await colony.cancel_workflow(workflow.processgraphid)
        else:
            await theirs.colony.fail(second, ["the other one failed"])
        assert await collect(stream) == []
        assert time.monotonic() - at < 6.5
        assert stream.process.state is (ProcessState.CANCELLED if way == "cancelled" else ProcessState.FAILED)


async def test_who_reads_a_waiting_process_can_see_what_it_waits_for(make_colony_server):
    server = make_colony_server()
    async with AsyncColony(reach(server)) as colony:
        process = await colony.submit("f", channels=["c"], executortype="unknown-type")
        stream = process.channel("c").stream(idle_timeout=0.3)
        with pytest.raises(WaitTimeout, match="waits for an executor of type 'unknown-type'"):
            await anext(stream)
        assert "unknown-type" in stream.waiting_for


async def test_a_close_while_the_link_is_down_is_reported_and_not_treated_as_the_end(make_colony_server):
    server = make_colony_server()
    async with Proxy(server.port) as reading, world(server, reader_port=reading.port) as (mine, theirs):
        stream = mine.channel("c").stream()
        first = asyncio.create_task(anext(stream))
        await theirs.channel("c").send("before")
        await first
        reading.refusing = True
        reading.cut_all()
        await theirs.channel("c").send("never seen")
        await theirs.colony.close(theirs)
        reading.refusing = False
        with pytest.raises(StreamBroken, match="1 entry was delivered") as caught:
            await asyncio.wait_for(collect(stream), 15)
        assert caught.value.delivered == 1
        assert stream.state is StreamState.BROKEN


async def test_an_executor_that_lost_the_process_is_marked_and_its_successor_goes_on(make_colony_server):
    server = make_colony_server()
    async with world(server, maxexectime=1, maxretries=1) as (mine, theirs):
        stream = mine.channel("c").stream()
        await theirs.channel("c").send("from the first")
        assert not (await anext(stream)).former
        successor_key = PrivateKey.generate(random.randbytes)
        executortype = theirs.spec.conditions.executortype
        async with AsyncColony(reach(server), prvkey=successor_key) as successor:
            await successor.add_executor("successor", successor_key.id, executortype)
            await successor.approve_executor("successor")
            again = None
            while again is None:
                again = await successor.assign(5)
            with pytest.raises(ChannelClosed, match="you are neither"):
                await theirs.channel("c").send("too late")
            await again.channel("c").send("from the second")
            assert (await anext(stream)).text == "from the second"
            await again.channel("c").end()
            assert await collect(stream) == []
        late = await collect(mine.channel("c").stream(limit=2))
        assert [(entry.text, entry.former) for entry in late] == [("from the first", True), ("from the second", False)]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("count", [1500, pytest.param(10_000, marks=pytest.mark.chaos)])
async def test_a_reader_that_stalls_still_gets_everything_long_after_the_close(make_colony_server, count):
    server = make_colony_server(limits=False)
    async with world(server) as (mine, theirs):
        stream = mine.channel("c").stream()
        first = asyncio.create_task(anext(stream))
        await asyncio.sleep(0)
        payload = b"x" * 60_000
        for number in range(count):
            await theirs.channel("c").send(payload + str(number).encode())
        await first
        await theirs.colony.close(theirs)
        await mine.closed(10)
        await asyncio.sleep(1.0)
        rest = await collect(stream)
        assert [entry.payload[60_000:] for entry in rest] == [str(number).encode() for number in range(1, count)]


async def test_an_error_entry_raises_after_everything_before_it(make_colony_server):
    server = make_colony_server()
    async with world(server) as (mine, theirs):
        await theirs.channel("c").send("before")
        await theirs.channel("c").error("it went wrong")
        await theirs.channel("c").send("after")
        stream = mine.channel("c").stream()
        assert (await anext(stream)).text == "before"
        with pytest.raises(StreamError, match="it went wrong"):
            await anext(stream)
        handed_over = mine.channel("c").stream(errors="yield", limit=3)
        assert [entry.type for entry in await collect(handed_over)] == ["data", "error", "data"]


async def test_timeouts_name_themselves(make_colony_server):
    server = make_colony_server()
    async with world(server) as (mine, theirs):
        with pytest.raises(WaitTimeout, match="an entry on"):
            await collect(mine.channel("c").stream(idle_timeout=0.2))
        await theirs.channel("c").send("one")
        with pytest.raises(WaitTimeout, match="the end of"):
            await collect(mine.channel("c").stream(timeout=0.3))
