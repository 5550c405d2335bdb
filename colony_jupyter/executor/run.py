"""One process on this executor: its function is called and watched, and its end reported."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.errors import ColonyError, ExecutorError, ProcessCancelled
from colony_jupyter.executor import error_report
from colony_jupyter.executor.cancellation import Cancellation, ThreadPortal, in_thread, race
from colony_jupyter.executor.chat import Chat
from colony_jupyter.executor.closing import Closing, Outcome, is_assignment
from colony_jupyter.executor.context import Context, ThreadContext
from colony_jupyter.executor.functions import Unfit, as_output
from colony_jupyter.executor.logs.output_capture import OutputCapture
from colony_jupyter.executor.logs.output_hooks import captured
from colony_jupyter.executor.logs.process_log import ProcessLog
from colony_jupyter.executor.progress import frame_reporter
from colony_jupyter.values.datatable import revive
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.executor.functions import Functions

logger = logging.getLogger(__name__)

_UNWATCHED: Final = 0.5
"""Seconds a function runs before its process is watched: watching needs several connections."""
_LEAVE: Final = 1.0
"""Seconds a function has to return once it is asked to stop."""


class Run:
    """A process from its assignment to its end.

    Args:
        process: the process.
        colony: the colony, as the executor.
        functions: what there is to call.
        executortype: the executor's type, to name it.
        capture_output: whether what the function prints and logs goes to the process's log.
    """

    def __init__(
        self,
        process: AsyncProcess,
        colony: AsyncColony,
        functions: Functions,
        executortype: str,
        *,
        capture_output: bool = True,
    ) -> None:
        self.process = process
        self.started = process.starttime  # of this assignment: the handle's record may become that of a later one
        self._colony = colony
        self._functions = functions
        self._executortype = executortype
        self._process_log = ProcessLog(process)
        self._captures_output = capture_output
        self._capture: OutputCapture | None = None  # None before the function is called, or if it is not captured
        self._cancellation = Cancellation()
        self._lost = asyncio.Event()
        self._stopped: str | None = None  # why, when the executor ends it; then the process is still ours to fail
        self._hurry = asyncio.Event()
        self._answering: dict[str, int] = {}
        self._chat: Chat | None = None  # None for a function that is called once

    @property
    def quiet_since(self) -> float | None:
        """Time (``time.monotonic``) of the last message of a conversation; None for anything that is at work."""
        return None if self._chat is None else self._chat.quiet_since

    def dismiss(self) -> None:
        """End a conversation without messages; its process ends with success."""
        if self._chat is not None:
            logger.info("%r: no message comes, and its slot is needed", self.process)
            self._chat.dismiss()

    def lose(self, reason: str) -> None:
        """Stop the function, or the report of its end, since the process is not ours any more."""
        self._lost.set()
        self._cancellation.happen(ExecutorError(f"Process {self.process.processid[:8]} is lost: {reason}."))

    def stop(self, sentence: str) -> None:
        """Stop the function, and fail the process with a sentence."""
        if self._stopped is None:
            self._stopped = sentence
            self._hurry.set()
            self._cancellation.happen(ExecutorError(sentence))

    async def run(self) -> None:
        """Run the function and end the process."""
        following = asyncio.create_task(self._follow())
        if self._captures_output:
            self._capture = OutputCapture(self._process_log.add, on_frame=frame_reporter(self.process))
        try:
            outcome = await self._outcome()
            await self._end_capture()
            if outcome is not None and not self._lost.is_set():
                closing = Closing(self.process, self.started, answering=self._answering, hurry=self._hurry)
                async with race(closing.run(outcome), self._lost.wait()) as (reporting, _):
                    if reporting.done():
                        reporting.result()
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await self._end_capture()
            for writer in list(self.process.shared.writers.values()):  # a task left behind may open another
                await writer.aclose()

    async def _outcome(self) -> Outcome | None:
        """Wait for the function's end, or make it end; None if the process is not ours any more."""
        working = asyncio.create_task(self._work())
        losing = asyncio.create_task(self._cancellation.wait())
        try:
            await asyncio.wait({working, losing}, return_when=asyncio.FIRST_COMPLETED)
            if self._cancellation.error is None:
                return working.result()
            working.cancel()
            await asyncio.wait({working}, timeout=_LEAVE)
            if not working.done():
                logger.warning("%r: its function goes on although it was asked to stop", self.process)
            logger.info("%r: %s", self.process, self._cancellation.error)
            return None if self._stopped is None else Outcome(errors=(self._stopped,))
        finally:
            for task in (working, losing):
                task.cancel()
            await asyncio.wait({working, losing}, timeout=_LEAVE)

    async def _work(self) -> Outcome:
        try:
            with captured(self._capture):
                return await self._converted(await self._call())
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return Outcome(errors=("The function was cancelled from within.",))
        except Unfit as error:
            return Outcome(errors=error.sentences)
        # SystemExit and KeyboardInterrupt too: on the loop they would end all its processes.
        except BaseException as error:  # noqa: BLE001 - all of it goes to the submitter
            errors = error_report.report(error)
            logger.info("%r: its function raised: %s", self.process, "\n".join(errors))
            return Outcome(errors=errors)

    async def _converted(self, value: Any) -> Outcome:
        """Convert what the function returned. What was changed is written to the process's log."""
        converted = as_output(value)
        for note in converted.notes():
            with contextlib.suppress(ColonyError):
                await self._log(f"result: {note}")
        return Outcome(output=converted.value, errors=(converted.complaint(),) if converted.faults else ())

    async def _call(self) -> Any:
        spec = self.process.spec
        revive(spec.args)
        revive(spec.kwargs)
        definition = self._functions.find(spec, self._executortype)
        portal = ThreadPortal(asyncio.get_running_loop(), self._cancellation)
        context: Context | ThreadContext
        if definition.takes_async_context:
            context = Context(self.process, self._colony, self._cancellation, self._log)
        else:
            context = ThreadContext(self.process, self._colony, self._cancellation, portal, self._log)
        if definition.channel is not None:
            self._chat = Chat(
                definition,
                portal,
                self.process,
                definition.channel,
                lambda message: definition.bind(context, [message, *spec.args], spec.kwargs),
                self._answering,
            )
            return await self._chat.run()
        call = definition.bind(context, spec.args, spec.kwargs)
        value = call() if definition.is_async else await in_thread(call, f"executor {definition.name}")
        return await value if inspect.isawaitable(value) else value

    async def _log(self, text: object) -> None:
        """Add a line to the process's log, after what the function printed before it."""
        if self._capture is not None:
            await self._capture.flush()
        await self._process_log.add(str(text))

    async def _end_capture(self) -> None:
        """Send the rest of the captured output; a process that has closed accepts no more log lines."""
        capture, self._capture = self._capture, None
        if capture is not None:
            await capture.aclose()

    async def _follow(self) -> None:
        """Notice when the process is not ours any more: closed, cancelled, or put back to waiting."""
        watch = self.process.shared.watch
        with contextlib.suppress(TimeoutError):  # a stream of the function's may follow the process already
            async with asyncio.timeout(_UNWATCHED):
                await watch.change()
        me = self.process.colony.key.id
        async with watch.following():
            while True:
                record = watch.record
                if watch.removed or record is None:
                    self.lose("it was removed")
                    return
                if record.state is ProcessState.CANCELLED:
                    self._cancellation.happen(ProcessCancelled(record.processid, record.spec.funcname))
                    return
                if record.state.is_closed:
                    self.lose(f"it has ended ({'; '.join(record.errors or []) or record.state.name.lower()})")
                    return
                if not is_assignment(record, me, self.started):
                    self.lose("it ran too long or its executor was removed, and it was put back to waiting")
                    return
                await watch.change()


async def fail_quietly(process: AsyncProcess, sentence: str) -> None:
    """Fail a process that has no run (any more), as far as it can be done."""
    with contextlib.suppress(ColonyError):
        await process.colony.fail(process, [sentence])
