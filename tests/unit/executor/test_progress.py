"""Progress is told often enough to be seen and seldom enough to fit a channel."""

from __future__ import annotations

import pytest

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


def test_the_first_and_the_last_are_told_and_what_is_too_fast_is_not():
    tally = Tally(100)
    told = [tally.due(0.0)]
    for step in range(1, 101):
        tally.step(1, None)
        told.append(tally.due(step * 0.01))
    entries = [each for each in told if each]
    assert entries[0] == {"current": 0, "total": 100, "message": ""}
    assert entries[-1] == {"current": 100, "total": 100, "message": ""}
    assert 8 <= len(entries) <= 12


def test_nothing_is_told_twice():
    tally = Tally(1)
    assert tally.due(0.0)
    assert tally.due(10.0) is None
    tally.step(1, "done")
    assert tally.due(10.0) == {"current": 1, "total": 1, "message": "done"}
    assert tally.due(20.0, last=True) is None


def test_an_unknown_total_is_left_out_and_the_last_count_told():
    tally = Tally(None)
    assert tally.due(0.0) == {"current": 0, "message": ""}
    tally.step(5, "x")
    assert tally.due(0.01) is None
    assert tally.due(0.01, last=True) == {"current": 5, "message": "x"}


def test_days_of_work_fit_a_channel():
    tally = Tally(10**9)
    told = 0
    for tick in range(2_000_000):  # more than two days, a step each 0.1 s
        tally.step(1, None)
        told += tally.due(tick * 0.1) is not None
    assert told < 5_000


@pytest.mark.parametrize(
    ("steps", "total"), [(3, 3), (2.5, 2.5), ([1, 2], 2), (range(7), 7), ((x for x in "ab"), None), (iter([1, 2]), 2)]
)
def test_length(steps, total):
    assert length(steps) == total
