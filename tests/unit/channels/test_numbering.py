"""What counts as a gap in a sender's numbering."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony_jupyter.channels.numbering import Numbering
from colony_jupyter.wire.models import Entry


def missing(*sequences: int, sender: str = "a") -> int:
    numbering = Numbering()
    numbering.note(Entry(sequence=sequence, senderid=sender) for sequence in sequences)
    return numbering.missing()


@pytest.mark.parametrize(
    ("sequences", "expected"),
    [
        ((), 0),
        ((1, 9), 0),  # no rule can be seen in two
        ((1, 2, 3), 0),
        ((2, 4, 6, 10), 1),
        ((1, 2, 5, 6, 7), 2),
        ((5, 6, 7, 8), 0),  # the log may have begun earlier
        ((1, 3, 5, 2), 0),  # no rule
        ((1, 1, 1, 1), 0),
        ((3, 2, 1), 0),
        ((0, 10, 11, 500), 0),  # more would be missing than there is
        ((-4, -2, 0, 4), 1),
    ],
)
def test_gaps(sequences, expected):
    assert missing(*sequences) == expected


def test_each_sender_has_a_numbering_of_its_own():
    numbering = Numbering()
    for sequence in (1, 3, 5, 9):
        numbering.note([Entry(sequence=sequence, senderid="a"), Entry(sequence=sequence + 1, senderid="b")])
    assert numbering.missing() == 2


@given(st.integers(-1000, 1000), st.integers(1, 5), st.integers(3, 60), st.integers(0, 1000))
def test_a_regular_numbering_has_no_gap_in_whatever_order_it_arrives(first, step, count, seed):
    sequences = [first + step * number for number in range(count)]
    assert missing(*sequences) == 0
    random.Random(seed).shuffle(sequences)
    assert missing(*sequences) == 0


@given(st.integers(1, 5), st.integers(6, 60), st.data())
def test_entries_that_are_dropped_are_counted(step, count, data):
    dropped = data.draw(st.sets(st.integers(2, count - 2), min_size=1, max_size=count // 3))
    assert missing(*(step * number for number in range(count) if number not in dropped)) == len(dropped)
