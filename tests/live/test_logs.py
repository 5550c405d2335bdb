"""Process logs on a real server, which reads them from its database."""

from __future__ import annotations

import asyncio
import random

import pytest

from colony_jupyter import AsyncColony, ProcessRemoved
from colony_jupyter.wire.identity import PrivateKey

pytestmark = pytest.mark.live


@pytest.fixture
async def parties():
    """Return a running process as its submitter and as its executor holds it."""
    key = PrivateKey.generate(random.randbytes)
    name = f"logs-{key.id[:12]}-x"
    async with AsyncColony() as user, AsyncColony(prvkey=key) as executor:
        await user.add_executor(name, key.id, name)
        await user.approve_executor(name)
        process = await user.submit("work", executortype=name)
        assigned = await executor.assign(10)
        assert assigned is not None
        yield process, assigned
        await user.remove_executor(name)


def texts(lines):
    return [line.message for line in lines]


async def test_lines_arrive_while_the_process_runs_and_end_with_it(parties):
    process, assigned = parties
    stream = process.log(timeout=60)
    for number in range(5):
        await assigned.colony.add_log(assigned, str(number))
        async with asyncio.timeout(3):
            assert str(await anext(stream)) == str(number)
    await assigned.colony.add_log(assigned, "last")
    await assigned.colony.close(assigned)
    assert texts(await stream.read()) == ["last"]


async def test_more_lines_than_a_reply_holds_of_several_writers_at_once(parties):
    process, assigned = parties
    stream = process.log(timeout=60)

    async def write(writer):
        for number in range(150):
            await assigned.colony.add_log(assigned, f"{writer} {number}")

    await asyncio.gather(*(write(writer) for writer in range(8)))
    await assigned.colony.close(assigned)
    got = texts(await stream.read())
    assert len(got) == 1200
    for writer in range(8):
        assert [text for text in got if text.startswith(f"{writer} ")] == [f"{writer} {n}" for n in range(150)]


async def test_the_log_goes_with_a_process_that_is_removed(parties):
    process, assigned = parties
    await assigned.colony.add_log(assigned, "one")
    await assigned.colony.close(assigned)
    stream = process.log(timeout=60)
    assert str(await anext(stream)) == "one"
    await process.colony.remove_process(process)
    with pytest.raises(ProcessRemoved):
        await stream.read()
