"""Callbacks and interrupts of a channel with calls that block."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from colony_jupyter import ProcessState


def test_a_callback_runs_on_the_calling_thread_and_may_block(parties):
    process, assigned, _ = parties
    seen = []

    def callback(entries):
        seen.extend((entry.text, threading.current_thread()) for entry in entries)
        if len(seen) == 1:
            assigned.channel("c").send("sent from the callback")
        return len(seen) < 2

    assigned.channel("c").send("first")
    process.channel("c").subscribe(callback, timeout=10)
    assert seen == [("first", threading.current_thread()), ("sent from the callback", threading.current_thread())]


def test_an_interrupt_gets_through_while_a_stream_waits(parties):
    process, _, _ = parties
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        for _ in process.channel("c"):
            pass
    assert time.monotonic() - begun < 1.0
    timer.join()
    assert process.refresh().state is ProcessState.RUNNING


@pytest.mark.parametrize("kind", ["coroutine", "plain"])
def test_a_callback_that_returns_false_ends_the_subscription_also_an_asynchronous_one(parties, kind):
    process, assigned, _ = parties
    seen = []

    def plain(entries):
        seen.extend(entry.text for entry in entries)
        return False

    async def coroutine(entries):
        return plain(entries)

    assigned.channel("c").send("first")
    process.channel("c").subscribe(plain if kind == "plain" else coroutine, timeout=10)
    assert seen == ["first"]


def test_a_subscription_ends_quietly_at_its_timeout(parties):
    process, _, _ = parties
    begun = time.monotonic()
    process.channel("c").subscribe(print, timeout=0.3)
    assert 0.25 < time.monotonic() - begun < 5
