"""Streams, their consumers and a simulated server: whatever happens in whatever order, no entry is lost or repeated."""

from __future__ import annotations

import asyncio
import contextlib
import random
from functools import partial

import pytest
import virtual_time
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_colony import ME, PID, THEM, SimulatedColony

from colony_jupyter.client.channel import AsyncChannel
from colony_jupyter.client.streams.request_reply import RequestReply
from colony_jupyter.client.streams.stream import AsyncStream
from colony_jupyter.errors import StreamBroken, StreamError, UsageError, WaitTimeout
from colony_jupyter.wire import messages

gaps = st.sampled_from((0.0, 0.0, 0.001, 0.05, 0.3, 2.0, 8.0, 30.0))
happenings = st.lists(
    st.tuples(
        gaps,
        st.sampled_from(
            (
                "append",
                "append",
                "append",
                "append other",
                "burst",
                "cut",
                "outage",
                "end windows",
                "slow",
                "refuse sockets",
                "outage of a minute",
            )
        ),
    ),
    max_size=25,
)
waits = st.lists(
    st.tuples(
        st.sampled_from(("wait", "wait", "wait for a batch", "wait for all", "loop", "intrude", "pause")),
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
            case "outage" | "outage of a minute":
                self.colony.is_down = True
                self.colony.cut()
                await asyncio.sleep(3 if happening == "outage" else 60)
                self.colony.is_down = False
            case "end windows":
                self.colony.end_windows()
            case "refuse sockets":
                self.colony.refuses_sockets = not self.colony.refuses_sockets
                self.colony.cut()
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


LISTS = {"wait for a batch": AsyncStream.batch, "wait for all": AsyncStream.read}


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
        elif way in LISTS:
            received += [entry.text for entry in await asyncio.wait_for(LISTS[way](stream), seconds)]
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
            if entry is not None and not isinstance(entry, BaseException):
                received.append(entry.text)


@settings(max_examples=examples(100))
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


@settings(max_examples=examples(60))
@given(happenings, st.lists(gaps, max_size=40), st.integers(1, 40), seeds)
def test_an_asynchronous_callback_is_awaited_one_call_after_another(happenings, pauses, stop_after, seed):
    async def scenario() -> None:
        scene = Scene(seed)
        received: list[str] = []
        left = list(pauses)
        is_running = False

        async def callback(entries) -> bool:
            nonlocal is_running
            assert not is_running
            assert len(received) < stop_after
            is_running = True
            await asyncio.sleep(left.pop() if left else 0.0)
            received.extend(entry.text for entry in entries)
            is_running = False
            return len(received) < stop_after

        timeout = 300 + sum(gap + 60 * (happening == "outage of a minute") for gap, happening in happenings)
        reading = asyncio.create_task(AsyncChannel(lambda: scene.session, "c").subscribe(callback, timeout=timeout))
        await scene.play(happenings)
        await reading
        assert received == scene.texts[: len(received)]
        assert len(received) >= min(stop_after, len(scene.texts))
        assert not is_running

    virtual_time.run(scenario())


questions = st.lists(st.tuples(gaps, st.sampled_from((None, None, 0.001, 0.3))), min_size=1, max_size=6)


class Answerer:
    """The other party: answers each question after a while, out of order."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self._scene = scene
        self._chance = random.Random(seed)

    async def send(self, question: str) -> int:
        colony = self._scene.colony
        while colony.is_down:  # noqa: ASYNC110 - the simulated server has no event for it
            await asyncio.sleep(0.5)
        await asyncio.sleep(colony.latency())
        entry = colony.append(ME, question)
        asyncio.get_running_loop().call_later(self._chance.choice((0.0, 0.001, 2.0)), self._answer, entry)
        await asyncio.sleep(colony.latency())
        return entry.sequence

    def _answer(self, question) -> None:
        kind = "error" if self._chance.random() < 0.2 else "data"
        self._scene.colony.append(THEM, f"re {question.text}", kind=kind, inreplyto=question.sequence)


async def open_and_close(scene: Scene, streams) -> None:
    for pause, hold in streams:
        await asyncio.sleep(pause)
        async with scene.stream(to_end=False, errors="yield") as opened:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(hold):
                    async for _ in opened:
                        pass


@settings(max_examples=examples(60))
@given(happenings, st.lists(questions, min_size=1, max_size=4), st.booleans(), st.lists(st.tuples(gaps, gaps)), seeds)
def test_questions_of_several_tasks_get_their_own_answers(happenings, tasks, is_calm, streams, seed):
    """While streams of the channel, whose sockets they use, are opened and closed."""

    async def scenario() -> None:
        scene = Scene(seed)
        answerer = Answerer(scene, seed)
        request_reply = RequestReply(PID, "c", ME, send=answerer.send, reading=partial(scene.session._reading, "c"))

        async def ask(task: int, plan) -> None:
            for number, (gap, timeout) in enumerate(plan):
                await asyncio.sleep(gap)
                question = f"{task}.{number}"
                try:
                    assert (await request_reply.ask(question, timeout)).text == f"re {question}"
                except StreamError as error:
                    assert error.entry.text == f"re {question}"  # noqa: PT017 - an answer may be either
                except WaitTimeout:
                    assert timeout is not None

        begun = asyncio.get_running_loop().time()
        calm = [(gap, what) for gap, what in happenings if what.startswith("append")]
        try:
            async with asyncio.timeout(600), asyncio.TaskGroup() as group:
                group.create_task(scene.play(calm if is_calm else happenings))
                group.create_task(open_and_close(scene, streams))
                for task, plan in enumerate(tasks):
                    group.create_task(ask(task, plan))
        finally:
            await request_reply.aclose()
        if is_calm and not streams:
            windows = [message for _, message in scene.colony.opened]
            reads = [message for message in scene.colony.calls if isinstance(message, messages.ChannelRead)]
            seconds = asyncio.get_running_loop().time() - begun
            assert len(windows) <= 1 + seconds / 15
            # A window or a look at the log repeats one entry, the last one that was known.
            assert scene.colony.sent <= len(scene.colony.logs["c"]) + len(windows) + len(reads)

    virtual_time.run(scenario())


@settings(max_examples=examples(100))
@given(happenings, st.lists(happenings, min_size=1, max_size=3), seeds)
def test_a_loss_of_the_log_is_reported_once_and_the_new_log_is_read_whole(first, later, seed):
    async def scenario() -> None:
        scene = Scene(seed)
        received: list[str] = []
        reported: list[int] = []
        async with scene.stream(on_loss=reported.append) as stream:

            async def read() -> None:
                async for entry in stream:
                    received.append(entry.text)  # noqa: PERF401 - read by the scene meanwhile

            reading = asyncio.create_task(read())
            await scene.play(first)
            for plan in later:
                scene.append()
                await asyncio.sleep(40)  # whatever the network does, it has arrived
                losses = len(reported)
                scene.colony.refuses_sockets = False
                scene.colony.lose_logs()
                await asyncio.sleep(40)
                assert len(reported) == losses + 1
                assert reported[-1] == len(received) == len(scene.texts)
                await scene.play(plan)
            scene.colony.append(THEM, "", kind="end")
            async with asyncio.timeout(600):
                await reading
        assert received == scene.texts
        assert len(reported) == len(later)

    virtual_time.run(scenario())


@settings(max_examples=examples(60))
@given(happenings, seeds)
def test_without_a_callback_a_loss_breaks_the_stream_with_the_number_of_entries_before(plan, seed):
    async def scenario() -> None:
        scene = Scene(seed)
        received: list[str] = []
        stream = scene.stream()

        async def read() -> None:
            async for entry in stream:
                received.append(entry.text)  # noqa: PERF401 - read by the scene meanwhile

        reading = asyncio.create_task(read())
        await scene.play(plan)
        scene.append()
        await asyncio.sleep(40)
        scene.colony.lose_logs()
        with pytest.raises(StreamBroken, match="the server lost the channel's log") as broken:
            async with asyncio.timeout(600):
                await reading
        assert broken.value.delivered == len(received) == len(scene.texts)
        assert "sync" not in str(broken.value)
        await stream.aclose()

    virtual_time.run(scenario())
