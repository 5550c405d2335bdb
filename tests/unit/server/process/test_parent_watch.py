"""A colony's process ends with the process that started it, within a fixed time, whatever hangs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from colony_jupyter.server.process import parent_watch
from colony_jupyter.server.process.parent_watch import GRACE, ParentWatch, end_within

CHILD = """
import sys, time
from colony_jupyter.server.process.parent_watch import ParentWatch
parent_watch = ParentWatch(int(sys.argv[1]))
{work}
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def exits(monkeypatch):
    """Record exits of this process instead of exiting, after a short time of grace."""
    codes = []
    monkeypatch.setattr(parent_watch, "GRACE", 0.01)
    monkeypatch.setattr(parent_watch.os, "_exit", codes.append)
    yield codes
    for thread in threading.enumerate():
        if thread.name == "parent watch" or isinstance(thread, threading.Timer):
            thread.join(5)


def start(work, descriptor):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD.format(work=work), str(descriptor)],
        pass_fds=(descriptor,),
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def pipe():
    """Return both ends of a pipe; what is left open is closed."""
    reading, writing = os.pipe()
    ends = [os.fdopen(reading, "rb", buffering=0), os.fdopen(writing, "wb", buffering=0)]
    yield ends
    for end in ends:
        end.close()


def test_the_callback_runs_once_the_owner_has_closed_its_end(exits, pipe):
    reading, writing = pipe
    ended = threading.Event()
    parent_watch = ParentWatch(reading.fileno())
    parent_watch.attach(ended.set)
    writing.write(b"data does not count")
    assert not ended.wait(0.05)
    writing.close()
    assert ended.wait(5)
    again = threading.Event()
    parent_watch.attach(again.set)  # the end has come already
    assert again.is_set()


def test_a_process_that_does_not_end_by_itself_is_ended(exits, pipe):
    reading, writing = pipe
    ParentWatch(reading.fileno()).attach(lambda: None)
    writing.close()
    limit = time.monotonic() + 5
    while not exits and time.monotonic() < limit:
        time.sleep(0.01)
    assert exits == [0]


def test_a_process_is_ended_after_the_given_seconds(exits):
    end_within(0.05)
    assert exits == []
    (timer,) = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    assert timer.daemon
    timer.join(5)
    assert exits == [0]


@pytest.mark.parametrize(
    ("work", "seconds"),
    [("", 0), ("parent_watch.attach(lambda: time.sleep(60))", GRACE)],
    ids=["nothing to end", "an end that hangs"],
)
def test_the_process_ends_with_its_owner(pipe, work, seconds):
    reading, writing = pipe
    with start(work, reading.fileno()) as process:
        assert process.stdout.readline() == "ready\n"
        began = time.monotonic()
        writing.close()
        assert process.wait(20) == 0
        assert time.monotonic() - began > seconds - 0.1


def test_what_is_no_pipe_at_all_counts_as_the_end():
    with subprocess.Popen([sys.executable, "-c", CHILD.format(work=""), "99"], stdout=subprocess.DEVNULL) as process:
        assert process.wait(20) == 0
