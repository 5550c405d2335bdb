"""What only a real server shows: silence, its limit, its ways of closing, over minutes."""

from __future__ import annotations

import asyncio
import random
import time

import pytest

from colony_jupyter import AsyncColony
from colony_jupyter.channels.effects import StreamState
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import ProcessState

pytestmark = pytest.mark.live


@pytest.fixture
async def parties():
    """Return a user and an executor of a type of its own, both connected."""
    key = PrivateKey.generate(random.randbytes)
    name = f"live-{key.id[:12]}-x"
    async with AsyncColony() as user, AsyncColony(prvkey=key) as executor:
        await user.add_executor(name, key.id, name)
        await user.approve_executor(name)
        yield user, executor, name
        await user.remove_executor(name)


async def start(parties, **options):
    user, executor, executortype = parties
    process = await user.submit("work", channels=["c"], executortype=executortype, **options)
    assigned = await executor.assign(10)
    assert assigned is not None
    return process, assigned


@pytest.mark.timeout(300)
async def test_an_idle_stream_lives_for_minutes_and_loses_nothing(parties):
    process, assigned = await start(parties)
    stream = process.channel("c").stream()
    came = []

    async def read():
        async for entry in stream:
            came.append((entry.text, time.monotonic()))  # noqa: PERF401 - looked at while it grows

    reader = asyncio.create_task(read())
    for number in range(4):
        at = time.monotonic()
        await assigned.channel("c").send(str(number))
        while len(came) <= number:  # noqa: ASYNC110 - the lag is what is measured
            await asyncio.sleep(0.01)
        assert came[number][1] - at < 1.0
        await asyncio.sleep(35)
    await assigned.channel("c").end()
    await reader
    assert [text for text, _ in came] == ["0", "1", "2", "3"]
    assert stream.statistics().resumes == 0
    await assigned.colony.close(assigned)


async def test_a_close_without_an_end_entry_ends_the_stream_within_a_second(parties):
    process, assigned = await start(parties)
    stream = process.channel("c").stream()

    async def read():
        return [entry.text async for entry in stream]

    reader = asyncio.create_task(read())
    for number in range(20):
        await assigned.channel("c").send(str(number))
    await assigned.colony.close(assigned, ["done"])
    at = time.monotonic()
    assert await reader == [str(number) for number in range(20)]
    assert time.monotonic() - at < 1.0
    assert stream.state is StreamState.ENDED
    assert stream.process is not None
    assert stream.process.state is ProcessState.SUCCESS
    assert await process.result(5) == "done"


async def test_more_than_the_rate_allows_goes_through_and_in_order(parties):
    process, assigned = await start(parties)

    async def read():
        return [int(entry.text) async for entry in process.channel("c")]

    reader = asyncio.create_task(read())
    channel = assigned.channel("c")
    for number in range(900):
        await channel.send(str(number))
    await channel.end()
    assert await reader == list(range(900))
    await assigned.colony.close(assigned)


async def test_two_thousand_pieces_a_second_lag_little(parties):
    process, assigned = await start(parties)
    lags = []

    async def read():
        async for entry in process.channel("c"):
            now = time.monotonic()
            lags.extend(now - float(piece) for piece in entry.text.split())

    reader = asyncio.create_task(read())
    channel = assigned.channel("c")
    begun = time.monotonic()
    for number in range(4000):
        await channel.write(f"{time.monotonic()} ")
        ahead = begun + number / 2000 - time.monotonic()
        if ahead > 0:
            await asyncio.sleep(ahead)
    await channel.flush()
    await channel.end()
    await reader
    assert len(lags) == 4000
    assert sorted(lags)[int(len(lags) * 0.99)] < 0.3
    await assigned.colony.close(assigned)
