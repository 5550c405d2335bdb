"""The token bucket of appends."""

from __future__ import annotations

from colony_jupyter.wire.limits import APPEND_BURST, APPEND_RATE
from colony_jupyter.wire.token_bucket import TokenBucket


def test_it_is_full_at_first_and_never_fuller():
    bucket = TokenBucket(now=0.0)
    assert bucket.refill(1000.0) == APPEND_BURST


def test_tokens_are_added_at_the_rate():
    bucket = TokenBucket(now=0.0)
    bucket.tokens = -10.0
    assert bucket.refill(0.5) == -10.0 + APPEND_RATE / 2
    assert bucket.refill(0.5) == -10.0 + APPEND_RATE / 2


def test_a_clock_that_goes_back_adds_none_then_or_later():
    bucket = TokenBucket(now=10.0, rate=1, burst=100)
    bucket.tokens = 0.0
    assert bucket.refill(5.0) == 0
    assert bucket.refill(11.0) == 1
