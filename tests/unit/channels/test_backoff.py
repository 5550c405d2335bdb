"""When an operation is tried again, and when it is given up."""

from __future__ import annotations

from itertools import islice

import pytest

from colony_jupyter.channels.backoff import RetryTimer, delays


def test_delays_grow_to_a_bound_and_begin_at_once_where_asked():
    assert list(islice(delays(lambda: 1.0), 9)) == [0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    assert next(delays(lambda: 0.0, at_once=False)) == 0.025
    assert list(islice(delays(lambda: 1.0, first=1, longest=3), 4)) == [0.0, 1, 2, 3]


def test_it_is_given_up_after_silence_only():
    retry_timer = RetryTimer(lambda: 1.0, 100.0, seconds=10)
    assert [retry_timer.delay(now) for now in (100, 101, 109, 110)] == [0.0, 0.05, 0.1, 0.2]
    assert retry_timer.delay(110.1) is None
    retry_timer.answered(111)
    assert retry_timer.delay(121) == 0.0
    assert retry_timer.delay(121.5) is None


@pytest.mark.parametrize(("asked", "expected"), [(0, 0.0), (3, 3), (30, 10), (1e9, 10)])
def test_a_gateway_may_ask_for_longer_but_not_beyond_the_end(asked, expected):
    assert RetryTimer(lambda: 1.0, 0.0, seconds=10).delay(0.0, asked) == expected


def test_no_gateway_is_waited_for_longer_than_a_minute():
    assert RetryTimer(lambda: 1.0, 0.0, seconds=600).delay(0.0, 500) == 60
