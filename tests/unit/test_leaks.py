"""The check that runs after every test finds each kind of leak."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading

from leaks import holdings, leaks


def test_nothing_new_is_no_leak():
    assert leaks(holdings(), grace=0) == []


def test_a_thread():
    before, stop = holdings(), threading.Event()
    thread = threading.Thread(target=stop.wait, name="forgotten")
    thread.start()
    try:
        assert leaks(before, grace=0) == ["thread 'forgotten'"]
    finally:
        stop.set()
        thread.join()


async def test_a_task():
    before = holdings()
    task = asyncio.create_task(asyncio.Event().wait(), name="forgotten")
    try:
        assert leaks(before, grace=0) == ["task 'forgotten' of Event.wait"]
    finally:
        task.cancel()


def test_a_task_of_another_threads_loop():
    before, loop = holdings(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="colony-jupyter-test")
    thread.start()
    waiting = asyncio.run_coroutine_threadsafe(asyncio.Event().wait(), loop)
    try:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(5)
        assert any("Event.wait" in line for line in leaks(before, grace=0))
    finally:
        waiting.cancel()
        # One more turn of the loop, in which the task takes note of it.
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.05), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    assert leaks(before) == []


def test_a_socket():
    before = holdings()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        (line,) = leaks(before, grace=0)
        assert str(listener.getsockname()[1]) in line
        assert "LISTEN" in line
    assert leaks(before, grace=0) == []


def test_a_process():
    before = holdings()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        (line,) = leaks(before, grace=0)
        assert f"process {child.pid}" in line
    assert leaks(before, grace=0) == []


def test_what_goes_in_time_is_waited_for():
    readings = iter([{"a": "thread 'a'", "b": "thread 'b'"}, {"b": "thread 'b'"}, {}])
    now = 0.0

    def sleep(seconds):
        nonlocal now
        now += seconds

    assert leaks({}, grace=1, read=lambda: next(readings), clock=lambda: now, sleep=sleep) == []


def test_what_does_not_go_is_named_in_the_end():
    now = 0.0

    def sleep(seconds):
        nonlocal now
        now += seconds

    assert leaks({}, grace=1, read=lambda: {"a": "thread 'a'"}, clock=lambda: now, sleep=sleep) == ["thread 'a'"]
    assert now >= 1
