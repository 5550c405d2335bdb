"""The reader step by step; tests/properties/test_reader.py plays with it at random."""

from __future__ import annotations

import pytest

from colony_jupyter.channels.effects import AskProcess, Close, Open, Policy, ReadLog, StreamState
from colony_jupyter.channels.reader import Reader
from colony_jupyter.wire.models import Entry

POLICY = Policy()


def entry(n: int, **fields) -> Entry:
    return Entry(**{"sequence": n, "senderid": "other", "timestamp": f"t{n}", "payload": b"x", **fields})


@pytest.fixture
def reader():
    reader = Reader(ends=lambda e: e.is_end, random=lambda: 1.0)
    reader.start(0.0)
    assert reader.effects() == [Open(1, 0, 25)]
    return reader


def open_with(reader, *entries, now=0.0):
    reader.opened(1, now)
    reader.frame(1, entries, now)
    assert reader.delivered() == list(entries)
    assert reader.effects() == []


def test_entries_come_as_frames_bring_them(reader):
    open_with(reader, entry(1), entry(2))
    reader.frame(1, [entry(3)], 0.1)
    assert reader.delivered() == [entry(3)]
    assert reader.state is StreamState.OPEN


def test_a_cut_is_followed_by_a_try_at_once_one_entry_back(reader):
    open_with(reader, entry(1), entry(2))
    reader.lost(1, 1.0)
    assert reader.state is StreamState.RESUMING
    assert reader.deadline() == 1.0
    reader.tick(1.0)
    assert reader.effects() == [Open(2, 1, 25)]
    reader.opened(2, 1.1)
    reader.frame(2, [entry(2), entry(3)], 1.1)
    assert reader.delivered() == [entry(3)]
    assert (reader.state, reader.resumes, reader.inbox.repeats) == (StreamState.OPEN, 1, 1)


def test_tries_that_fail_come_at_growing_intervals(reader):
    waits = []
    now = 0.0
    for window in range(1, 8):
        reader.lost(window, now)
        waits.append(reader.deadline() - now)
        now = reader.deadline()
        reader.tick(now)
    assert waits == pytest.approx([0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6])


def advance(reader, until, log):
    """Let time pass; looks at the log are answered, windows are not. Gives what was opened."""
    opened = []
    while (at := reader.deadline()) is not None and at <= until:
        reader.tick(at)
        for effect in reader.effects():
            if isinstance(effect, ReadLog):
                reader.log(effect, log, at)
            elif isinstance(effect, Open):
                opened.append(effect)
    return opened


def test_the_next_window_is_opened_beside_the_old_one_which_goes_when_it_stands(reader):
    open_with(reader, entry(1))
    assert advance(reader, POLICY.renew, [entry(1)]) == [Open(2, 0, 25)]
    reader.frame(1, [entry(2)], 20.1)
    reader.opened(2, 20.2)
    reader.frame(2, [entry(1), entry(2)], 20.3)
    assert reader.effects() == [Close(1)]
    assert reader.delivered() == [entry(2)]
    assert reader.state is StreamState.OPEN
    assert reader.resumes == 0


def test_a_log_that_has_more_than_the_window_brought_shows_a_dead_link(reader):
    open_with(reader, entry(1))
    reader.tick(POLICY.look)
    (look,) = reader.effects()
    reader.log(look, [entry(1), entry(2)], 5.1)
    assert reader.delivered() == [entry(2)]
    reader.tick(5.1)
    assert reader.effects() == [Open(2, 1, 25)]


def test_a_window_whose_end_is_overdue_is_replaced(reader):
    open_with(reader, entry(1))
    assert advance(reader, POLICY.window + POLICY.overdue - 0.1, [entry(1)]) == [Open(2, 0, 25)]
    reader.lost(2, 27.95)
    assert reader.state is StreamState.OPEN
    advance(reader, POLICY.window + POLICY.overdue + 0.1, [entry(1)])
    assert reader.state is StreamState.RESUMING


def test_the_servers_full_buffer_leads_to_a_resume(reader):
    open_with(reader, entry(1))
    full = Entry(sequence=0, type="", error="subscriber disconnected: buffer full")
    reader.frame(1, [full], 1.0)
    assert reader.delivered() == []
    assert reader.state is StreamState.RESUMING
    reader.tick(1.0)
    assert reader.effects() == [Close(1), Open(2, 0, 25)]


