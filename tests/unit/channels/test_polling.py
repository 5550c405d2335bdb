"""When a channel is polled, how often, and when a WebSocket is tried again."""

from __future__ import annotations

import pytest

from colony_jupyter.channels.polling import SHORTEST, Polling


@pytest.fixture
def polling():
    return Polling(lambda: SHORTEST)


def test_one_refusal_suffices_once_the_log_can_be_read(polling):
    assert polling.not_opened("WebSocket refused by a proxy (403)", is_refused=True)
    assert not polling.is_on
    assert polling.log_read()
    assert polling.is_on
    assert polling.reason == "WebSocket refused by a proxy (403)"


def test_failures_to_connect_count_only_while_the_log_can_be_read(polling):
    wanted = [polling.not_opened("no route", is_refused=False) for _ in range(3)]
    assert wanted == [False, False, True]
    assert not polling.log_read()
    polling.log_lost()
    assert not polling.log_read()
    for _ in range(3):
        polling.not_opened("no route", is_refused=False)
    assert not polling.log_read()
    for _ in range(3):
        polling.not_opened("no route", is_refused=False)
    assert polling.log_read()


def test_further_failures_do_not_change_when_the_log_is_read(polling):
    assert polling.not_opened("refused", is_refused=True)
    polling.log_read()
    assert not polling.not_opened("refused", is_refused=True)
    assert [polling.not_opened("no route", is_refused=False) for _ in range(3)] == [False, False, False]


def test_an_outage_while_polling_does_not_end_it(polling):
    polling.not_opened("refused", is_refused=True)
    polling.log_read()
    polling.log_lost()
    assert polling.is_on
    assert polling.reason == "refused"


def test_the_pause_is_short_while_entries_arrive_and_grows_up_to_two_seconds(polling):
    assert polling.pause(arrived=True) == 0.25
    pauses = [polling.pause(arrived=False) for _ in range(8)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 2.0
    assert polling.pause(arrived=True) == 0.25


def test_many_streams_share_the_server():
    polling = Polling(lambda: 0.5)
    assert polling.pause(arrived=True) == 0.5


def test_a_websocket_is_tried_again_at_growing_intervals_and_ends_it(polling):
    polling.not_opened("refused", is_refused=True)
    polling.log_read()
    assert [polling.retry() for _ in range(6)] == [5, 10, 20, 40, 60, 60]
    polling.works()
    assert not polling.is_on
    assert polling.reason == ""
    assert polling.retry() == 5
