"""Gaps between entries."""

from __future__ import annotations

import pytest

from colony_jupyter.kernels.relay.pacing import Pace


@pytest.mark.parametrize(("entries", "gap"), [(10, 0.0), (260, 0.025), (420, 0.040)])
def test_the_gap_grows_as_the_limit_comes_near(entries, gap):
    pace = Pace(0.0)
    for _ in range(entries):
        pace.note(0.0)
    assert pace.gap(0.0) == gap
    assert pace.gap(10.0) == 0.0


def test_a_log_that_is_half_full_is_written_to_more_slowly():
    pace = Pace(0.0)
    assert pace.gap(0.0, 0.5) == 0.0
    assert 0.1 < pace.gap(0.0, 0.75) < pace.gap(0.0, 1.0) == 0.25


def test_a_program_that_prints_without_end_gets_few_entries():
    pace = Pace(0.0)
    now, entries = 0.0, 0
    while now < 20:
        gap = pace.text_gap(now)
        assert gap in {0.0, 0.2}
        now += gap or 0.01
        entries += 1
    assert 200 < entries < 270
    assert pace.text_gap(60.0) == 0.0


def test_a_clock_that_goes_back_does_no_harm():
    pace = Pace(100.0)
    for _ in range(260):
        pace.note(50.0)
    assert pace.gap(50.0) == 0.025
    assert pace.gap(110.0) == 0.0


def test_commands_do_not_wait_for_the_pace_of_output():
    pace = Pace(0.0)
    for _ in range(420):
        pace.note(0.0)
    assert pace.gap(0.0, urgent=True) == 0.0
    assert pace.gap(0.0, 0.75, urgent=True) > 0.1
    for _ in range(40):
        pace.note(0.0)
    assert pace.gap(0.0, urgent=True) == 0.040
