"""The number of calls that are under way at once."""

from __future__ import annotations

from colony_jupyter.client.groups.pace import Pace


def test_it_halves_when_asked_to_wait_and_grows_back():
    pace = Pace(8)
    assert (pace.width, pace.wait(0.0)) == (8, 0.0)
    pace.slow_down(0.0, 2.0)
    assert (pace.width, pace.wait(0.5)) == (4, 1.5)
    for _ in range(5):
        pace.answered()
    assert pace.width == 5  # by one a round of four
    for _ in range(40):
        pace.answered()
    assert pace.width == 8


def test_calls_that_were_refused_together_count_once():
    pace = Pace(8)
    for moment in (0.0, 0.1, 0.2):
        pace.slow_down(moment, 1.0)
    assert (pace.width, pace.wait(0.2)) == (4, 1.0)


def test_one_call_is_always_allowed():
    pace = Pace(2)
    for moment in range(10):
        pace.slow_down(moment * 10.0, 1.0)
    assert pace.width == 1
