"""Runs functions that callers send: checks the sender, starts a process, answers its requests, reports its end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.errors import ColonyError, UsageError
from colony_jupyter.executor.callers.child_process import ChildProcess
from colony_jupyter.executor.callers.policy import check_sender
from colony_jupyter.executor.callers.protocol import Raised, Request, Returned, Start
from colony_jupyter.executor.callers.requests import Requests
from colony_jupyter.executor.cancellation import race
from colony_jupyter.executor.functions import Definition, Unfit
from colony_jupyter.functions.receiving import receive

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.executor.callers.policy import Allowed
    from colony_jupyter.executor.context import Context
    from colony_jupyter.wire.models import FunctionSpec

_AT_ONCE: Final = 256
"""Requests of one function that are answered at once; it is not read from while there are so many."""
_LAST_MESSAGES: Final = 1.0
"""Seconds to read what a process sent before it exited."""


class CallerFunctions:
    """Makes definitions of the functions that specs carry.

    Args:
        allowed: who may send functions.
        executortype: type of the executor.
        executorname: gives the name of the executor.
        memory: bytes of address space for one function; None for no limit.
    """

    def __init__(
        self, allowed: Allowed, executortype: str, executorname: Callable[[], str], memory: int | None
    ) -> None:
        self._allowed = allowed
        self._executortype = executortype
        self._executorname = executorname
        self._memory = memory

    def definition(self, spec: FunctionSpec) -> Definition:
        """Return the function of a spec. It runs in a process of its own when it is called.

        Raises:
            Unfit: if the spec carries none that can be read.
        """
        try:
            received = receive(spec.funcname, spec.env)
        except UsageError as error:
            raise Unfit(str(error)) from None

        async def run(context: Context, *_args: Any, **_kwargs: Any) -> list[Any]:
            process = context.process.record
            await check_sender(process, self._allowed, context.colony, self._executorname())
            start = Start(
                received.funcname,
                received.text,
                list(received.segments),
                received.python,
                process,
                self._executorname(),
                self._executortype,
                self._memory,
            )
            return await _run(start, context)

        return Definition(spec.funcname, run)


async def _run(start: Start, context: Context) -> list[Any]:
    """Run a function in a new process, and return the members of the output.

    Raises:
        Unfit: with the texts of what it raised, or how its process ended.
    """
    async with ChildProcess() as child, contextlib.aclosing(Requests(context)) as requests:
        await child.send(start)
        # A process that it has started may hold the pipe open, so the end of the pipe is not the only sign.
        async with race(_serve(child, requests), child.exited()) as (receiving, exiting):
            if not (receiving.done() and receiving.exception()):
                await child.finish()
            await asyncio.wait({receiving}, timeout=_LAST_MESSAGES)
            last = receiving.result() if receiving.done() else None
            if last is None:
                raise Unfit(_end_of(await exiting, start.executorname))
    if isinstance(last, Raised):
        raise Unfit(*last.errors)
    for note in list(last.notes):
        with contextlib.suppress(ColonyError):
            await context.log(f"result: {note}")
    try:
        return msgspec.json.decode(last.output, type=list)
    except ValueError:
        raise Unfit("The function wrote into the pipe that its executor reads.") from None


async def _serve(child: ChildProcess, requests: Requests) -> Returned | Raised | None:
    """Answer requests until the last message; None if there is none."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def answer(request: Request) -> None:
        try:
            await child.send(await requests.answer(request))
        finally:
            slots.release()

    answers: set[asyncio.Task[None]] = set()
    try:
        while isinstance(message := await child.receive(), Request):
            await slots.acquire()
            task = asyncio.create_task(answer(message))
            answers.add(task)
            task.add_done_callback(answers.discard)
        return message
    finally:
        for task in answers:
            task.cancel()
        await asyncio.gather(*answers, return_exceptions=True)


def _end_of(code: int, executorname: str) -> str:
    """Describe how a process has ended without a last message."""
    if code >= 0:
        return f"The function ended its Python process with exit code {code} (os._exit?), so there is no result."
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if -code == signal.SIGKILL:
        return (
            f"The process of the function was killed ({name}). Mostly the machine of executor '{executorname}' has no "
            "memory left: let the function use less, or submit it to another executor."
        )
    return f"The process of the function crashed ({name}). Its log may show where."
