"""The executors that run in the background of this program: one of a type and name, and none beyond its end."""

from __future__ import annotations

import atexit
import os
import threading
import time
from typing import Any, Final, Protocol

from colony_jupyter.client.portal import LoopThread

LOOP: Final = LoopThread("colony-jupyter-executors")
"""The thread of background executors. Not the client's: a function of the user's that blocks must not hold panes up."""

_EXIT_SECONDS: Final = 4.0
"""Seconds for all of them at the program's end; a kernel is killed when it needs 5 to end."""


class Stoppable(Protocol):
    """What runs an executor until it is stopped."""

    finished: threading.Event
    """Set when it has stopped."""

    def request_stop(self, grace: float) -> None:
        """Ask it to stop, from any thread; ``grace`` is in seconds."""


class BackgroundExecutor(Protocol):
    """An executor that can run in the background."""

    @property
    def executortype(self) -> str:
        """Its type."""

    @property
    def chosen_name(self) -> str | None:
        """The name that the user chose; None if it was generated."""

    @property
    def name(self) -> str | None:
        """Its name in the colony; None before the first start."""

    @property
    def executorid(self) -> str | None:
        """Its id in the colony; None before the first start."""

    @property
    def trouble(self) -> str:
        """Why its calls for work have failed for long, as a clause; empty while they succeed."""

    @property
    def worker(self) -> Stoppable | None:
        """What runs it; None if it was not started."""

    def stop(self) -> None:
        """Stop it and wait for its end."""


_lock = threading.Lock()
_running: dict[tuple[str, str | None], BackgroundExecutor] = {}
_registered_in: int | None = None  # the process at whose end they are stopped; a fork of it has no executors


def _key(executor: BackgroundExecutor) -> tuple[str, str | None]:
    return (executor.executortype, executor.chosen_name)


def replace(executor: BackgroundExecutor) -> None:
    """Stop another executor of the same type and name, so that this one can replace it."""
    with _lock:
        earlier = _running.get(_key(executor))
    if earlier is not None and earlier is not executor:
        earlier.stop()


def add(executor: BackgroundExecutor) -> None:
    """Note that an executor runs, and stop it at the program's end."""
    global _registered_in  # noqa: PLW0603 - the one registration of this process
    with _lock:
        _running[_key(executor)] = executor
        if _registered_in != os.getpid():
            _registered_in = os.getpid()
            # Not public, but `atexit` is too late: the threads that resolve names have ended by then.
            early: Any = getattr(threading, "_register_atexit", atexit.register)
            early(stop_all)


def running() -> list[BackgroundExecutor]:
    """Return the executors that run."""
    with _lock:
        return list(_running.values())


def remove(executor: BackgroundExecutor) -> None:
    """Forget an executor that was stopped."""
    with _lock:
        if _running.get(_key(executor)) is executor:
            del _running[_key(executor)]


def stop_all() -> None:
    """Stop all of them, in bounded time."""
    with _lock:
        executors = list(_running.values())
        _running.clear()
    workers = [executor.worker for executor in executors if executor.worker is not None]
    for worker in workers:
        worker.request_stop(0.0)
    deadline = time.monotonic() + _EXIT_SECONDS
    for worker in workers:
        worker.finished.wait(max(0.0, deadline - time.monotonic()))


def _forget() -> None:
    """Forget the parent's executors in a forked child, where they do not run."""
    global _lock  # noqa: PLW0603 - the parent's may be held
    _lock = threading.Lock()
    _running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
