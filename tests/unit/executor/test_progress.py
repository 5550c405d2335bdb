"""Progress is sent often enough to be seen and seldom enough to fit a channel."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest
from tqdm import tqdm

from colony_jupyter.executor.progress import Tally, choose_channel, length


@pytest.mark.parametrize(
    ("declared", "chosen"),
    [
        ([], None),
        (["progress"], "progress"),
        (["output", "progress"], "progress"),
        (["output"], "output"),
        (["output", "sync"], "output"),
        (["sync"], None),
        (["output", "chat"], None),
    ],
)
def test_the_channel(declared, chosen):
    assert choose_channel(declared) == chosen


def test_the_first_and_the_last_are_reported_and_what_is_too_fast_is_not():
    tally = Tally(100)
    sent = [tally.due(0.0)]
    for step in range(1, 101):
        tally.step(1, None)
        sent.append(tally.due(step * 0.01))
    entries = [each for each in sent if each]
    assert entries[0] == {"current": 0, "total": 100, "message": ""}
    assert entries[-1] == {"current": 100, "total": 100, "message": ""}
    assert 8 <= len(entries) <= 12


def test_nothing_is_reported_twice():
    tally = Tally(1)
    assert tally.due(0.0)
    assert tally.due(10.0) is None
    tally.step(1, "done")
    assert tally.due(10.0) == {"current": 1, "total": 1, "message": "done"}
    assert tally.due(20.0, last=True) is None


def test_an_unknown_total_is_omitted_and_the_last_count_reported():
    tally = Tally(None)
    assert tally.due(0.0) == {"current": 0, "message": ""}
    tally.step(5, "x")
    assert tally.due(0.01) is None
    assert tally.due(0.01, last=True) == {"current": 5, "message": "x"}


def test_days_of_work_fit_a_channel():
    tally = Tally(10**9)
    sent = 0
    ticks = itertools.chain(range(20_000), range(20_000, 2_000_000, 10))  # more than two days, by tenths of a second
    for tick in ticks:
        tally.step(1, None)
        sent += tally.due(tick * 0.1) is not None
    assert 1_000 < sent < 5_000


@pytest.mark.parametrize(
    ("steps", "total"), [(3, 3), (2.5, 2.5), ([1, 2], 2), (range(7), 7), ((x for x in "ab"), None), (iter([1, 2]), 2)]
)
def test_length(steps, total):
    assert length(steps) == total


@pytest.fixture(autouse=True)
def no_monitor(monkeypatch):
    monkeypatch.setattr(tqdm, "monitor_interval", 0)  # a thread of tqdm, which stays


@pytest.mark.parametrize("kind", ["async", "plain"])
def test_a_bar_of_tqdm_is_reported(make_executor, submit, kind):
    def work(context):
        for _ in tqdm(range(50), mininterval=0, desc="train"):
            time.sleep(0.02)

    async def async_work(context):
        for _ in tqdm(range(50), mininterval=0, desc="train"):
            await asyncio.sleep(0.02)

    executor = make_executor()
    executor.function("work")(async_work if kind == "async" else work)
    executor.start()
    frames = [entry.text for entry in submit("work", channels=["progress", "sync"]).channel("progress")]
    assert 3 <= len(frames) <= 10
    assert all(frame.startswith("\rtrain:") for frame in frames)
    assert "100%|" in frames[-1]
    assert "50/50" in frames[-1]


def test_a_bar_is_not_mixed_with_what_the_function_sends(make_executor, submit):
    def work(context):
        context.channel("progress").send("1/2")
        for _ in tqdm(range(50), mininterval=0):
            time.sleep(0.01)

    executor = make_executor()
    executor.function("work")(work)
    executor.start()
    assert [entry.text for entry in submit("work", channels=["progress", "sync"]).channel("progress")] == ["1/2"]


def test_without_the_channel_a_bar_is_in_the_log_only(make_executor, submit):
    def work(context):
        for _ in tqdm(range(5), mininterval=0):
            time.sleep(0.01)

    executor = make_executor()
    executor.function("work")(work)
    executor.start()
    process = submit("work", channels=["output", "sync"])
    assert list(process.channel("output")) == []
    assert process.result(timeout=10) is None
