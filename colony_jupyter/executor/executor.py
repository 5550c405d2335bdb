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
from colony_jupyter.executor.callers.environment import hide_start_environment
from colony_jupyter.executor.callers.handler import CallerFunctions
from colony_jupyter.executor.callers.policy import ANYONE, anyone_warning, read_allowed
from colony_jupyter.executor.functions import Functions, check_decorated, define, define_chat
from colony_jupyter.executor.kernels import KEEP, KERNEL, Kernels
from colony_jupyter.executor.membership.identity import claim, origin
from colony_jupyter.executor.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from colony_jupyter.executor.callers.policy import Allowed
    from colony_jupyter.executor.functions import Definition
    from colony_jupyter.executor.membership.identity import Identity
    from colony_jupyter.settings import Settings

F = TypeVar("F", bound="Callable[..., Any]")

logger = logging.getLogger(__name__)

CONCURRENCY: Final = 32
"""Processes at once by default. A conversation is one for as long as it lasts, and mostly waits."""
_STOP_SECONDS: Final = 10.0
"""Seconds for a stop beyond the grace; it needs 5 at most unless the loop is blocked."""
_START_UNDO: Final = 5.0
"""Seconds in which a start that failed must have released what it held."""
_POLL: Final = 0.02
"""Seconds between two checks of an event that a thread waits for."""


