"""What a process holds, so that a test can be asked whether it left something behind.

Threads, tasks of every event loop, sockets and child processes are compared with what was there before. What is on its
way out is waited for; what stays is named.
"""

from __future__ import annotations

import asyncio
import asyncio.base_events
import contextlib
import functools
import os
import socket
import stat
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_loops: weakref.WeakSet[asyncio.base_events.BaseEventLoop] = weakref.WeakSet()

# They belong to the process, not to whatever test happened to be the first to need them.
_PROCESS_WIDE_THREADS = (
    "colony-jupyter",  # the package's one loop thread: its tasks are compared, the thread itself stays
    "asyncio_",  # the default executor's threads of such a loop stay with it
    "IPythonHistorySavingThread",
    "pydevd",
)
_PROCESS_WIDE_CHILDREN = (
    "multiprocessing.resource_tracker",
    "multiprocessing.forkserver",
    "--type=",  # Chromium's own helpers come and go as it likes; the browser is the session's
)


def watch_loops() -> None:
    """Note every event loop made from now on: there is no public way to list them."""
    original = asyncio.base_events.BaseEventLoop.__init__

    @functools.wraps(original)
    def noted(loop: asyncio.base_events.BaseEventLoop, *args: Any, **kwargs: Any) -> None:
        original(loop, *args, **kwargs)
        _loops.add(loop)

    asyncio.base_events.BaseEventLoop.__init__ = noted  # type: ignore[method-assign, assignment, unused-ignore]


def _threads() -> dict[object, str]:
    return {
        thread: f"thread {thread.name!r}"
        for thread in threading.enumerate()
        if not thread.name.startswith(_PROCESS_WIDE_THREADS)
    }


def _tasks() -> dict[object, str]:
    return {
        task: f"task {task.get_name()!r} of {getattr(task.get_coro(), '__qualname__', task.get_coro())}"
        for loop in list(_loops)
        if not loop.is_closed()
        for task in asyncio.all_tasks(loop)
    }


_STATES = {1: "ESTABLISHED", 2: "SYN_SENT", 3: "SYN_RECV", 4: "FIN_WAIT1", 5: "FIN_WAIT2", 6: "TIME_WAIT"}
_STATES |= {7: "CLOSE", 8: "CLOSE_WAIT", 9: "LAST_ACK", 10: "LISTEN", 11: "CLOSING"}


def _own_sockets() -> Iterator[tuple[int, Any, Any, str]]:
    """Return descriptor, address, peer and state of each open internet socket of this process, on Linux."""
    for descriptor in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208 - it runs twice a test
        with contextlib.ExitStack() as stack:
            try:
                if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                    continue
                twin = stack.enter_context(socket.socket(fileno=os.dup(descriptor)))
                if twin.family not in {socket.AF_INET, socket.AF_INET6}:
                    continue
                state = "NONE"
                if twin.type is socket.SOCK_STREAM:
                    state = _STATES[twin.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]]
                address, peer = twin.getsockname()[:2], ()
                with contextlib.suppress(OSError):
                    peer = twin.getpeername()[:2]
            except OSError:
                continue  # it has just been closed
            if state != "CLOSE" and address[1]:
                yield descriptor, address, peer, state


def _sockets() -> dict[object, str]:
    if sys.platform == "linux":  # psutil reads all sockets of the machine
        return {found[:3]: f"socket {found[1]} -> {found[2] or 'no peer'} ({found[3]})" for found in _own_sockets()}
    return {
        (found.fd, found.laddr, found.raddr): f"socket {found.laddr} -> {found.raddr or 'no peer'} ({found.status})"
        for found in psutil.Process().net_connections(kind="inet")
    }


def _child_ids(pid: int) -> list[int]:
    """Return the children of a process, which Linux lists for each of its threads."""
    found: list[int] = []
    # A thread or process that has just ended has none.
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found += map(int, (thread / "children").read_bytes().split())
    return found


def _descendants() -> list[psutil.Process]:
    """Return the processes below this one.

    psutil reads every process of the machine, for 3 ms and more; it runs twice a test.
    """
    if not Path("/proc/thread-self/children").exists():
        return psutil.Process().children(recursive=True)
    found: list[psutil.Process] = []
    unread = [os.getpid()]
    while unread:
        pid = unread.pop()
        # The list lacks a process if another one is reaped while it is read: it is right if the next one is the same.
        children = _child_ids(pid)
        while children != (again := _child_ids(pid)):
            children = again
        unread += children
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                found.append(psutil.Process(child))
    return found


def _children() -> dict[object, str]:
    found: dict[object, str] = {}
    for child in _descendants():
        try:
            line = " ".join(child.cmdline()) or child.name()
            status = child.status()
        except psutil.NoSuchProcess:
            continue
        except psutil.ZombieProcess:
            line, status = "?", psutil.STATUS_ZOMBIE
        if not any(known in line for known in _PROCESS_WIDE_CHILDREN):
            found[child] = f"process {child.pid} ({status}): {line[:200]}"
    return found


def holdings() -> dict[object, str]:
    """Everything this process holds right now, each with a line that names it."""
    return {**_threads(), **_tasks(), **_sockets(), **_children()}


def leaks(
    before: dict[object, str],
    grace: float = 5.0,
    *,
    read: Callable[[], dict[object, str]] = holdings,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Name what is held now and was not before, after waiting up to ``grace`` seconds for it to go."""
    deadline = clock() + grace
    while True:
        left = [line for key, line in read().items() if key not in before]
        if not left or clock() >= deadline:
            return sorted(left)
        sleep(0.02)
