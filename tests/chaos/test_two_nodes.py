"""A cluster of two nodes, where a channel lives on one: what cannot be received is reported, with what to do."""

from __future__ import annotations

import asyncio

import pytest
from follower_node import FollowerNode
from parties import collect, reach, world

from colony_jupyter import AsyncColony, StreamBroken
from colony_jupyter.channels.effects import StreamState
from colony_jupyter.errors import ChannelClosed

SAME_NODE = "connect the submitter and the executor to the same node"


@pytest.fixture
async def follower(colony_server):
    async with AsyncColony(reach(colony_server)) as colony:
        await colony.connect()
        async with FollowerNode(colony_server.port, [colony.userid]) as node:
            yield node


@pytest.mark.parametrize("has_failed", [False, True])
async def test_a_stream_on_the_other_node_is_broken_and_names_the_remedy(colony_server, follower, has_failed):
    async with world(colony_server, reader_port=follower.port) as (process, assigned):
        stream = process.channel("c").stream(timeout=30)
        reading = asyncio.create_task(collect(stream))
        await process.channel("c").send("lost")
        await assigned.channel("c").send("lost, too")
        await assigned.channel("c").end()
        if has_failed:
            await assigned.colony.fail(assigned, ["no luck"])
        else:
            await assigned.colony.close(assigned, ["done"])
        with pytest.raises(StreamBroken, match=SAME_NODE):
            await reading
        assert stream.state is StreamState.BROKEN


async def test_a_question_on_the_other_node_is_not_waited_for_for_ever(colony_server, follower):
    async with world(colony_server, reader_port=follower.port) as (process, assigned):
        asking = asyncio.create_task(process.channel("c").ask("well?", timeout=30))
        while not follower.logs.get((process.processid, "c")):  # noqa: ASYNC110 - the node has no event
            await asyncio.sleep(0.02)
        await assigned.colony.close(assigned)
        with pytest.raises(StreamBroken, match=f"The message was sent on channel 'c', but no answer.*{SAME_NODE}"):
            await asking


async def test_an_executor_on_a_node_that_does_not_know_it_gets_an_error_that_states_it(colony_server, follower):
    async with world(colony_server, writer_port=follower.port) as (_, assigned):
        with pytest.raises(
            ChannelClosed, match=f"the server refuses the executor that the process is assigned to.*{SAME_NODE}"
        ):
            await assigned.channel("c").send("x")
        await assigned.colony.close(assigned)


async def test_a_process_that_sends_nothing_ends_its_streams_as_before(colony_server):
    async with world(colony_server) as (process, assigned):
        reading = asyncio.create_task(collect(process.channel("c").stream(timeout=30)))
        await asyncio.sleep(0.2)
        await assigned.colony.close(assigned)
        assert await reading == []
