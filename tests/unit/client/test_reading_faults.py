"""What goes wrong inside the reading of a channel reaches whoever reads."""

from __future__ import annotations

import asyncio

import pytest

from colony_jupyter import StreamBroken


class Unspeakable(str):  # a str that the encoder of messages refuses
    __slots__ = ("more",)


async def test_a_mistake_in_a_window_breaks_the_stream_instead_of_holding_it_up(running, caplog):
    async with running(channels=["c"]) as (mine, theirs):
        await theirs.channel("c").send("there is something")
        stream = mine.channel(Unspeakable("c")).stream()
        async with asyncio.timeout(5):
            with pytest.raises(StreamBroken, match=r"reading it went wrong \(TypeError") as caught:
                await anext(stream)
        await stream.aclose()
        assert caught.value.delivered == 0
    assert "cannot be read on" in caplog.text
