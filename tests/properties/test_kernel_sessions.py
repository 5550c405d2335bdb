"""Both sides of a kernel over a server that is cut, restarted and refuses: all output arrives once, in order."""

from __future__ import annotations

import asyncio
import contextlib

import hypothesis.strategies as st
import pytest
import virtual_time
from examples import examples
from hypothesis import given, settings
from relay_scene import PROGRAM, Scene

from colony_jupyter.kernels.host import hosted
from colony_jupyter.kernels.relay.layout import Limits


def step(verb, amount, about=""):
    return st.tuples(st.just(verb), st.just(about), amount)


STEPS = st.lists(
    st.one_of(
        step("request", st.integers(1, 4)),
        step("pause", st.floats(0.01, 3.0)),
        step("cut", st.floats(0.01, 8.0), "caller"),
        step("cut", st.floats(0.01, 18.0), "executor"),
        step("cut", st.floats(0.01, 100.0), "caller executor"),
        step("restart", st.just(0)),
        step("refuse", st.booleans(), "caller"),
        step("refuse", st.booleans(), "executor"),
        step("session", st.just(0)),
        step("kill", st.floats(0.0, 5.0)),
        step("requeue", st.floats(0.0, 5.0)),
        step("absence", st.sampled_from([0.0, 4.0, 9.0])),
    ),
    max_size=14,
)
LIMITS = st.sampled_from([None, Limits(entries=12, size=6_000, channels=6, window=900)])


@pytest.fixture(autouse=True)
def program(monkeypatch):
    monkeypatch.setattr(hosted, "find_program", lambda name: PROGRAM)


class Story:
    """What happens to a scene, a step after the other."""

    def __init__(self, scene) -> None:
        self.scene = scene
        self.sent: list[bytes] = []
        self.may_be_lost: set[bytes] = set()
        self._keys = {"caller": scene.caller_key.id, "executor": scene.host_key.id}

    async def play(self, steps):
        async with asyncio.timeout(30):
            await self.scene.front.has_started.wait()
        for verb, about, amount in steps:
            await getattr(self, verb)(about, amount)

    async def request(self, _, count):
        for _ in range(count):
            self.sent.append(b"r%d" % len(self.sent))
            self.scene.front.request(self.sent[-1])

    async def pause(self, _, seconds):
        await asyncio.sleep(seconds)

    async def cut(self, sides, seconds):
        server = self.scene.server
        server.cut |= {self._keys[side] for side in sides.split()}
        await asyncio.sleep(seconds)
        server.cut.clear()
        server.change()
        await asyncio.sleep(3)  # an executor that never reaches the server counts as lost

    async def restart(self, *_):
        self.scene.server.restart()

    async def refuse(self, side, is_stored):
        self.scene.server.refusals.setdefault(self._keys[side], []).append(is_stored)

    async def session(self, *_):
        self.scene.front.link.interrupted("the test wants it")

    async def kill(self, _, seconds):
        self.may_be_lost |= set(self.sent)
        await self.scene.kill_caller(seconds)

    async def requeue(self, _, seconds):
        await self.scene.requeue(seconds)

    async def absence(self, _, seconds):
        """From now on the front end is away now and then, for so long."""
        self.scene.absence = seconds


def executed(scene):
    return [request for kernel in scene.kernels for request in kernel.executed]


def put_out(scene):
    return [text for kernel in scene.kernels for text in kernel.put_out]


@settings(max_examples=examples(60), deadline=None)
@given(STEPS, st.integers(0, 2**32), LIMITS)
def test_all_output_arrives_once_and_in_order(steps, seed, limits):
    async def work():
        async with Scene(seed, limits) as scene:
            story = Story(scene)
            await story.play(steps)
            scene.absence = 0.0

            def is_complete():
                ran, texts = executed(scene), put_out(scene)
                replies = sum(text.endswith(b" reply") for text in texts)
                are_run = set(story.sent) - story.may_be_lost <= set(ran)
                return are_run and replies == len(ran) and scene.received[-1:] == texts[-1:]

            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(3000):  # a small window is acknowledged every 10 s
                    while not is_complete():
                        assert not scene.front.running.done(), scene.front.running.exception()
                        await asyncio.sleep(0.5)
            await asyncio.sleep(5)
            ran = executed(scene)
            assert [each for each in story.sent if each in ran] == ran
            assert set(story.sent) - set(ran) <= story.may_be_lost
            assert scene.received == put_out(scene)
            assert [kernel.starts for kernel in scene.kernels if kernel.starts] == [1]

    virtual_time.run(work())
