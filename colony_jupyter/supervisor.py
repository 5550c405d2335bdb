"""The process around code of a caller: it ends the code, and all that was started, when the executor ends.

The process of the code cannot do that itself, since code of C may hold the interpreter. And what ends it alone, as
Linux offers (PR_SET_PDEATHSIG), leaves the processes that the function has started.
"""

from __future__ import annotations

import os
import select
import signal
from typing import NoReturn


def supervise(liveness: int, *others: int) -> None:
    """Fork: return in the new process, and watch it in this one.

    This process exits as the new one does, also by the same signal. It ignores interrupts, which are for the new one.

    Args:
        liveness: descriptor of the liveness pipe, whose other end the executor holds open while it runs.
        others: descriptors that the new process alone uses.
    """
    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # else no signal wakes
    child = os.fork()
    if child:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for descriptor in (*others, 1, 2):
            os.close(descriptor)
        _watch(child, liveness, awake)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    for descriptor in (awake, wake, liveness):
        os.close(descriptor)


def _watch(child: int, liveness: int, awake: int) -> NoReturn:
    while True:
        ready, _, _ = select.select([liveness, awake], [], [])
        if liveness in ready:
            os.killpg(os.getpgrp(), signal.SIGKILL)
        os.read(awake, 64)
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            _exit_like(os.waitstatus_to_exitcode(status))


def _exit_like(code: int) -> NoReturn:
    if code < 0:
        if -code not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)
