"""The log of a channel, a page at a time."""

from __future__ import annotations

import pytest

from colony_jupyter import AsyncColony
from colony_jupyter.client.streams import channel_log


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(channel_log, "PAGE", 4)


@pytest.fixture
async def full(running):
    """A process with ten entries in its channel, of both parties."""
    async with running() as (mine, theirs):
        for number in range(5):
            await mine.channel("c").send(f"mine {number}")
            await theirs.channel("c").send(f"theirs {number}")
        yield mine


@pytest.mark.parametrize(
    ("start", "limit", "sizes"),
    [(0, 0, [4, 4, 2]), (0, 8, [4, 4]), (0, 9, [4, 4, 1]), (2, 0, [4, 4, 0]), (2, 3, [3]), (9, 5, [1]), (20, 0, [0])],
)
async def test_it_is_read_in_pages(full, start, limit, sizes):
    found = [page async for page in channel_log.pages(full.colony, full.processid, "c", start, limit)]
    assert [len(page) for page in found] == sizes
    whole = await full.channel("c").read()
    stop = start + limit if limit else None
    assert [entry.text for page in found for entry in page] == [entry.text for entry in whole[start:stop]]


async def test_a_client_that_attaches_reads_every_page(full, place):
    async with AsyncColony(place) as another:
        again = await another.get_process(full.processid)
        assert await again.channel("c").send("after") == 11


async def test_a_channel_is_there_until_its_process_has_ended(running):
    async with running() as (mine, theirs):
        assert await channel_log.is_there(mine.colony, mine.processid, "c")
        assert not await channel_log.is_there(mine.colony, mine.processid, "d")
        await theirs.colony.close(theirs, [])
        assert not await channel_log.is_there(mine.colony, mine.processid, "c")
