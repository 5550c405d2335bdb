"""Counts of a stream, on a simulated server."""

from __future__ import annotations

import asyncio

import pytest
import virtual_time
from simulated_colony import THEM, SimulatedColony

from colony_jupyter.channels.statistics import lag
from colony_jupyter.client.streams.stream import AsyncStream


def test_what_was_delivered_waits_came_again_and_was_resumed_is_counted():
    async def scenario():
        server = SimulatedColony()
        stream = AsyncStream(server.session().subscription("c"))
        for number in range(3):
            server.append(THEM, str(number))
        await stream.listening()
        assert (await anext(stream)).text == "0"
        server.cut()
        await asyncio.sleep(1.0)
        counts = stream.statistics()
        assert (counts.delivered, counts.waiting, counts.resumes, counts.missing) == (1, 2, 1, 0)
        assert counts.repeats > 0, "a new connection begins one entry back"
        assert counts.lag is not None
        await stream.aclose()

    virtual_time.run(scenario())


def test_there_is_no_lag_before_the_first_entry():
    async def scenario():
        stream = AsyncStream(SimulatedColony().session().subscription("c"))
        assert stream.statistics().lag is None
        await stream.aclose()

    virtual_time.run(scenario())


@pytest.mark.parametrize(
    ("timestamp", "seconds"), [("1970-01-01T00:01:00.5Z", 1.5), ("0001-01-01T00:00:00Z", None), ("", None), ("x", None)]
)
def test_the_lag_is_that_of_entries_with_a_time(timestamp, seconds):
    assert lag(timestamp, 62.0) == seconds
