"""A stream that is read to its end gives a list that converts to tables."""

from __future__ import annotations

import asyncio

import pytest

from colony_jupyter.errors import StreamError


async def test_its_entries_are_a_table(running):
    async with running() as (mine, theirs):
        reading = asyncio.create_task(mine.channel("c").stream(timeout=20).read())
        for step in range(3):
            await theirs.channel("c").send({"step": step, "loss": 1 / (step + 1)})
        await theirs.channel("c").end()
        frame = (await reading).to_pandas()
        assert list(frame["step"]) == [0, 1, 2]
        assert (await mine.channel("c").read()).to_dicts()[1]["loss"] == 0.5


async def test_an_error_of_the_other_party_is_raised(running):
    async with running() as (mine, theirs):
        await theirs.channel("c").send("one")
        await theirs.channel("c").error("no luck")
        with pytest.raises(StreamError, match="no luck"):
            await mine.channel("c").stream(timeout=20).read()
