"""What a process holds, so that a test can be asked whether it left something behind.

Threads, tasks of every event loop, sockets and child processes are compared with what was there before. What is on its
way out is waited for; what stays is named.
"""

from __future__ import annotations

import asyncio
import asyncio.base_events
import functools
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

_loops: weakref.WeakSet[asyncio.base_events.BaseEventLoop] = weakref.WeakSet()

# They belong to the process, not to whatever test happened to be the first to need them.
_PROCESS_WIDE_THREADS = (
    "colony-jupyter",  # the package's one loop thread: its tasks are looked at, the thread itself stays
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

    asyncio.base_events.BaseEventLoop.__init__ = noted  # type: ignore[method-assign]


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


def _sockets() -> dict[object, str]:
    return {
        (found.fd, found.laddr, found.raddr): f"socket {found.laddr} -> {found.raddr or 'no peer'} ({found.status})"
        for found in psutil.Process().net_connections(kind="inet")
    }


def _children() -> dict[object, str]:
    found: dict[object, str] = {}
    for child in psutil.Process().children(recursive=True):
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
    settle: float = 5.0,
    *,
    look: Callable[[], dict[object, str]] = holdings,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Name what is held now and was not before, after waiting up to ``settle`` seconds for it to go."""
    deadline = clock() + settle
    while True:
        left = [line for key, line in look().items() if key not in before]
        if not left or clock() >= deadline:
            return sorted(left)
        sleep(0.02)
