"""The one background thread with an event loop of its own, and how other threads hand work over to it.

A kernel's own loop cannot be used: ipykernel 7 stalls tasks made in a cell once the cell has ended. Waiting is done in
slices so that an interrupt is noticed, and an interrupt cancels the awaited coroutine (docs/decisions.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import weakref
from concurrent.futures import InvalidStateError
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from colony_jupyter.caller import run_with_line
from colony_jupyter.client.connection import preserve_loop
from colony_jupyter.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

T = TypeVar("T")

SLICE: Final = 0.05
"""Seconds between two checks of a waiting thread for an interrupt."""

_CANCEL_WAIT: Final = 2.0


class Portal(Protocol):
    """A way for other threads to have coroutines run on a loop."""

    def run(self, function: Callable[..., Coroutine[Any, Any, T]], *args: Any, **kwargs: Any) -> T:
        """Run a coroutine function on the loop and wait for its result."""

    def spawn(self, function: Callable[..., Coroutine[Any, Any, object]], *args: Any) -> None:
        """Start a coroutine function on the loop and do not wait for it."""


class LoopThread:
    """A daemon thread that runs an event loop, started when first needed."""

    def __init__(self, name: str = "colony-jupyter") -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None  # None before the start and after `stop`
        self._thread: threading.Thread | None = None
        self._spawned: set[asyncio.Task[object]] = set()
        _loop_threads.add(self)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop."""
        with self._lock:
            if self._loop is None:
                self._start()
            assert self._loop is not None  # noqa: S101 - `_start` sets it
            return self._loop

    def run(self, function: Callable[..., Coroutine[Any, Any, T]], *args: Any, **kwargs: Any) -> T:
        """Run a coroutine function on the loop and wait for its result.

        An exception in the waiting thread, `KeyboardInterrupt` above all, cancels the coroutine.

        Raises:
            UsageError: when called from a loop's own thread, all of whose work would wait, the call itself perhaps too.
        """
        current = threading.current_thread()
        if any(each._thread is current for each in _loop_threads):  # noqa: SLF001 - of this class
            raise UsageError(
                "A blocking call was made from colony_jupyter's own thread, where it would wait for itself: "
                "use the async form (AsyncColony, `await`, `async for`) there."
            )
        loop = self.loop
        call = _Call(function(*args, **kwargs))  # owned before anything can interrupt, or a task would be left behind
        try:
            run_with_line(loop.call_soon_threadsafe, call.start)
            while not call.wait(SLICE):
                pass
        except BaseException:
            with contextlib.suppress(RuntimeError):  # the loop may be gone at interpreter exit
                loop.call_soon_threadsafe(call.cancel)
                call.wait(_CANCEL_WAIT)
            raise
        return call.result()

    def call_soon(self, callback: Callable[..., object], *args: Any) -> None:
        """Call a callback on the loop soon; from any thread."""
        self.loop.call_soon_threadsafe(callback, *args)

    def spawn(self, function: Callable[..., Coroutine[Any, Any, object]], *args: Any) -> None:
        """Start a coroutine function on the loop and do not wait for it; from any thread."""

        def start() -> None:
            task = asyncio.get_running_loop().create_task(function(*args))
            self._spawned.add(task)  # the loop itself keeps only weak references
            task.add_done_callback(self._spawned.discard)

        self.loop.call_soon_threadsafe(start)

    def begin(self, outcome: Future[T], function: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> None:
        """Start a coroutine function on the loop and do not wait for it; from any thread.

        Args:
            outcome: gets what it returns or raises; cancelling it cancels the coroutine. The caller has it before the
                coroutine starts, so that an interrupt at any time can cancel it.
            function: the coroutine function.
            args: its arguments.
        """
        loop = self.loop
        task: asyncio.Task[T] | None = None  # None until the loop has started it

        def start() -> None:
            nonlocal task
            if not outcome.cancelled():
                task = loop.create_task(function(*args))
                task.add_done_callback(finish)

        def cancel() -> None:
            if task is not None:
                task.cancel()

        def finish(task: asyncio.Task[T]) -> None:
            if task.cancelled():
                outcome.cancel()
                return
            error = task.exception()
            with contextlib.suppress(InvalidStateError):  # it was cancelled meanwhile
                outcome.set_result(task.result()) if error is None else outcome.set_exception(error)

        # Before the start: what cancels it has the loop cancel the task before all else that it hands to the loop.
        outcome.add_done_callback(lambda _: loop.call_soon_threadsafe(cancel))
        loop.call_soon_threadsafe(start)

    def stop(self) -> None:
        """End the loop and its thread; tasks that are left are cancelled. It starts anew when needed again."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    def _start(self) -> None:
        loop = asyncio.new_event_loop()
        self._loop = loop
        self._thread = threading.Thread(target=_serve, args=(loop,), name=self._name, daemon=True)
        self._thread.start()

    def _forget(self) -> None:
        """Forget the parent's loop in a forked child, where its thread does not exist."""
        if self._loop is not None:
            preserve_loop(self._loop)
        self._spawned = set()
        self._lock = threading.Lock()
        self._loop = self._thread = None


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


class _Call(Generic[T]):
    """A coroutine on its way to the loop, its task once started, and its outcome."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self._task: asyncio.Task[T] | None = None  # None until the loop has started it
        self._cancelled = False
        self._done = False
        # Held until it is done. Not a `threading.Event`, whose waiting is Python code: an interrupt in the middle of
        # that leaves its lock as it must not be, and a RuntimeError takes the place of the KeyboardInterrupt.
        self._gate = threading.Lock()
        self._gate.acquire()

    def wait(self, seconds: float) -> bool:
        """Wait for its end, at most so long; whether it has ended."""
        return self._done or self._gate.acquire(timeout=seconds)

    def start(self) -> None:
        if self._cancelled:
            self._coroutine.close()
            self._end()
            return
        self._task = asyncio.get_running_loop().create_task(self._coroutine)
        self._task.add_done_callback(lambda _: self._end())

    def cancel(self) -> None:
        self._cancelled = True
        if self._task is None:
            self._coroutine.close()
            self._end()
        else:
            self._task.cancel()

    def _end(self) -> None:
        if not self._done:
            self._done = True
            self._gate.release()

    def result(self) -> T:
        assert self._task is not None  # noqa: S101 - done and not cancelled: it was started
        return self._task.result()


def _forget_all() -> None:
    for each in _loop_threads:
        each._forget()  # noqa: SLF001 - of this module


_loop_threads: Final[weakref.WeakSet[LoopThread]] = weakref.WeakSet()

PORTAL: Final = LoopThread()
"""The thread that all blocking faces and magics share."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