def test_the_end_closes_everything_and_what_comes_after_is_not_delivered(reader):
    reader.opened(1, 0.0)
    reader.frame(1, [entry(1), entry(2, type="end"), entry(3)], 0.0)
    assert [e.sequence for e in reader.delivered()] == [1, 2]
    assert reader.state is StreamState.ENDED
    assert reader.effects() == [Close(1)]
    assert reader.deadline() is None


def test_after_the_close_a_quiet_window_is_the_end(reader):
    open_with(reader, entry(1))
    reader.process_closed(1.0)
    reader.frame(1, [entry(2)], 1.2)
    reader.tick(1.3)
    assert reader.state is StreamState.OPEN
    reader.tick(1.2 + POLICY.quiet)
    assert reader.state is StreamState.ENDED
    assert [e.sequence for e in reader.delivered()] == [2]


def test_a_close_while_nothing_stands_breaks_it(reader):
    open_with(reader, entry(1))
    reader.lost(1, 1.0)
    reader.tick(1.0)
    reader.process_closed(1.1)
    reader.opened(2, 1.2)
    reader.refused(2, 404, "Channel not found", 1.2)
    assert reader.state is StreamState.BROKEN
    assert "while the connection" in reader.reason


def test_a_window_that_ends_before_everything_came_breaks_it_once_the_process_has_closed(reader):
    open_with(reader, entry(1))
    reader.process_closed(1.0)
    reader.frame(1, [entry(2)], 1.2)
    reader.frame(1, [], 1.25)
    assert reader.state is StreamState.BROKEN
    assert "before everything had come" in reader.reason


def test_a_channel_that_is_not_there_is_told_as_the_server_says_it(reader):
    reader.opened(1, 0.0)
    reader.refused(1, 404, "Channel not found", 0.1)
    assert reader.effects() == [AskProcess()]
    reader.process_open(0.2)
    assert reader.state is StreamState.BROKEN
    assert reader.refusal is not None
    assert reader.refusal.status == 404


def test_who_is_shut_out_is_told_at_once(reader):
    open_with(reader, entry(1))
    reader.lost(1, 1.0)
    reader.tick(1.0)
    reader.refused(2, 403, "Not authorized to subscribe to channel", 1.1)
    assert reader.state is StreamState.BROKEN
    assert reader.refusal is not None


def test_a_server_that_stays_away_after_the_close_is_not_waited_for_for_ever(reader):
    open_with(reader, entry(1))
    reader.lost(1, 1.0)
    reader.process_closed(1.0)
    now = 1.0
    while not reader.state.is_over:
        now = reader.deadline()
        reader.tick(now)
        for effect in reader.effects():
            if isinstance(effect, Open):
                reader.lost(effect.window, now)
    assert reader.state is StreamState.BROKEN
    assert now <= 1.0 + POLICY.give_up + 0.1


def test_a_log_that_is_another_one_breaks_it_if_the_process_is_open(reader):
    open_with(reader, entry(1))
    reader.tick(POLICY.look)
    (look,) = reader.effects()
    reader.log(look, [], 5.1)
    assert reader.effects() == [AskProcess()]
    reader.process_open(5.2)
    assert reader.state is StreamState.BROKEN
    assert "lost the channel's log" in reader.reason


def test_a_cancelled_process_whose_channel_came_back_empty_ends_it(reader):
    open_with(reader, entry(1))
    reader.tick(POLICY.look)
    (look,) = reader.effects()
    reader.log(look, [], 5.1)
    reader.effects()
    reader.process_closed(5.2)
    reader.tick(5.2 + POLICY.quiet)
    assert reader.state is StreamState.ENDED


@pytest.mark.parametrize(("lot", "age"), [(0.0, 15.0), (0.5, 17.5), (1.0, 20.0)])
def test_streams_that_began_together_do_not_renew_together(lot, age):
    reader = Reader(ends=lambda e: e.is_end, random=lambda: lot)
    reader.start(0.0)
    reader.effects()
    open_with(reader, entry(1))
    assert advance(reader, age - 0.01, [entry(1)]) == []
    assert advance(reader, age, [entry(1)]) == [Open(2, 0, 25)]
