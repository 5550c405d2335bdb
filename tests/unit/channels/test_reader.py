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


def test_tries_begin_anew_once_a_window_stands(reader):
    now = 0.0
    for window in (1, 2, 3):
        reader.lost(window, now)
        now = reader.deadline()
        reader.tick(now)
    reader.effects()
    reader.opened(4, now)
    reader.frame(4, [entry(1)], now)
    reader.lost(4, now)
    assert reader.deadline() == now


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
    reader.tick(POLICY.silence)
    (request,) = reader.effects()
    reader.log(request, [entry(1), entry(2)], 5.1)
    assert reader.delivered() == [entry(2)]
    reader.tick(5.1)
    assert reader.effects() == [Open(2, 1, 25)]


def test_one_of_many_streams_reads_its_idle_log_later():
    silence = [12.0]
    reader = Reader(ends=lambda e: e.is_end, random=lambda: 1.0, shortest_silence=lambda: silence[0])
    reader.start(0.0)
    reader.effects()
    open_with(reader, entry(1))
    assert reader.deadline() == 12.0
    reader.tick(POLICY.silence)
    assert reader.effects() == []
    silence[0] = 0.0  # the others have ended
    reader.tick(POLICY.silence)
    assert reader.effects() == [ReadLog(1)]


def test_entries_that_were_inserted_while_the_log_is_read_make_all_of_it_be_read(reader):
    """The reply may have left the server before they were inserted."""
    open_with(reader, entry(4), entry(5))
    assert advance(reader, POLICY.renew - 0.1, [entry(5)]) == []
    reader.tick(POLICY.renew)
    opening, request = reader.effects()
    assert (opening, request) == (Open(2, 1, 25), ReadLog(2))
    reader.opened(2, 20.1)
    reader.frame(2, [entry(4), entry(5)], 20.2)  # one more is before them, which the first window did not bring
    reader.log(request, [entry(5)], 20.3)
    *_, again = reader.effects()
    assert again == ReadLog(0)
    reader.log(again, [entry(3), entry(4), entry(5)], 20.4)
    assert reader.delivered() == [entry(3)]


def test_a_window_whose_link_is_dead_is_followed_by_another_beside_the_one_that_stands(reader):
    open_with(reader, entry(1))
    assert advance(reader, POLICY.renew, [entry(1)]) == [Open(2, 0, 25)]
    reader.opened(2, POLICY.renew)
    confirmed = POLICY.renew + POLICY.confirm
    assert advance(reader, confirmed - 0.1, [entry(1)]) == []
    assert advance(reader, confirmed, [entry(1)]) == [Open(3, 0, 25)]
    assert reader.state is StreamState.OPEN


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


def test_a_missing_channel_raises_the_error_of_the_server(reader):
    reader.opened(1, 0.0)
    reader.refused(1, 404, "Channel not found", 0.1)
    assert reader.effects() == [AskProcess()]
    reader.process_open(0.2)
    assert reader.state is StreamState.BROKEN
    assert reader.refusal is not None
    assert reader.refusal.status == 404


def test_a_caller_without_access_gets_the_error_at_once(reader):
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
    reader.tick(POLICY.silence)
    (request,) = reader.effects()
    reader.log(request, [], 5.1)
    assert reader.effects() == [AskProcess()]
    reader.process_open(5.2)
    assert reader.state is StreamState.BROKEN
    assert "lost the channel's log" in reader.reason


def test_a_cancelled_process_whose_channel_came_back_empty_ends_it(reader):
    open_with(reader, entry(1))
    reader.tick(POLICY.silence)
    (request,) = reader.effects()
    reader.log(request, [], 5.1)
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


def test_events_of_windows_and_requests_that_are_gone_change_nothing(reader):
    open_with(reader, entry(1))
    before = reader.deadline()
    reader.opened(7, 1.0)
    reader.frame(7, [entry(9)], 1.0)
    reader.lost(7, 1.0)
    reader.not_opened(7, "refused", 1.0, is_refused=True)
    reader.refused(7, 404, "Channel not found", 1.0)
    reader.log(ReadLog(0), [entry(9)], 1.0)
    reader.log_lost(ReadLog(0), 1.0)
    reader.log_refused(ReadLog(0), 403, "no", 1.0)
    reader.process_open(1.0)
    assert (reader.delivered(), reader.effects(), reader.deadline()) == ([], [], before)
    assert (reader.state, reader.polling) == (StreamState.OPEN, "")


def test_after_the_end_nothing_counts_any_more(reader):
    open_with(reader, entry(1))
    reader.frame(1, [entry(2, type="end")], 0.1)
    reader.delivered()
    reader.effects()
    reader.frame(1, [entry(3)], 0.2)
    reader.process_closed(0.2)
    reader.process_open(0.2)
    reader.tick(100.0)
    assert (reader.delivered(), reader.effects(), reader.state) == ([], [], StreamState.ENDED)


