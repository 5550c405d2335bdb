"""The process around a caller's function: it exits as the function does, and ends all when the executor ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

import psutil
import pytest

PROGRAM = """
import os, signal, sys, time
from colony_jupyter.supervisor import supervise

liveness, ready = map(int, sys.argv[1:3])
supervise(liveness, ready)
{work}
"""
FORKS = """
if os.fork() == 0:
    time.sleep(600)
os.write(ready, b"%d" % os.getpid())
signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
while True:
    try:
        time.sleep(600)
    except BaseException:
        pass
"""


@contextlib.contextmanager
def supervised(work):
    """Run a program under a supervisor; returns its process, the liveness pipe, and the pipe that it writes to."""
    liveness, held = os.pipe()
    reading, ready = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(work=work), str(liveness), str(ready)],
        pass_fds=(liveness, ready),
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    os.close(liveness)
    os.close(ready)
    ends = [held, reading]
    try:
        yield process, ends
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        for descriptor in ends:
            os.close(descriptor)


@pytest.mark.parametrize(
    ("work", "code"),
    [
        ("", 0),
        ("os._exit(7)", 7),
        ("raise ValueError", 1),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("import ctypes; ctypes.string_at(0)", -signal.SIGSEGV),
    ],
)
def test_it_exits_as_the_function_does(work, code):
    with supervised(work) as (process, _):
        assert process.wait(20) == code


def test_all_ends_when_the_liveness_pipe_is_closed():
    with supervised(FORKS) as (process, ends):
        pid = int(os.read(ends[1], 32))
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        assert pid in {each.pid for each in family}
        assert len(family) == 3
        os.close(ends.pop(0))
        assert process.wait(10) == -signal.SIGKILL
        _, alive = psutil.wait_procs(family[1:], 10)
        assert [each for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []


def test_the_function_has_no_descriptor_of_the_supervisor():
    with supervised("os.write(ready, ' '.join(os.listdir('/proc/self/fd')).encode())") as (process, ends):
        process.wait(20)
        numbers = {int(text) for text in os.read(ends[1], 4096).split()}
        assert len(numbers - {0, 1, 2}) == 2  # the pipe, and the listing itself


def test_an_interrupt_of_the_group_is_for_the_program():
    work = "signal.signal(signal.SIGINT, lambda *_: os._exit(3)); os.write(ready, b'1'); time.sleep(60)"
    with supervised(work) as (process, ends):
        os.read(ends[1], 1)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) == 3
