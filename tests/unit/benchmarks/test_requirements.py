"""The table of what is required: each claim in one row, each row shown."""

from __future__ import annotations

import pytest

from benchmarks.requirements import OTHER, ROWS, grouped
from benchmarks.tables import Claim, Spread


def claim(text):
    return Claim(text, Spread(1, 1, 1), 1)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("ours, async, beside pycolonies, real server, p50", "An append, beside pycolonies"),
        ("ours, async, beside a bare socket, embedded, p50", "An append, beside a bare socket"),
        ("ours, beside the bare loop, embedded, p50", "From an append to the entry, beside a bare loop"),
        (
            "10,000 entries, beside the bare loop, embedded",
            "Reading entries that exist, beside decoding their frames by hand",
        ),
        ("sockets for a hundred, embedded", "Followed processes and groups"),
        ("pane: processor time of the kernel, with what makes the entries", "10,000 entries at 500 a second in a pane"),
        ("pane: 10,000 entries at once are shown", "10,000 entries at once; beginning"),
        ("an append with 1,000 streams, beside 1 stream", "Durable appends"),
        ("following a group with its board", "Followed processes and groups"),
        ("ten panes, two in view: lag, p99", "Ten panes of a hundred channels, 1,000 entries a second"),
        ("the same, with 1 GB of history", "Embedded colony, to the first reply"),
        ("an embedded colony whose entries were all read", "Memory"),
        ("an append with 10,000 entries, beside 1,000 entries", "Growth"),
        ("1,000,000 floats: memory", "Values and plots"),
        ("interrupt of a loop, noticed, embedded, 0 ms", "Kernels on executors"),
        ("something new", OTHER),
    ],
)
def test_a_claim_is_in_the_row_it_belongs_to(text, title):
    assert [name for name, found in grouped([claim(text)]) if found] == [title]


def test_rows_that_were_not_measured_are_there_too():
    assert [name for name, _ in grouped([])] == [title for title, _ in ROWS]
