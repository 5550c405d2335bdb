"""The thread that refreshes all views: gathers updates, goes on after a failure, ends when nothing is pending."""

from __future__ import annotations

import threading

from colony_jupyter.notebook.views.refresh_thread import RefreshThread


class Sink:
    def __init__(self, again=(), fails=False) -> None:
        self.called = threading.Semaphore(0)
        self.again = list(again)
        self.fails = fails
        self.calls = 0

    def flush(self):
        self.calls += 1
        self.called.release()
        if self.fails:
            raise RuntimeError("broken")
        return self.again.pop(0) if self.again else None


def panes():
    return [thread for thread in threading.enumerate() if thread.name == "colony-panes"]


def test_updates_are_gathered_and_the_thread_ends():
    refresh_thread = RefreshThread(0.05)
    sink = Sink()
    refresh_thread.wake(sink)
    assert sink.called.acquire(timeout=5)
    for _ in range(100):
        refresh_thread.wake(sink)
    assert sink.called.acquire(timeout=5)
    for thread in panes():
        thread.join(5)
    assert sink.calls == 2
    assert not panes()


def test_a_sink_may_ask_to_be_called_again():
    refresh_thread = RefreshThread(0.01)
    sink = Sink(again=[0.02, 0.02])
    refresh_thread.wake(sink)
    for _ in range(3):
        assert sink.called.acquire(timeout=5)


def test_one_that_fails_does_not_stop_the_others(caplog):
    refresh_thread = RefreshThread(0.01)
    bad, good = Sink(fails=True), Sink(again=[0.0])
    refresh_thread.wake(bad)
    refresh_thread.wake(good)
    assert bad.called.acquire(timeout=5)
    assert good.called.acquire(timeout=5)
    assert good.called.acquire(timeout=5)
    assert "could not be refreshed" in caplog.text


def test_a_round_has_one_end_after_all_its_sinks():
    refresh_thread = RefreshThread(0.01)
    happened = []

    class Ending(Sink):
        def flush(self):
            happened.append("flush")
            refresh_thread.at_end(end)
            return super().flush()

    def end():
        happened.append("end")
        raise RuntimeError("logged, too")

    sinks = [Ending(), Ending()]
    with refresh_thread._condition:
        for sink in sinks:
            refresh_thread.wake(sink)
    for thread in panes():
        thread.join(5)
    assert happened == ["flush", "flush", "end"]


def test_an_end_outside_of_a_round_is_at_once():
    happened = []
    RefreshThread(0.01).at_end(lambda: happened.append("end"))
    assert happened == ["end"]


def test_one_that_is_forgotten_is_called_no_more():
    refresh_thread = RefreshThread(0.01)
    sink = Sink()
    refresh_thread.wake(sink, after=60)
    refresh_thread.forget(sink)
    for thread in panes():
        thread.join(5)
    assert sink.calls == 0
