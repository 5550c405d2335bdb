"""A stream that is read to its end: a list that converts to tables, and gaps in the numbering of a sender."""

from __future__ import annotations

import asyncio

import pytest
from short_processes import RecordingView

from colony_jupyter.errors import StreamError, UsageError
from colony_jupyter.notebook.actions.process_feed import ProcessFeed


async def test_its_entries_are_a_table(running):
    async with running() as (mine, theirs):
        reading = asyncio.create_task(mine.channel("c").stream(timeout=20).read())
        for step in range(3):
            await theirs.channel("c").send({"step": step, "loss": 1 / (step + 1)})
        await theirs.channel("c").end()
        frame = (await reading).to_pandas()
        assert list(frame["step"]) == [0, 1, 2]
        assert (await mine.channel("c").read()).to_dicts()[1]["loss"] == 0.5


async def test_entries_that_arrived_together_are_handed_out_one_by_one(running):
    """They are consumed at once, and whatever the consumer does next begins with the first it has not received."""
    async with running() as (mine, theirs):
        for number in range(6):
            await theirs.channel("c").send(str(number))
        stream = mine.channel("c").stream(timeout=20)
        async for entry in stream:
            if entry.text == "1":
                break
        found = stream.statistics()
        assert (found.delivered, found.waiting) == (2, 4)
        assert (await anext(stream)).text == "2"
        assert [entry.text for entry in await stream.batch()] == ["3", "4", "5"]
        await stream.aclose()
        with pytest.raises(UsageError, match="is closed"):
            await anext(stream)


async def test_a_stream_that_is_closed_hands_out_nothing_more(running):
    async with running() as (mine, theirs):
        await theirs.channel("c").send("one")
        await theirs.channel("c").send("two")
        stream = mine.channel("c").stream(timeout=20)
        assert (await anext(stream)).text == "one"
        await stream.aclose()
        with pytest.raises(UsageError, match="is closed"):
            await anext(stream)


async def test_large_entries_are_consumed_a_few_at_a_time(running):
    """The rest may wait in a file, and would all be in memory."""
    async with running() as (mine, theirs):
        for number in range(4):
            await theirs.channel("c").send(bytes([number]) * (3 << 20))
        stream = mine.channel("c").stream(timeout=20, limit=4)
        assert [len(await stream.batch()) for _ in range(2)] == [2, 2]
        assert await stream.batch() == []


async def test_an_error_of_the_other_party_is_raised(running):
    async with running() as (mine, theirs):
        await theirs.channel("c").send("one")
        await theirs.channel("c").error("no luck")
        with pytest.raises(StreamError, match="no luck"):
            await mine.channel("c").stream(timeout=20).read()


async def test_a_gap_in_the_numbering_of_a_sender_is_reported(running, caplog):
    async with running() as (mine, theirs):
        view = RecordingView()
        follower = ProcessFeed(mine, ["c"])
        follower.turn_to(view)
        follower.start()
        stream = mine.channel("c").stream(timeout=20)
        for sequence in (2, 4, 6, 10, 12):
            await theirs.colony.channel_append(theirs, "c", sequence, b"x")
        await theirs.colony.channel_append(theirs, "c", 14, b"", "end")
        assert len(await stream.read()) == 5
        assert stream.statistics().missing == 1
        assert "1 numbers of senders are missing" in caplog.text
        await theirs.colony.close(theirs)
        await follower.wait()
        assert any("On channel 'c' 1 number is missing in the numbering of a sender" in note for note in view.notes)
