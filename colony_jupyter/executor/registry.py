"""The executors that run in the background of this program: one of a type and name, and none beyond its end."""

from __future__ import annotations

import atexit
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.client.portal import LoopThread

if TYPE_CHECKING:
    from colony_jupyter.executor.executor import Executor

LOOP: Final = LoopThread("colony-jupyter-executors")
"""The thread of background executors. Not the client's: a function of the user's that blocks must not hold panes up."""

_EXIT_SECONDS: Final = 4.0
"""Seconds for all of them at the program's end; a kernel is killed when it takes 5 to end."""

_lock = threading.Lock()
_running: dict[tuple[str, str | None], Executor] = {}
_registered_in: int | None = None  # the process whose end we are told of; a fork of it has no executors


def _key(executor: Executor) -> tuple[str, str | None]:
    return (executor.executortype, executor.chosen_name)


def replace(executor: Executor) -> None:
    """Stop another executor of the same type and name, so that this one can take its place."""
    with _lock:
        earlier = _running.get(_key(executor))
    if earlier is not None and earlier is not executor:
        earlier.stop()


def add(executor: Executor) -> None:
    """Remember that an executor runs, and stop it at the program's end."""
    global _registered_in  # noqa: PLW0603 - the one registration of this process
    with _lock:
        _running[_key(executor)] = executor
        if _registered_in != os.getpid():
            _registered_in = os.getpid()
            # Before the threads that look up names are told to end, which `atexit` is too late for; it is not public.
            early: Any = getattr(threading, "_register_atexit", atexit.register)
            early(stop_all)


def running() -> list[Executor]:
    """Return the executors that run."""
    with _lock:
        return list(_running.values())


def remove(executor: Executor) -> None:
    """Forget an executor that was stopped."""
    with _lock:
        if _running.get(_key(executor)) is executor:
            del _running[_key(executor)]


def stop_all() -> None:
    """Stop all of them, in bounded time."""
    with _lock:
        executors = list(_running.values())
        _running.clear()
    if _registered_in != os.getpid():
        return
    services = [executor.service for executor in executors if executor.service is not None]
    for service in services:
        service.request_stop(0.0)
    deadline = time.monotonic() + _EXIT_SECONDS
    for service in services:
        service.finished.wait(max(0.0, deadline - time.monotonic()))


def _forget() -> None:
    """Forget the parent's executors in a forked child, where they do not run."""
    global _lock  # noqa: PLW0603 - the parent's may be held
    _lock = threading.Lock()
    _running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