def test_a_refusal_that_is_not_about_the_channel_is_tried_again_like_a_cut(reader):
    open_with(reader, entry(1))
    reader.lost(1, 1.0)
    reader.tick(1.0)
    reader.effects()
    reader.refused(2, 500, "rate limit exceeded", 1.1)
    assert reader.state is StreamState.RESUMING
    reader.tick(reader.deadline())
    assert reader.effects() == [Open(3, 0, 25)]


def test_a_channel_that_is_not_found_while_an_older_window_stands_is_asked_for_again(reader):
    open_with(reader, entry(1))
    assert advance(reader, POLICY.renew, [entry(1)]) == [Open(2, 0, 25)]
    reader.opened(2, 20.1)
    reader.refused(2, 404, "Channel not found", 20.2)
    assert reader.effects() == [AskProcess()]
    reader.process_open(20.3)
    assert reader.state is StreamState.OPEN
    assert advance(reader, 21.0, [entry(1)]) == [Open(3, 0, 25)]


def test_a_channel_that_is_not_found_once_the_process_has_closed_leaves_the_window_that_stands(reader):
    open_with(reader, entry(1))
    advance(reader, POLICY.renew, [entry(1)])
    reader.opened(2, 20.1)
    reader.process_closed(20.2)
    reader.refused(2, 404, "Channel not found", 20.25)
    assert reader.state is StreamState.OPEN
    reader.tick(reader.deadline())
    assert reader.state is StreamState.ENDED


def polling(reader, *entries):
    """Have WebSockets refused, so that the log is polled."""
    reader.not_opened(1, "WebSockets are refused", 0.0, is_refused=True)
    reader.tick(0.0)
    (request,) = reader.effects()
    reader.log(request, entries, 0.1)
    assert reader.polling == "WebSockets are refused"
    assert reader.delivered() == list(entries)


def next_read(reader):
    """Let time pass until the log is read; return the request and the time."""
    while True:
        now = reader.deadline()
        reader.tick(now)
        for effect in reader.effects():
            if isinstance(effect, ReadLog):
                return effect, now
            if isinstance(effect, Open):
                reader.not_opened(effect.window, "WebSockets are refused", now, is_refused=True)


def test_a_polled_log_is_read_again_and_again(reader):
    polling(reader, entry(1))
    assert reader.listens
    request, now = next_read(reader)
    reader.log(request, [entry(1), entry(2)], now)
    assert reader.delivered() == [entry(2)]
    assert reader.state is StreamState.OPEN


def test_a_polled_log_whose_process_closed_after_its_end_entry_is_complete():
    """The reader does not end at that entry where its sender is not known."""
    reader = Reader(ends=lambda _: False, random=lambda: 1.0)
    reader.start(0.0)
    reader.effects()
    polling(reader, entry(1), entry(2, type="end"))
    assert reader.state is StreamState.OPEN
    reader.process_closed(1.0)
    assert reader.state is StreamState.ENDED


def test_a_log_that_replaced_one_with_an_end_is_not_complete_when_its_process_closes():
    reader = Reader(ends=lambda _: False, random=lambda: 1.0, survives_loss=True)
    reader.start(0.0)
    reader.effects()
    polling(reader, entry(1), entry(2, type="end"))
    request, now = next_read(reader)
    reader.log(request, [], now)
    reader.process_open(now)
    reader.process_closed(now)
    assert reader.state is StreamState.BROKEN


@pytest.mark.parametrize("how", ["closed", "lost", "empty"])
def test_a_polled_log_without_an_end_may_lack_entries_once_the_process_has_closed(reader, how):
    polling(reader, entry(1))
    if how == "closed":
        reader.process_closed(0.2)
    else:
        request, now = next_read(reader)
        reader.process_closed(now)
        if how == "lost":
            reader.log_lost(request, now + 0.1)
        else:
            reader.log(request, [], now + 0.1)  # the channel of a cancelled process comes back empty
    assert reader.state is StreamState.BROKEN
    assert "the process ended between two reads" in reader.reason


def test_a_polled_log_that_was_lost_is_read_from_its_beginning_where_that_is_wanted():
    reader = Reader(ends=lambda e: e.is_end, random=lambda: 1.0, survives_loss=True)
    reader.start(0.0)
    reader.effects()
    polling(reader, entry(1), entry(2))
    request, now = next_read(reader)
    reader.log(request, [], now)
    assert AskProcess() in reader.effects()
    reader.process_open(now + 0.1)
    assert reader.losses == 1
    request, now = next_read(reader)
    assert request.afterseq == 0
    reader.log(request, [entry(1, timestamp="new")], now)
    assert [e.timestamp for e in reader.delivered()] == ["new"]


def test_a_window_that_ends_without_the_entry_that_was_there_before_makes_the_log_be_read(reader):
    open_with(reader, entry(1))
    reader.lost(1, 1.0)
    reader.tick(1.0)
    reader.effects()
    reader.opened(2, 1.1)
    reader.frame(2, [], 1.2)
    assert reader.effects() == [Close(2), ReadLog(1)]
