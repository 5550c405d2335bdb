"""Streams, their consumers and a simulated server: whatever happens in whatever order, no entry is lost or repeated."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest
import virtual_time
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_colony import ME, THEM, SimulatedColony

from colony_jupyter.client.stream import AsyncStream
from colony_jupyter.errors import UsageError

gaps = st.sampled_from((0.0, 0.0, 0.001, 0.05, 0.3, 2.0, 8.0, 30.0))
happenings = st.lists(
    st.tuples(
        gaps,
        st.sampled_from(
            ("append", "append", "append", "append other", "burst", "cut", "outage", "end windows", "slow")
        ),
    ),
    max_size=25,
)
waits = st.lists(
    st.tuples(
        st.sampled_from(("wait", "wait", "wait for a batch", "loop", "intrude", "pause")),
        st.sampled_from((0.0, 0.0005, 0.002, 0.1, 1.0, 20.0)),
        st.integers(1, 3),
    ),
    max_size=25,
)
seeds = st.integers(0, 1000)


class Scene:
    """A server to which things happen, and the entries that were appended."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        self.slowness = 0.002
        self.colony = SimulatedColony(lambda: chance.uniform(0.0, self.slowness))
        self.texts: list[str] = []
        self.session = self.colony.session()

    def append(self, owner: str = THEM) -> None:
        self.texts.append(f"entry {len(self.texts)}")
        self.colony.append(owner, self.texts[-1])

    async def play(self, plan) -> None:
        for gap, happening in plan:
            await asyncio.sleep(gap)
            await self.happen(happening)

    async def happen(self, happening: str) -> None:
        match happening:
            case "append":
                self.append()
            case "append other":
                self.append(ME)
            case "burst":
                for _ in range(7):
                    self.append()
            case "cut":
                self.colony.cut()
            case "outage":
                self.colony.is_down = True
                self.colony.cut()
                await asyncio.sleep(3)
                self.colony.is_down = False
            case "end windows":
                self.colony.end_windows()
            case "slow":
                self.slowness = 0.3 if self.slowness < 0.1 else 0.002

    def stream(self, *, to_end: bool = True, **options) -> AsyncStream:
        subscription = self.session.subscription("c", to_end=to_end, survives_loss="on_loss" in options)
        return AsyncStream(subscription, everything=not to_end, **options)


async def consume(stream: AsyncStream, plan, received: list[str]) -> None:
    """Wait for entries in every way a program does, each time in another task; then read to the end."""
    for way, seconds, count in plan:
        if way == "pause":
            await asyncio.sleep(seconds)
        else:
            await asyncio.create_task(wait(stream, way, seconds, count, received))
    received += [entry.text async for entry in stream]


async def wait(stream: AsyncStream, way: str, seconds: float, count: int, received: list[str]) -> None:
    async def loop() -> None:
        left = count
        async for entry in stream:
            received.append(entry.text)
            left -= 1
            if not left:
                break

    with contextlib.suppress(TimeoutError, StopAsyncIteration):
        if way == "wait":
            received.append((await asyncio.wait_for(anext(stream), seconds)).text)
        elif way == "wait for a batch":
            received += [entry.text for entry in await asyncio.wait_for(stream.batch(), seconds)]
        elif way == "loop":
            async with asyncio.timeout(seconds):
                await loop()
        elif way == "intrude":
            first = asyncio.create_task(anext(stream, None))
            await asyncio.sleep(0)
            if not first.done():
                with pytest.raises(UsageError, match="Two tasks read from one stream"):
                    await anext(stream)
            await asyncio.wait([first], timeout=seconds)
            first.cancel()
            (entry,) = await asyncio.gather(first, return_exceptions=True)
            if entry is not None and not isinstance(entry, asyncio.CancelledError):
                received.append(entry.text)


@settings(max_examples=300)
@given(happenings, waits, seeds)
def test_every_entry_is_delivered_once_and_in_order_however_it_is_waited_for(happenings, waits, seed):
    async def scenario() -> None:
        scene = Scene(seed)
        received: list[str] = []
        async with scene.stream() as stream:
            consuming = asyncio.create_task(consume(stream, waits, received))
            await scene.play(happenings)
            scene.colony.append(THEM, "", kind="end")
            async with asyncio.timeout(600):
                await consuming
        assert received == scene.texts

    virtual_time.run(scenario())
