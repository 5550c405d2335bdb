"""The end of a batch job is announced twice, before it comes."""

from __future__ import annotations

import math

import pytest

from colony_jupyter.kernels.host.wall_time import WallTime, end_of_job


@pytest.mark.parametrize(("value", "end"), [("1000", 1000.0), ("", math.inf), ("soon", math.inf), ("²", math.inf)])
def test_the_end_is_the_one_that_the_batch_system_states(value, end):
    assert end_of_job({"SLURM_JOB_END_TIME": value}) == end
    assert end_of_job({}) == math.inf


def test_it_is_announced_ten_and_two_minutes_before():
    wall_time = WallTime(10_000)
    times = range(9_000, 10_100, 10)
    said = [(now, wall_time.announcement(now, "hpc-1")) for now in times if wall_time.is_due(now)]
    assert [now for now, _ in said] == [9_400, 9_880]
    assert "'hpc-1' ends in 10 minutes" in said[0][1]
    assert "ends in 2 minutes" in said[1][1]


def test_a_cell_that_begins_late_shows_once_what_is_left():
    wall_time = WallTime(10_000)
    assert "ends in 40 seconds" in wall_time.announcement(9_960, "hpc-1")
    assert not wall_time.is_due(9_970)
    assert not WallTime(math.inf).is_due(1e12)
