"""The search for an own entry: found wherever it may stand, by reading the tail of the log only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony_jupyter.channels.tail import Pages, Search, Tail
from colony_jupyter.wire.models import Entry


def entry(sequence, senderid="me", payload=b""):
    return Entry(sequence=sequence, senderid=senderid, payload=payload, inreplyto=0, timestamp="")


def search(tail, log, sequence, payload=b"", *, cuts=()):
    """Search to the end; returns the search, whether the entry was found, and how many entries were read."""
    looking, read, cuts = Search(tail, sequence, payload, 0), 0, list(cuts)
    while True:
        if cuts and cuts.pop(0):
            looking.pages.cut()
            continue
        page = log[looking.pages.start : looking.pages.start + looking.pages.limit]
        read += len(page)
        if (found := looking.feed(page)) is not None:
            return looking, found, read


@pytest.mark.parametrize("length", [10, 9_000])
def test_the_cost_does_not_depend_on_the_length_of_the_log(length):
    tail, log = Tail("me"), []
    for number in range(length):
        log.append(entry(2 * number + 1))
        tail.confirm(2 * number + 1)
    log.append(entry(2 * length + 1))
    looking, found, read = search(tail, log, 2 * length + 1)
    assert (found, read, looking.lost) == (True, 2, 0)


def test_entries_of_the_peer_are_read_once():
    tail, log = Tail("me"), [entry(1)]
    tail.confirm(1)
    log += [entry(2 * number, "peer") for number in range(1, 3000)]
    assert search(tail, log, 3)[1] is False
    log.append(entry(3))
    tail.confirm(3)
    log.append(entry(5))
    looking, found, read = search(tail, log, 5)
    assert (found, read, looking.lost) == (True, 2, 0)


def test_an_entry_that_is_inserted_before_the_latest_is_found():
    tail = Tail("me")
    tail.confirm(9)
    assert search(tail, [entry(3), entry(9)], 3)[1] is True


def test_the_same_sequence_with_another_payload_is_another_entry():
    tail = Tail("me")
    tail.confirm(1)
    assert search(tail, [entry(1), entry(3, payload=b"x")], 3, b"y")[1] is False


def test_a_log_that_was_replaced_is_read_anew_and_the_loss_is_counted():
    tail = Tail("me")
    for sequence in (1, 3, 5):
        tail.confirm(sequence)
    looking, found, _ = search(tail, [entry(2, "peer")], 7)
    assert (found, looking.lost) == (False, 3)
    tail.confirm(7)
    assert search(tail, [entry(2, "peer"), entry(7), entry(9)], 9)[1] is True


def test_pages_grow_until_one_does_not_arrive():
    pages, limits = Pages(10, 100), []
    for _ in range(4):
        limits.append(pages.limit)
        assert not pages.advance(pages.limit)
    pages.cut()
    for _ in range(2):
        limits.append(pages.limit)
        assert not pages.advance(pages.limit)
    assert limits == [100, 200, 400, 500, 250, 250]
    assert pages.start == 10 + sum(limits)
    assert pages.advance(249)


@given(
    before=st.lists(st.sampled_from(["me", "peer"]), max_size=40),
    after=st.lists(st.sampled_from(["peer"]), max_size=40),
    there=st.booleans(),
    cuts=st.lists(st.booleans(), max_size=6),
    known=st.integers(0, 40),
)
def test_the_verdict_is_that_of_the_whole_log(before, after, there, cuts, known):
    log = [entry(number, sender) for number, sender in enumerate(before)]
    tail = Tail("me")
    mine = [each.sequence for each in log if each.senderid == "me"]
    for sequence in mine:
        tail.confirm(sequence)  # the peer's entries were not seen
    if known and there:
        search(tail, log, 100)
    log += [entry(100)] if there else []
    log += [entry(200 + number, sender) for number, sender in enumerate(after)]
    looking, found, _ = search(tail, log, 100, cuts=cuts)
    assert (found, looking.lost) == (there, 0)
    tail.confirm(100)
    if there:
        assert tail.index <= next(index for index, each in enumerate(log) if each.sequence == 100)
