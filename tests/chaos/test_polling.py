"""Streams, questions and results behind a gateway that refuses WebSockets, and while it begins and ceases to."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest
from gateway import Fault, Gateway
from parties import collect, world

from colony_jupyter import StreamBroken
from colony_jupyter.errors import ChannelClosed
from colony_jupyter.wire.models import ProcessState

REFUSAL = Fault(403)


@pytest.fixture
async def gateway(colony_server):
    async with Gateway(colony_server.port) as gateway:
        gateway.upgrade_refusal = REFUSAL
        yield gateway


async def condition(true) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.02)


async def test_everything_arrives_once_and_in_order_and_the_end_is_seen(colony_server, gateway):
    async with world(colony_server, reader_port=gateway.port) as (process, assigned):
        stream = process.channel("c").stream(timeout=60)
        reading = asyncio.create_task(collect(stream))
        for number in range(200):
            await assigned.channel("c").send(str(number))
            await asyncio.sleep(0.005)
        await assigned.channel("c").end()
        ended = time.monotonic()
        assert [entry.text for entry in await reading] == [str(number) for number in range(200)]
        assert time.monotonic() - ended < 5
        assert f"WebSocket refused by 127.0.0.1:{gateway.port} (403)" in stream.polling
        await assigned.colony.close(assigned, ["done"])
        assert await process.result(5) == "done"


async def test_it_returns_to_a_websocket_when_that_works_again(colony_server, gateway):
    async with world(colony_server, reader_port=gateway.port) as (process, assigned):
        async with process.channel("c").stream(timeout=60) as stream:
            await assigned.channel("c").send("polled")
            assert (await anext(stream)).text == "polled"
            await condition(lambda: stream.polling)
            gateway.upgrade_refusal = None
            await condition(lambda: not stream.polling)
            reads = gateway.count("channelreadmsg")
            sent = time.monotonic()
            await assigned.channel("c").send("pushed")
            assert (await anext(stream)).text == "pushed"
            assert time.monotonic() - sent < 0.2
            assert gateway.count("channelreadmsg") == reads
        await assigned.colony.close(assigned)


async def test_a_gateway_that_begins_to_refuse_websockets_during_a_stream(colony_server, gateway):
    gateway.upgrade_refusal = None
    async with world(colony_server, reader_port=gateway.port) as (process, assigned):
        stream = process.channel("c").stream(timeout=60)
        reading = asyncio.create_task(collect(stream))
        for number in range(60):
            if number == 20:
                gateway.upgrade_refusal = REFUSAL
                gateway.cut_tunnels()
            await assigned.channel("c").send(str(number))
            await asyncio.sleep(0.02)
        await assigned.channel("c").end()
        assert [entry.text for entry in await reading] == [str(number) for number in range(60)]
        assert stream.polling
        await assigned.colony.close(assigned)


async def test_a_close_without_an_end_states_that_entries_may_be_missing(colony_server, gateway):
    async with world(colony_server, reader_port=gateway.port) as (process, assigned):
        stream = process.channel("c").stream(timeout=60)
        reading = asyncio.create_task(collect(stream))
        await assigned.channel("c").send("one")
        await condition(lambda: stream.statistics().delivered)
        await assigned.colony.close(assigned, ["done"])
        closed = time.monotonic()
        with pytest.raises(
            StreamBroken, match=r"WebSocket refused by 127.*\(403\), so that the log was polled.*'sync'"
        ):
            await reading
        assert time.monotonic() - closed < 5
        assert stream.process.state is ProcessState.SUCCESS


async def test_questions_are_answered_and_states_known(colony_server, gateway):
    async with world(colony_server, reader_port=gateway.port) as (process, assigned):

        async def answer() -> None:
            async for entry in assigned.channel("c").stream():
                if entry.senderid == assigned.initiatorid:
                    await assigned.channel("c").send(f"re {entry.text}", inreplyto=entry.sequence)

        answering = asyncio.create_task(answer())
        for number in range(4):
            assert (await process.channel("c").ask(str(number), timeout=10)).text == f"re {number}"
        waiting = asyncio.create_task(process.channel("c").ask("the last", timeout=20))
        await asyncio.sleep(1)
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
        await assigned.colony.close(assigned, ["done"])
        with contextlib.suppress(ChannelClosed, StreamBroken):
            assert (await waiting).text == "re the last"
        assert await process.result(5) == "done"


async def test_a_hundred_streams_poll_within_what_a_server_answers(colony_server, gateway):
    names = tuple(f"c{number}" for number in range(100))
    async with world(colony_server, reader_port=gateway.port, channels=names) as (process, assigned):
        streams = [process.channel(name).stream(timeout=120) for name in names]
        reading = [asyncio.create_task(collect(stream)) for stream in streams]
        await condition(lambda: all(stream.polling for stream in streams))
        await asyncio.sleep(4)
        before, begun = gateway.count("channelreadmsg"), time.monotonic()
        await asyncio.sleep(3)
        rate = (gateway.count("channelreadmsg") - before) / (time.monotonic() - begun)
        assert 25 < rate < 75  # one read in 2 s each
        for name in names:
            await assigned.channel(name).send("x")
        sent = time.monotonic()
        await condition(lambda: all(stream.statistics().delivered for stream in streams))
        assert time.monotonic() - sent < 5
        for name in names:
            await assigned.channel(name).end()
        assert [[entry.text for entry in await task] for task in reading] == [["x"]] * 100
        await assigned.colony.close(assigned)


async def test_streams_and_watchers_wait_as_long_as_a_gateway_asks(colony_server, gateway):
    gateway.upgrade_refusal = None
    async with world(colony_server, reader_port=gateway.port) as (process, assigned):
        stream = process.channel("c").stream(timeout=60)
        reading = asyncio.create_task(collect(stream))
        await assigned.channel("c").send("before")
        await condition(lambda: stream.statistics().delivered)
        gateway.outage = gateway.upgrade_refusal = Fault(503, headers={"retry-after": "4"})
        gateway.cut_tunnels()
        await asyncio.sleep(1)
        before = len(gateway.calls), gateway.upgrades
        await asyncio.sleep(2)
        assert (len(gateway.calls), gateway.upgrades) == before
        gateway.outage = gateway.upgrade_refusal = None
        await assigned.channel("c").send("after")
        await assigned.channel("c").end()
        assert [entry.text for entry in await reading] == ["before", "after"]
        await assigned.colony.close(assigned)
