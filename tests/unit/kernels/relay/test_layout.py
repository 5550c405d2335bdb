"""The channels of a kernel's process, and when they are full."""

from __future__ import annotations

import pytest

from colony_jupyter.kernels.relay.layout import CHANNELS, Limits, Occupancy, channel_number, out_channel, out_number


def test_each_channel_has_a_number_of_its_own():
    assert len({channel_number(name) for name in ("ctl", "in", "out.0", "out.1", "out.11")}) == 5
    with pytest.raises(ValueError, match="no channel"):
        channel_number("chat")


def test_a_channel_that_none_follows_is_under_pressure_when_it_fills():
    occupancy = Occupancy(Limits(entries=10, channels=3))
    for channel in ("out.1", "out.2", "in"):
        for _ in range(5):
            occupancy.note(channel, 1)
    assert [occupancy.pressure(name) for name in ("out.1", "out.2", "in", "ctl")] == [0.0, 0.5, 0.5, 0.0]


def test_names_and_numbers_of_output_channels_belong_together():
    assert [out_number(out_channel(number)) for number in range(12)] == list(range(12))
    assert [out_number(name) for name in ("ctl", "in", "out.", "out.x", "out.-1", "out.²", "1")] == [None] * 7
    assert CHANNELS[:3] == ["ctl", "in", "out.0"]
    assert len({channel_number(name) for name in CHANNELS}) == len(CHANNELS)


@pytest.mark.parametrize(
    ("notes", "is_needed"),
    [
        ([("out.0", 1)] * 9, False),
        ([("ctl", 1)] * 10, True),
        ([("in", 1)] * 10, True),
        ([("out.0", 50), ("in", 50)], True),
        ([("out.1", 1)], False),
        ([("out.2", 1)], True),  # three channels before the last one
    ],
)
def test_another_process_is_needed_before_this_one_is_full(notes, is_needed):
    occupancy = Occupancy(Limits(entries=10, size=100, channels=5))
    for channel, size in notes:
        occupancy.note(channel, size)
    assert occupancy.needs_successor is is_needed
    assert occupancy.entries == len(notes)


def test_a_full_channel_takes_no_more():
    occupancy = Occupancy(Limits(entries=2))
    assert occupancy.fill("out.0") == 0.0
    for expected in (False, True):
        occupancy.note("out.0", 1)
        assert occupancy.is_full("out.0") is expected
    assert not occupancy.is_full("out.1")