class Executor:
    """Accepts processes of one type and runs functions for them.

    Assignment goes by type alone, so a notebook uses a type of its own. Making an executor of the same type (and name)
    again, as running its cell again does, stops the earlier one.

    Args:
        executortype: its type; ends best with a letter (trap 5).
        name: its name in the colony; by default one made of type, machine and id, another one for each copy. Its key
            is stored in a file that only the user can read, so that after a restart it is the same executor.
        settings: where the colony is; by default, at each start, what ``%colony connect`` chose in this kernel, else
            the environment, else the embedded colony. If they have the key of the colony's owner, the executor is
            added and approved.
        concurrency: how many processes it runs at once. While that many run, a conversation without messages
            for ten minutes is ended for the next process.
        capture_output: whether what a function prints to stdout and stderr, or logs with `logging`, also becomes lines
            of its process's log: in batches of a quarter of a second, so that many prints become few calls.

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
        self._worker: Worker | None = None  # None before the first start
        registry.replace(self)

    @property
    def name(self) -> str | None:
        """Its name in the colony; one that was not chosen is known while it runs."""
        return self._name if self._worker is None else self._worker.identity.executorname

    @property
    def executorid(self) -> str | None:
        """Its id in the colony; None before the first start."""
        return None if self._worker is None else self._worker.identity.key.id

    @property
    def chosen_name(self) -> str | None:
        """The name it was given; None if it was given none."""
        return self._name

    @property
    def worker(self) -> Worker | None:
        """The worker that runs, or the last one; None before the first start."""
        return self._worker

    @property
    def trouble(self) -> str:
        """Reason why its calls for work have failed for long, as a clause; empty while they succeed."""
        return self._worker.trouble.text if self._worker is not None and self.is_running else ""

    @property
    def is_running(self) -> bool:
        """Whether it accepts processes."""
        return self._worker is not None and not self._worker.finished.is_set()

    def __repr__(self) -> str:
        named = f" {self.name!r}" if self.name else ""
        return f"<Executor of type {self.executortype!r}{named}{'' if self.is_running else ', not running'}>"

    def function(self, name: str) -> Callable[[F], F]:
        """Offer a function: it is called with the context and the arguments of the spec.

        An ``async def`` function runs on the executor's loop, a plain one in a thread of its own. What it returns is
        the output; what it raises fails the process. A name given again replaces the earlier function, also
        while the executor runs.

        Args:
            name: its name in the colony.

        Raises:
            UsageError: if the function could never be called.
        """
        check_decorated(name, "function")

        def register(function: F) -> F:
            self._add(define(name, function))
            return function

        return register

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

        def register(function: F) -> F:
            self._add(define_chat(name or channel, function, channel))
            return function

        return register

    def functions_from_callers(self, allow: Sequence[str] | str | None = None, *, memory: int | None = None) -> None:
        """Also run functions that callers send with their processes: ``colony.submit(train, 0.1)``.

        Such a function runs in a process of its own, without keys in its environment, as the operating system's user
        of this executor. However it ends, the executor continues.

        Args:
            allow: names or ids of users of the colony that may send functions besides the executor's own user;
                ``"anyone"`` for all members.
            memory: bytes of address space that a function may have; None for no limit.

        Raises:
            UsageError: for another text than ``"anyone"``.
        """
        allowed = self._open_to(allow)
        self._functions.from_callers = CallerFunctions(
            allowed, self.executortype, lambda: self.name or self.executortype, memory
        ).definition

    def kernels(self, allow: Sequence[str] | str | None = None, *, kernel: str = KERNEL, keep: float = KEEP) -> None:
        """Also run Jupyter kernels for callers: ``colony-jupyter kernel install``, ``%%colony run``.

        A kernel runs as the operating system's user of this executor, without keys in its environment.

        Args:
            allow: names or ids of users of the colony that may run kernels besides the executor's own user;
                ``"anyone"`` for all members.
            kernel: the installed kernel that is started for callers that name none.
            keep: seconds that a kernel lives without a caller.

        Raises:
            UsageError: for another text than ``"anyone"``.
            ExecutorError: if there is no such kernel on this machine.
        """
        allowed = self._open_to(allow)
        offered = Kernels(allowed, lambda: self.name or self.executortype, kernel, keep)
        self._functions.closers.append(offered.aclose)
        self._add(offered.definition)

    def _open_to(self, allow: Sequence[str] | str | None) -> Allowed:
        """Return who may have code run here, after hiding the keys of this process from that code.

        Raises:
            UsageError: for another text than ``"anyone"``.
        """
        allowed = read_allowed(allow)
        if allowed == ANYONE:
            print(anyone_warning(self.executortype))  # noqa: T201 - the line warns the user
        hide_start_environment()
        return allowed

    def _add(self, definition: Definition) -> None:
        """Offer a function, in the place of the one of its name, and list it in the colony if the executor runs."""
        self._functions.add(definition)
        worker = self._worker
        if worker is not None and not worker.finished.is_set():
            with contextlib.suppress(RuntimeError):  # its loop has just been closed
                worker.publish_soon()

    # in the background

    def start(self) -> None:
        """Run it in the background; returns once it is registered and approved.

        Where the colony's key is not available, a line states what its owner has to do, and the call waits for that.

        Raises:
            ColonyError: if it cannot be registered; the message contains the reason.
        """
        if self.is_running:
            return
        registry.replace(self)
        made: list[Worker] = []

        async def make() -> None:
            made.append(await self._make())  # here, since an interrupt may lose what a call on the loop returns

        try:
            registry.LOOP.run(make)
            (worker,) = made
            sentence = registry.LOOP.run(worker.join)
            if sentence is not None:
                print(sentence)  # noqa: T201 - the line asks the user to act; here, so that it appears below the cell
            registry.LOOP.run(worker.wait_for_approval)
            registry.LOOP.run(self._serve_in_background, worker)
        except BaseException:
            for worker in made:
                if self._worker is worker:
                    worker.request_stop(0.0)
                else:
                    registry.LOOP.spawn(worker.wind_up)
                _await(worker.finished, _START_UNDO)
            raise

    def stop(self, grace: float = 0.0) -> None:
        """Stop it; returns once nothing of it runs, a few seconds after the grace at the latest.

        On the loop that it is served on it returns at once.

        Args:
            grace: seconds that running processes still have; then they are failed with a sentence.

        Raises:
            ExecutorError: if it could not be stopped, since an ``async def`` function blocks its loop.
        """
        worker = self._worker
        if worker is None:
            return
        worker.request_stop(grace)
        would_wait_for_itself = threading.current_thread() is worker.thread
        if not (would_wait_for_itself or _await(worker.finished, max(grace, 0.0) + _STOP_SECONDS)):
            raise ExecutorError(
                f"{self!r} does not stop: an `async def` function seems to block its loop. Let it `await` "
                "(asyncio.sleep instead of time.sleep), or make it a plain function, which runs in a thread."
            )
        registry.remove(self)

    # on the caller's loop

    async def serve(self) -> None:
        """Run it on this loop until it is cancelled or `stop` is called from elsewhere.

        Raises:
            ColonyError: if it cannot be registered, or was rejected by the owner of the colony.
            UsageError: if it runs already.
        """
        if self.is_running:
            raise UsageError(f"Executor '{self.name}' runs already: stop() it first.")
        worker = self._worker = await self._make()
        try:
            sentence = await worker.join()
            if sentence is not None:
                print(sentence)  # noqa: T201 - the line asks the user to act
            await worker.wait_for_approval()
        except BaseException:
            await worker.wind_up()
            raise
        await worker.serve()

    async def _make(self) -> Worker:
        """Claim the executor's identity and return a worker that owns it. If cancelled, release the identity."""
        claiming = asyncio.ensure_future(asyncio.to_thread(claim, self.executortype, self._name, origin=origin()))
        try:
            identity = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            claiming.add_done_callback(_release)  # the thread goes on, and a second cancellation may end the wait below
            await asyncio.wait({claiming})
            raise
        try:
            return Worker(
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

    async def _serve_in_background(self, worker: Worker) -> None:
        """Start to serve. Without an await: an interrupt finds all of it done, or nothing."""
        self._worker = worker
        registry.add(self)
        registry.LOOP.spawn(_serve_quietly, worker)


def _await(event: threading.Event, seconds: float) -> bool:
    """Wait for an event, at most so long; whether it came.

    Its own `wait` is Python code: an interrupt in the middle of that can become a RuntimeError.
    """
    deadline = time.monotonic() + seconds
    while not event.is_set() and time.monotonic() < deadline:
        time.sleep(_POLL)
    return event.is_set()


def _release(claiming: asyncio.Future[Identity]) -> None:
    if not claiming.cancelled() and claiming.exception() is None:
        claiming.result().release()


async def _serve_quietly(worker: Worker) -> None:
    try:
        await worker.serve()
    except Exception:
        logger.exception("executor %r has stopped", worker.identity.executorname)
