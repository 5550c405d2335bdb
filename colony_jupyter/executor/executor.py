"""`Executor`: functions of the user's, offered to a colony."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
import warnings
from typing import TYPE_CHECKING, Any, Final, TypeVar

from colony_jupyter.client.function_spec import check_name
from colony_jupyter.errors import ExecutorError, UsageError
from colony_jupyter.executor import registry
from colony_jupyter.executor.functions import Functions, check_decorated, define, define_chat
from colony_jupyter.executor.membership.identity import claim, origin
from colony_jupyter.executor.worker import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.executor.membership.identity import Identity
    from colony_jupyter.settings import Settings

F = TypeVar("F", bound="Callable[..., Any]")

logger = logging.getLogger(__name__)

CONCURRENCY: Final = 32
"""Processes at once by default. A conversation is one for as long as it lasts, and mostly waits."""


class Executor:
    """Takes processes of one type and runs functions for them.

    Assignment goes by type alone, so a notebook uses a type of its own. Making an executor of the same type (and name)
    again, as running its cell again does, stops the earlier one.

    Args:
        executortype: its type; ends best with a letter (trap 5).
        name: its name in the colony; by default one made of type, machine and id, another one for each copy. Its key
            is kept in a file that only the user can read, so that after a restart it is the same executor.
        settings: where the colony is; by default, at each start, what ``%colony connect`` chose in this kernel, else
            the environment, else the embedded colony. The colony's key, where it is at hand, adds and approves the
            executor.
        concurrency: how many processes it runs at once. While that many run, a conversation in which nothing was said
            for ten minutes is ended for the next process.
        capture_output: whether what a function prints to stdout and stderr, or logs with `logging`, also becomes lines
            of its process's log: in batches of a quarter of a second, so that many prints stay few calls.

    Raises:
        InvalidSpec: for a type or name with a colon, which would ruin the colony's lists (trap 13).
    """

    def __init__(
        self,
        executortype: str,
        name: str | None = None,
        *,
        settings: Settings | None = None,
        concurrency: int = CONCURRENCY,
        capture_output: bool = True,
    ) -> None:
        self.executortype = check_name(executortype, "an executor type")
        self._name = None if name is None else check_name(name, "an executor")
        if executortype[-1].isdigit():
            warnings.warn(
                f"Executor types that differ by trailing digits collide in ColonyOS: end '{executortype}' with a "
                "letter.",
                stacklevel=2,
            )
        if concurrency < 1:
            raise UsageError(f"concurrency is {concurrency}: at least 1 is needed.")
        self._settings = settings
        self._concurrency = concurrency
        self._capture_output = capture_output
        self._functions = Functions()
        self._service: Service | None = None  # None before the first start
        registry.replace(self)

    @property
    def name(self) -> str | None:
        """Its name in the colony; one that was not chosen is known while it runs."""
        return self._name if self._service is None else self._service.identity.executorname

    @property
    def chosen_name(self) -> str | None:
        """The name it was given; None if it was given none."""
        return self._name

    @property
    def service(self) -> Service | None:
        """What runs of it, or ran last; None before the first start."""
        return self._service

    @property
    def trouble(self) -> str:
        """Why it has received no work for long, as a clause; empty while calls for work succeed."""
        return self._service.trouble.text if self._service is not None and self.is_running else ""

    @property
    def is_running(self) -> bool:
        """Whether it takes processes."""
        return self._service is not None and not self._service.finished.is_set()

    def __repr__(self) -> str:
        named = f" {self.name!r}" if self.name else ""
        return f"<Executor of type {self.executortype!r}{named}{'' if self.is_running else ', not running'}>"

    def function(self, name: str) -> Callable[[F], F]:
        """Offer a function: it is called with the context and the arguments of the spec.

        An ``async def`` function runs on the executor's loop, a plain one in a thread of its own. What it returns is
        the output; what it raises fails the process. A name given again takes the place of the earlier function, also
        while the executor runs.

        Args:
            name: its name in the colony.

        Raises:
            UsageError: if the function could never be called.
        """
        check_decorated(name, "function")

        def take(function: F) -> F:
            self._functions.add(define(name, function))
            self._tell()
            return function

        return take

    def chat(self, channel: str, name: str | None = None) -> Callable[[F], F]:
        """Offer a conversation: the function is called with the context and each message, an `Entry`.

        It yields the pieces of its reply (a generator, asynchronous or plain) or returns it whole. ``end`` on the
        channel, from either side, ends the conversation.

        Args:
            channel: the channel it talks on, which the process must declare.
            name: its name in the colony; the channel's by default.

        Raises:
            UsageError: if the function could never be called.
        """
        check_decorated(channel, "chat")

        def take(function: F) -> F:
            self._functions.add(define_chat(name or channel, function, channel))
            self._tell()
            return function

        return take

    # in the background

    def start(self) -> None:
        """Run it in the background; returns once it is registered and approved.

        Where the colony's key is not at hand, a line says what the colony's owner has to do, and that is waited for.

        Raises:
            ColonyError: if it cannot be; the sentence says why.
        """
        if self.is_running:
            return
        registry.replace(self)
        made: list[Service] = []

        async def make() -> None:
            made.append(await self._make())  # here, since an interrupt may lose what a call on the loop returns

        try:
            registry.LOOP.run(make)
            (service,) = made
            sentence = registry.LOOP.run(service.join)
            if sentence is not None:
                print(sentence)  # noqa: T201 - the line asks the user to act
            registry.LOOP.run(service.settle)
            registry.LOOP.run(self._serve_in_background, service)
        except BaseException:
            for service in made:
                if self._service is service:
                    service.request_stop(0.0)
                else:
                    registry.LOOP.spawn(service.wind_up)
                _await(service.finished, _START_UNDO)
            raise

    def stop(self, grace: float = 0.0) -> None:
        """Stop it; returns once nothing of it runs, a few seconds after the grace at the latest.

        On the loop that it is served on it returns at once.

        Args:
            grace: seconds that running processes still have; then they are failed with a sentence.

        Raises:
            ExecutorError: if it could not be stopped, since an ``async def`` function blocks its loop.
        """
        service = self._service
        if service is None:
            return
        service.request_stop(grace)
        would_wait_for_itself = threading.current_thread() is service.thread
        if not (would_wait_for_itself or _await(service.finished, max(grace, 0.0) + _STOP_SECONDS)):
            raise ExecutorError(
                f"{self!r} does not stop: an `async def` function seems to block its loop. Let it `await` "
                "(asyncio.sleep instead of time.sleep), or make it a plain function, which runs in a thread."
            )
        registry.remove(self)

    # on the caller's loop

    async def serve(self) -> None:
        """Run it on this loop until it is cancelled or `stop` is called from elsewhere.

        Raises:
            ColonyError: if it cannot be registered, or is not wanted any more.
            UsageError: if it runs already.
        """
        if self.is_running:
            raise UsageError(f"Executor '{self.name}' runs already: stop() it first.")
        service = self._service = await self._make()
        try:
            sentence = await service.join()
            if sentence is not None:
                print(sentence)  # noqa: T201 - the line asks the user to act
            await service.settle()
        except BaseException:
            await service.wind_up()
            raise
        await service.serve()

    async def _make(self) -> Service:
        """Claim the executor's identity and return a service that owns it. If cancelled, release the identity."""
        claiming = asyncio.ensure_future(asyncio.to_thread(claim, self.executortype, self._name, origin=origin()))
        try:
            identity = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            claiming.add_done_callback(_release)  # the thread goes on, and a second cancellation may end the wait below
            await asyncio.wait({claiming})
            raise
        try:
            return Service(
                self._settings,
                identity,
                self.executortype,
                self._functions,
                self._concurrency,
                capture_output=self._capture_output,
            )
        except BaseException:
            identity.release()
            raise

    async def _serve_in_background(self, service: Service) -> None:
        """Start to serve. Without an await: an interrupt finds all of it done, or nothing."""
        self._service = service
        registry.add(self)
        registry.LOOP.spawn(_serve_quietly, service)

    def _tell(self) -> None:
        service = self._service
        if service is not None and not service.finished.is_set():
            with contextlib.suppress(RuntimeError):  # its loop has just been closed
                service.publish_soon()


_STOP_SECONDS: Final = 10.0
"""Seconds for a stop beyond the grace; it takes 5 at most unless the loop is blocked."""
_START_UNDO: Final = 5.0
"""Seconds for a start that failed to let go of what it had."""


_LOOK: Final = 0.02


def _await(event: threading.Event, seconds: float) -> bool:
    """Wait for an event, at most so long; whether it came.

    Its own `wait` is Python code: an interrupt in the middle of that can become a RuntimeError.
    """
    deadline = time.monotonic() + seconds
    while not event.is_set() and time.monotonic() < deadline:
        time.sleep(_LOOK)
    return event.is_set()


def _release(claiming: asyncio.Future[Identity]) -> None:
    if not claiming.cancelled() and claiming.exception() is None:
        claiming.result().release()


async def _serve_quietly(service: Service) -> None:
    try:
        await service.serve()
    except Exception:
        logger.exception("executor %r has stopped", service.identity.executorname)
