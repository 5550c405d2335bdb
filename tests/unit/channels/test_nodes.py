"""The sentences about a channel that is on another node of the server."""

from __future__ import annotations

import asyncio

import pytest
import virtual_time
from simulated_colony import SimulatedColony

from colony_jupyter.channels.nodes import EMPTY_AFTER_END, NOT_ASSIGNED_HERE
from colony_jupyter.client.streams.stream import AsyncStream
from colony_jupyter.errors import ChannelClosed, StreamBroken
from colony_jupyter.wire.models import ProcessState

REMEDY = "connect the submitter and the executor to the same node, the leader if one is refused"


def test_an_executor_that_is_refused_learns_both_reasons_and_both_remedies():
    sentence = str(ChannelClosed("1" * 64, "out", NOT_ASSIGNED_HERE))
    assert sentence.startswith("Nothing can be sent on channel 'out': the server refuses the executor that the process")
    assert "submit the process again" in sentence
    assert sentence.endswith(f"{REMEDY}.")


def test_a_reader_that_received_nothing_learns_the_reason_and_the_remedy():
    sentence = str(StreamBroken("1" * 64, "out", 0, EMPTY_AFTER_END))
    assert sentence.startswith("The stream of channel 'out' may be incomplete: no entry of the other party arrived")
    assert f"{REMEDY}. 0 entries were delivered before." in sentence


class Node(SimulatedColony):
    """A node that keeps an empty channel although the process has ended, as one of several does."""

    def close(self, state=ProcessState.SUCCESS, **outcome):
        logs = {name: [] for name in self.logs}
        super().close(state, **outcome)
        self.logs.update(logs)


def test_a_stream_that_received_nothing_is_not_complete_where_the_channel_outlives_its_process():
    async def scenario():
        server = Node()
        stream = AsyncStream(server.session().subscription("c"))
        asyncio.get_running_loop().call_later(1.0, server.close)
        with pytest.raises(StreamBroken, match="still has an empty channel although the process has ended"):
            await stream.read()

    virtual_time.run(scenario())


def test_a_stream_that_received_nothing_ends_where_the_channel_is_gone():
    async def scenario():
        server = SimulatedColony()
        stream = AsyncStream(server.session().subscription("c"))
        asyncio.get_running_loop().call_later(1.0, server.close)
        assert list(await stream.read()) == []

    virtual_time.run(scenario())
