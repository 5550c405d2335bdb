"""How many entries printed text gets, whenever a program prints."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from colony_jupyter.kernels.relay.pacing import Pace

PRINTS = st.tuples(st.integers(1, 400), st.floats(0, 2))
"""A number of prints, and the seconds before each."""


@given(st.lists(PRINTS, max_size=5))
def test_printed_text_gets_a_burst_and_five_entries_a_second(series):
    pace = Pace(0.0)
    now, entries = 0.0, 0
    for count, wait in series:
        for _ in range(count):
            now += wait
            entries += 1
            assert entries <= 151 + 5 * now
            now += pace.text_gap(now)
