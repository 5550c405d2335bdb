from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from concurrent.futures import Future

import pytest

from colony_jupyter.client.portal import LoopThread
from colony_jupyter.errors import UsageError


@pytest.fixture
def portal():
    portal = LoopThread("test-loop")
    yield portal
    portal.stop()


async def double(number):
    await asyncio.sleep(0)
    return 2 * number


async def fail():
    raise ValueError("as asked")


def test_a_coroutine_runs_on_the_loop_and_its_result_comes_back(portal):
    assert portal.run(double, 21) == 42


def test_an_exception_comes_back_too(portal):
    with pytest.raises(ValueError, match="as asked"):
        portal.run(fail)


def test_many_threads_may_wait_at_once(portal):
    results = []
    threads = [threading.Thread(target=lambda n=n: results.append(portal.run(double, n))) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [2 * n for n in range(20)]


def test_a_call_from_the_loop_itself_is_refused_instead_of_hanging(portal):
    async def inside():
        portal.run(double, 1)

    with pytest.raises(UsageError, match="AsyncColony"):
        portal.run(inside)


@pytest.mark.parametrize("attempt", range(5))
def test_an_interrupt_gets_through_and_cancels_what_was_waited_for(portal, attempt):
    cancelled = threading.Event()
    begun = threading.Event()

    async def forever():
        begun.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def interrupt():
        begun.wait()
        os.kill(os.getpid(), signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    at = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        portal.run(forever)
    assert time.monotonic() - at < 0.5
    assert cancelled.is_set()
    interrupter.join()


def test_it_starts_anew_after_it_was_stopped(portal):
    first = portal.loop
    portal.stop()
    assert portal.run(double, 2) == 4
    assert portal.loop is not first


def test_stopping_cancels_what_was_spawned(portal):
    cancelled = threading.Event()
    begun = threading.Event()

    async def forever():
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            cancelled.set()

    portal.spawn(forever)
    begun.wait(5)
    portal.stop()
    assert cancelled.is_set()


def test_a_forked_child_makes_a_loop_of_its_own():
    from colony_jupyter.client.portal import PORTAL

    assert PORTAL.run(double, 1) == 2
    child = os.fork()
    if child == 0:
        os._exit(0 if PORTAL.run(double, 5) == 10 else 1)
    _, status = os.waitpid(child, 0)
    PORTAL.stop()
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_callback_is_called_on_the_loop(portal):
    called = threading.Event()
    names = []
    portal.call_soon(lambda: (names.append(threading.current_thread().name), called.set()))
    assert called.wait(5)
    assert names == ["test-loop"]


def test_what_is_cancelled_while_it_starts_has_ended_before_later_work(portal):
    outcome, seen = Future(), Future()

    async def forever():
        await asyncio.Event().wait()

    async def look():
        seen.set_result([task for task in asyncio.all_tasks() if task.get_coro() is coroutine])

    coroutine = forever()

    def cancelled_meanwhile():
        """As another thread cancels it and then begins something else, before the loop has made the task."""
        outcome.cancel()
        portal.spawn(look)
        return coroutine

    portal.begin(outcome, cancelled_meanwhile)
    assert seen.result(timeout=5) == []


def test_the_face_of_one_loop_is_refused_on_the_thread_of_another(portal):
    other = LoopThread("other-loop")

    async def inside():
        other.run(double, 1)

    try:
        with pytest.raises(UsageError, match="colony_jupyter's own thread"):
            portal.run(inside)
    finally:
        other.stop()


def test_stopping_what_has_not_started_does_nothing():
    LoopThread("never-started").stop()
