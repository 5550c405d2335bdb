"""Cancellation of a running function whose process was cancelled, closed or reassigned, and of its blocking calls.

An executor may lose a process while its function runs: cancelled, closed, put back to waiting, or stopped on
our side. An asynchronous function is then cancelled; a plain one, in its thread, finds `happened` true, and every call
of a channel raises.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from colony_jupyter.caller import run_with_line
from colony_jupyter.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from colony_jupyter.errors import ColonyError

T = TypeVar("T")


class Cancellation:
    """Whether, and why, a function is to stop. Created and set on the loop, read from any thread."""

    def __init__(self) -> None:
        self.error: ColonyError | None = None
        """Why; None until it happens."""
        self._event = asyncio.Event()
        self._lock = threading.Lock()
        self._calls: set[concurrent.futures.Future[Any]] = set()  # that threads wait for

    @property
    def happened(self) -> bool:
        """Whether the function is to stop."""
        return self.error is not None

    def happen(self, error: ColonyError) -> None:
        """Cancel, for a reason; a second time changes nothing."""
        with self._lock:
            if self.error is not None:
                return
            self.error = error
            calls = list(self._calls)
        self._event.set()
        for call in calls:
            call.cancel()

    async def wait(self) -> None:
        """Wait until the function is to stop."""
        await self._event.wait()

    def check(self) -> None:
        """Raise the reason if the function is to stop.

        Raises:
            ColonyError: the reason.
        """
        if self.error is not None:
            raise self.error

    def begin(self, call: concurrent.futures.Future[Any]) -> None:
        """Cancel a call along with the function."""
        with self._lock:
            if self.error is None:
                self._calls.add(call)
                return
        call.cancel()

    def end(self, call: concurrent.futures.Future[Any]) -> None:
        """Forget a call that has ended."""
        with self._lock:
            self._calls.discard(call)


class ThreadPortal:
    """The way from a plain function's thread to the executor's loop; see `colony_jupyter.client.portal.Portal`.

    Args:
        loop: the loop.
        cancellation: what ends its calls.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, cancellation: Cancellation) -> None:
        self._loop = loop
        self._loop_thread = threading.current_thread()
        self._cancellation = cancellation
        self._spawned: set[concurrent.futures.Future[object]] = set()

    def run(self, function: Callable[..., Coroutine[Any, Any, T]], *args: Any, **kwargs: Any) -> T:
        """Run a coroutine function on the loop and wait for its result.

        Raises:
            ColonyError: once the function is to stop, why it is.
            UsageError: when called from the loop's own thread, which would wait for itself for ever.
        """
        if threading.current_thread() is self._loop_thread:
            raise UsageError("A blocking call was made on the executor's own loop: use an `async def` function there.")
        self._cancellation.check()
        coroutine = function(*args, **kwargs)
        call = run_with_line(lambda: asyncio.run_coroutine_threadsafe(coroutine, self._loop))
        self._cancellation.begin(call)
        try:
            return call.result()
        except concurrent.futures.CancelledError:
            self._cancellation.check()
            raise
        except BaseException:
            call.cancel()
            raise
        finally:
            self._cancellation.end(call)

    def spawn(self, function: Callable[..., Coroutine[Any, Any, object]], *args: Any) -> None:
        """Start a coroutine function on the loop and do not wait for it."""
        call = asyncio.run_coroutine_threadsafe(function(*args), self._loop)
        self._spawned.add(call)
        call.add_done_callback(self._spawned.discard)


@contextlib.asynccontextmanager
async def race(
    *coroutines: Coroutine[Any, Any, Any], seconds: float | None = None
) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Run coroutines side by side until the first of them ends; the context gets their tasks.

    At the end of the context those that have not ended are cancelled, and all have ended.

    Args:
        coroutines: what is run.
        seconds: how long to wait for the first at most; None for no limit.
    """
    tasks = [asyncio.create_task(each) for each in coroutines]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def in_thread(function: Callable[[], T], name: str) -> T:
    """Run a plain function in a thread of its own.

    The interpreter waits at its end for the threads of a pool, so that a function that ignores its cancellation would
    prevent a kernel from ending.

    Args:
        function: the function.
        name: the thread's name.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[T | None, BaseException | None]] = loop.create_future()
    context = contextvars.copy_context()

    def deliver(value: T | None, error: BaseException | None) -> None:
        if not done.done():
            done.set_result((value, error))

    def work() -> None:
        value: T | None = None
        error: BaseException | None = None
        try:
            value = context.run(function)
        except BaseException as raised:  # noqa: BLE001 - whatever a function of the user's raises is handed on
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: the thread went on after its executor
            loop.call_soon_threadsafe(deliver, value, error)

    threading.Thread(target=work, name=name, daemon=True).start()
    value, error = await done
    if error is not None:
        raise error
    return value  # type: ignore[return-value]  # None only if the function gave it
