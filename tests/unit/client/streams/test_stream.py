"""A stream that is read to its end: a list that converts to tables, and gaps in the numbering of a sender."""

from __future__ import annotations

import asyncio

import pytest
from short_processes import RecordingView

from colony_jupyter.errors import StreamError
from colony_jupyter.notebook.actions.process_feed import Follower


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


async def test_a_gap_in_the_numbering_of_a_sender_is_reported(running, caplog):
    async with running() as (mine, theirs):
        view, notes = RecordingView(), []
        view.note = notes.append
        follower = Follower(mine, ["c"])
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
        assert any("On channel 'c' 1 number is missing in the numbering of a sender" in note for note in notes)
