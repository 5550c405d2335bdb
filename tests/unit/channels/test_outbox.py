from __future__ import annotations

import pytest

from colony_jupyter.channels.outbox import AppendLimiter, Sequencer, TextBuffer
from colony_jupyter.wire.limits import MAX_PAYLOAD


def used(sequencer):
    """Use the next sequence up."""
    sequence = sequencer.following
    sequencer.skip(sequence)
    return sequence


def drained(text):
    """Append everything that waits."""
    parts = []
    while (head := text.head()) is not None:
        parts.append(head[1])
        text.pop()
    return parts


class TestSequencer:
    def test_the_initiator_counts_odd_and_the_executor_even(self):
        initiator, executor = Sequencer(initiator=True), Sequencer(initiator=False)
        assert [used(initiator) for _ in range(3)] == [1, 3, 5]
        assert [used(executor) for _ in range(3)] == [2, 4, 6]

    def test_it_goes_on_after_what_is_in_the_log(self):
        sequencer = Sequencer(initiator=True)
        sequencer.attach([1, 7, 3])
        assert sequencer.following == 9
        assert sequencer.foreign == 3

    @pytest.mark.parametrize(
        ("used", "following"), [(0, 1), (1, 3), (2, 3), (8, 9), (9, 11), (-5, 1), (10**9, 10**9 + 1)]
    )
    def test_what_follows_a_used_sequence_has_the_same_parity(self, used, following):
        sequencer = Sequencer(initiator=True)
        sequencer.skip(used)
        assert sequencer.following == following


class TestBucket:
    def test_a_burst_goes_at_once_and_then_a_hundred_a_second(self):
        limiter = AppendLimiter(now=0.0)
        assert [limiter.wait(0.0) for _ in range(500)] == [0.0] * 500
        waits = [limiter.wait(0.0) for _ in range(100)]
        assert waits[0] == pytest.approx(0.01)
        assert waits[-1] == pytest.approx(1.0)

    def test_rest_refills_it_to_the_burst_and_no_further(self):
        limiter = AppendLimiter(now=0.0)
        for _ in range(500):
            limiter.wait(0.0)
        assert [limiter.wait(1000.0) for _ in range(501)][-1] == pytest.approx(0.01)

    def test_a_refusal_means_that_others_have_used_it(self):
        limiter = AppendLimiter(now=0.0)
        limiter.refused(0.0)
        assert limiter.wait(0.0) == pytest.approx(0.01)


class TestTextBuffer:
    def test_pieces_are_joined_and_due_after_the_interval(self):
        text = TextBuffer(interval=0.05)
        assert text.due(0.0) is None
        text.add("ab", 0.0)
        text.add("cd", 0.03)
        assert text.due(0.03) == pytest.approx(0.02)
        assert drained(text) == [b"abcd"]
        assert text.due(0.06) is None
        assert drained(text) == []

    def test_much_text_does_not_wait(self):
        text = TextBuffer(full=10)
        text.add("x" * 10, 0.0)
        assert text.due(0.0) == 0.0

    def test_an_entry_never_ends_inside_a_character(self):
        text = TextBuffer()
        text.add("é" * MAX_PAYLOAD, 0.0)
        text.add("x€" * 1000, 0.0)
        parts = drained(text)
        assert all(len(part) <= MAX_PAYLOAD for part in parts)
        assert "".join(part.decode("utf-8") for part in parts) == "é" * MAX_PAYLOAD + "x€" * 1000

    def test_a_lone_surrogate_does_not_stop_the_stream(self):
        text = TextBuffer()
        text.add("a\ud800b", 0.0)
        assert drained(text) == ["a\N{REPLACEMENT CHARACTER}b".encode()]

    def test_pieces_for_different_entries_are_not_joined_and_stay_in_order(self):
        text = TextBuffer()
        for inreplyto, piece in ((1, "a"), (1, "b"), (3, "c"), (1, "d")):
            text.add(piece, 0.0, inreplyto)
        heads = []
        while (head := text.head()) is not None:
            heads.append(head)
            text.pop()
        assert heads == [(1, b"ab"), (3, b"c"), (1, b"d")]

    def test_the_head_stays_as_it_is_until_it_was_appended(self):
        text = TextBuffer()
        text.add("ab", 0.0)
        assert text.head() == (0, b"ab")
        text.add("cd", 0.0)
        assert text.head() == (0, b"ab")
        assert text.due(0.0) == 0.0
        assert len(text) == 4
        text.pop()
        assert text.head() == (0, b"cd")

    def test_clearing_drops_what_is_ready_and_what_waits(self):
        text = TextBuffer()
        text.add("ab", 0.0)
        text.head()
        text.add("cd", 0.0)
        text.clear()
        assert (text.head(), text.due(0.0), len(text)) == (None, None, 0)


def test_the_beginning_of_a_line_waits_for_its_rest():
    text = TextBuffer(interval=0.05)
    text.add("one\ntwo\nthr", 0.0)
    assert text.head(whole=False) == (0, b"one\ntwo\n")
    assert text.ready == 1
    text.pop()
    assert text.ready == 0
    assert text.due(0.05) == pytest.approx(0.05)
    text.add("ee\n", 0.06)
    assert text.due(0.1) == 0
    assert text.head(whole=False) == (0, b"three\n")
    text.pop()
    assert len(text) == 0
    assert text.head(whole=False) is None


def test_a_line_that_never_ends_is_sent():
    text = TextBuffer(interval=0.05)
    text.add("one\ntwo", 0.0)
    text.head(whole=False)
    text.pop()
    assert text.head(whole=False) == (0, b"two")
    text.pop()
    text.add("token ", 0.2)
    assert text.head(whole=False) == (0, b"token ")


def test_a_flush_sends_everything():
    text = TextBuffer()
    text.add("one\ntwo", 0.0, 1)
    text.add("three\nfo", 0.0, 3)
    assert text.head(whole=False) == (1, b"one\ntwo")
    text.pop()
    assert text.head() == (3, b"three\n")
    text.pop()
    assert text.head() == (3, b"fo")
