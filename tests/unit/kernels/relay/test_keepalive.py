"""When an executor is pinged, asked for a new session, and given up."""

from __future__ import annotations

import pytest

from colony_jupyter.kernels.relay.keepalive import KeepAlive


def lost_at(keepalive, events, *, is_first=False, heard=0.0, end=200.0):
    """Play time in half seconds: return when hellos were sent, and when the executor counted as lost.

    Args:
        keepalive: what is asked.
        events: hellos for other reasons, by their times.
        is_first: whether the process has had no session.
        heard: when the executor was heard last.
        end: the last time.
    """
    hellos, now = [], heard
    while now < end:
        is_last = bool(hellos) and keepalive.wants_last_hello(now, heard, is_first=is_first)
        if is_last or now in events or (not hellos and keepalive.wants_session(now)):
            keepalive.hello(now, 0.1, is_last=is_last)
            hellos.append(now)
        if keepalive.is_lost(now, has_come_back=True):
            return hellos, now
        if not hellos:
            keepalive.wants_ping(now, heard, is_busy=True)
        now += 0.5
    return hellos, None


def test_an_executor_that_answers_no_ping_counts_as_lost_within_45_seconds():
    assert lost_at(KeepAlive(), ()) == ([28.0, 36.5], 39.0)


@pytest.mark.parametrize("at", [1.0, 10.0, 20.0, 27.0])
def test_it_has_20_seconds_for_a_hello_and_as_long_from_a_ping_on(at):
    hellos, lost = lost_at(KeepAlive(), {at})
    asked = min(at, 15.5)
    assert hellos == [at, max(asked + 20.5, at + 8.5)]
    assert lost == hellos[1] + 2.5


def test_it_has_a_minute_for_the_first_hello_of_a_process():
    assert lost_at(KeepAlive(), {0.0}, is_first=True) == ([0.0, 60.5], 63.0)


@pytest.mark.parametrize(("is_busy", "seconds"), [(True, 15), (False, 60)])
def test_an_executor_that_sends_nothing_is_pinged_once(is_busy, seconds):
    keepalive = KeepAlive()
    pinged = [now for now in range(100) if keepalive.wants_ping(now, 0.0, is_busy=is_busy)]
    assert pinged == [seconds + 1]


def test_a_sign_of_life_answers_a_ping():
    keepalive = KeepAlive()
    assert keepalive.wants_ping(20.0, 0.0, is_busy=True)
    assert not keepalive.wants_ping(21.0, 20.5, is_busy=True)
    assert not keepalive.wants_session(40.0)
    assert keepalive.wants_ping(40.0, 20.5, is_busy=True)


def test_it_is_not_lost_before_the_last_hello_has_come_back():
    keepalive = KeepAlive()
    keepalive.hello(0.0, 0.1, is_last=True)
    assert not keepalive.is_lost(100.0, has_come_back=False)
    assert not keepalive.is_lost(1.0, has_come_back=True)
    assert keepalive.is_lost(100.0, has_come_back=True)


@pytest.mark.parametrize("give_time", [KeepAlive.begin, lambda keepalive: keepalive.restart(50.0)])
def test_a_session_or_an_answer_to_a_former_hello_ends_the_last_one(give_time):
    keepalive = KeepAlive()
    keepalive.hello(0.0, 0.1, is_last=True)
    give_time(keepalive)
    assert not keepalive.is_lost(100.0, has_come_back=True)


def test_a_hello_that_the_server_accepted_late_is_not_the_last_one():
    keepalive = KeepAlive()
    keepalive.hello(0.0, 0.1, is_last=False)
    keepalive.hello(30.0, 5.0, is_last=True)
    assert not keepalive.is_lost(100.0, has_come_back=True)
    assert keepalive.wants_last_hello(60.0, 0.0, is_first=False)
