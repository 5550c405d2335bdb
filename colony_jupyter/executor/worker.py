"""An executor at work: it asks for processes, runs several at once, and winds up in bounded time.

It asks for work (docs/protocol.md section 4) in short polls, one right after the other: a long poll can miss work
(trap 4). While all slots are in use nothing may be assigned, and heartbeats prevent the server from removing the
executor (trap 3).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from colony_jupyter.channels.backoff import RETRY_SECONDS as LONGEST_ASKED_DELAY
from colony_jupyter.channels.backoff import delays
from colony_jupyter.errors import AccessDenied, ColonyError, ExecutorError, ServerUnreachable
from colony_jupyter.executor.cancellation import race
from colony_jupyter.executor.closing import Outcome, close_process
from colony_jupyter.executor.membership.member import MemberColony
from colony_jupyter.executor.membership.registration import Registration
from colony_jupyter.executor.run import Run, fail_quietly
from colony_jupyter.executor.trouble import Trouble
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.executor.functions import Functions
    from colony_jupyter.executor.membership.identity import Identity
    from colony_jupyter.settings import Settings

logger = logging.getLogger(__name__)

POLL: Final = 10.0
"""Seconds of one poll."""
HEARTBEAT: Final = 180.0
"""Seconds between two signs of life while no poll is made; after 600 the server removes the executor."""
CHAT_IDLE: Final = 600.0
"""Seconds without a message in a conversation before it loses its slot, if all slots are in use."""
_SHORT: Final = 0.2
"""Seconds: a poll that is answered sooner with nothing is not repeated sooner either."""
_LONGEST_DELAY: Final = 5.0
_WIND_UP: Final = 2.5
"""Seconds for runs to report their end once they are stopped."""
_LAST_CALLS: Final = 1.0
"""Seconds for failing those that have not."""
_REMEMBERED: Final = 10_000
_REMOVED: Final = "it was removed, rejected, or silent for 10 minutes; it asks to be a member again"


class Worker:
    """One start of an executor, to its stop. It lives on the loop it is made on.

    Args:
        settings: where the colony is; None for the current ones.
        identity: name and key of the executor; released at the end.
        executortype: its type.
        functions: what it has; may be changed while it runs.
        concurrency: how many processes it runs at once.
        capture_output: whether what functions print and log goes to the logs of their processes.
        poll: seconds of one poll.
        heartbeat: seconds between two signs of life while all slots are in use.
        chat_idle: seconds of quiet after which a conversation is ended while all slots are in use.
    """

    def __init__(
        self,
        settings: Settings | None,
        identity: Identity,
        executortype: str,
        functions: Functions,
        concurrency: int,
        *,
        capture_output: bool = True,
        poll: float = POLL,
        heartbeat: float = HEARTBEAT,
        chat_idle: float = CHAT_IDLE,
    ) -> None:
        self.identity = identity
        self.loop = asyncio.get_running_loop()
        self.thread = threading.current_thread()
        self.finished = threading.Event()
        """Set when nothing of it runs any more."""
        self.failure: ColonyError | None = None
        """Why it gave up; None if it did not."""
        self.trouble = Trouble(identity.executorname)
        """Calls for work that have failed for long."""
        self.is_serving = False
        """Whether it accepts processes; from then on a stop can be requested."""
        self._executortype = executortype
        self._functions = functions
        self._concurrency = concurrency
        self._capture_output = capture_output
        self._poll = poll
        self._heartbeat = heartbeat
        self._chat_idle = chat_idle
        self._slot_free = asyncio.Event()  # also set when the executor turns out to be no member any more
        self._colony = MemberColony(settings, identity.key, self._slot_free.set)
        self._registration = Registration(self._colony, identity, executortype)
        self._runs: dict[str, Run] = {}
        self._tasks: dict[asyncio.Task[None], AsyncProcess] = {}
        self._begun: deque[str] = deque(maxlen=_REMEMBERED)  # ids of the latest processes that were begun here
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._grace = 0.0
        self._published: asyncio.Task[None] | None = None  # the latest update of the list of functions
        self._poll_was_cut = False  # whether a process may have been assigned without our knowledge

    # beginning

    async def join(self) -> str | None:
        """Become a member; else return what the colony's owner has to do, which `wait_for_approval` then waits for.

        Raises:
            ColonyError: if it cannot be one.
        """
        return None if await self._registration.join() else self._registration.request()

    async def wait_for_approval(self) -> None:
        """Wait to be a member, list the functions, and clear away what an earlier start left."""
        await self._become_member()
        for process in await self._strays():
            logger.warning("%r was left running by an earlier start of the executor; it is failed", process)
            await fail_quietly(process, f"Executor '{self.identity.executorname}' ended while it ran this process.")

    def publish_soon(self) -> None:
        """Request an update of the list of functions; from any thread."""
        self.loop.call_soon_threadsafe(self._publish)

    def request_stop(self, grace: float) -> None:
        """Ask it to stop, from any thread. `finished` is set when it has stopped.

        Args:
            grace: seconds that running processes still have.
        """

        def request() -> None:
            self._grace = grace
            if self._stopping.is_set() or grace <= 0:
                self._hurry.set()
            self._stopping.set()

        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended with it
            self.loop.call_soon_threadsafe(request)

    # working

    async def serve(self) -> None:
        """Accept and run processes until it is stopped, or cannot go on; then wind up.

        Raises:
            ColonyError: if it gave up.
        """
        self.is_serving = True
        try:
            async with race(self._assign(), self._stopping.wait()) as (assigning, _):
                if assigning.done():
                    await assigning
        except ColonyError as error:
            self.failure = error
            raise
        finally:
            await self.wind_up()

    async def wind_up(self) -> None:
        """End everything: running processes have their grace, then they are failed. Needs a few seconds at most."""
        try:
            if self._tasks and not self._hurry.is_set() and self._grace > 0:
                async with race(self._hurry.wait(), asyncio.wait(set(self._tasks)), seconds=self._grace):
                    pass
            await self._fail_what_runs()
        finally:
            for task in (*self._tasks, *([self._published] if self._published else [])):
                task.cancel()
            closing = [close() for close in self._functions.closers]
            await asyncio.gather(*self._tasks, *closing, return_exceptions=True)
            await self._colony.aclose()
            self.identity.release()
            self.finished.set()

    async def _fail_what_runs(self) -> None:
        sentence = f"Executor '{self.identity.executorname}' was stopped while it ran this process."
        for run in list(self._runs.values()):
            run.stop(sentence)
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=_WIND_UP)
        left = list(self._tasks.values())
        with contextlib.suppress(ColonyError, TimeoutError):
            async with asyncio.timeout(_LAST_CALLS):
                if self._poll_was_cut:
                    left += await self._strays()
                await asyncio.gather(*(fail_quietly(process, sentence) for process in left))

    async def _assign(self) -> None:
        retries = delays(random.random, longest=_LONGEST_DELAY)
        while True:
            try:
                await self._wait_for_a_slot()
                asked = time.monotonic()
                if self._poll_was_cut:
                    for stray in await self._strays():
                        self._begin(stray)
                    self._poll_was_cut = False
                    continue
                process = await self._ask()
            except AccessDenied as error:
                why = _REMOVED if error.is_stranger else error
                name, colonyname = self.identity.executorname, self._colony.colonyname
                logger.warning("executor %r is no member of colony %r any more: %s", name, colonyname, why)
                _report(self.trouble.failed(error, time.monotonic()))
                await self._rejoin()
            except ColonyError as error:
                logger.info("executor %r could not ask for work: %s", self.identity.executorname, error)
                _report(self.trouble.failed(error, time.monotonic()))
                asked_to_wait = error.retry_after if isinstance(error, ServerUnreachable) else 0.0
                await asyncio.sleep(max(next(retries), min(asked_to_wait, LONGEST_ASKED_DELAY)))
            else:
                retries = delays(random.random, longest=_LONGEST_DELAY)
                _report(self.trouble.succeeded())
                if process is not None:
                    self._begin(process)
                else:
                    await asyncio.sleep(max(0.0, _SHORT - (time.monotonic() - asked)))

    async def _ask(self) -> AsyncProcess | None:
        """Poll once. A poll whose answer did not come may have been given a process all the same."""
        try:
            return await self._colony.assign(self._poll)
        except ServerUnreachable as error:
            self._poll_was_cut = self._poll_was_cut or error.sent
            raise
        except asyncio.CancelledError:
            self._poll_was_cut = True
            raise

    async def _wait_for_a_slot(self) -> None:
        """Wait until another process may run; conversations that were abandoned give up their slots.

        Raises:
            AccessDenied: when the executor turns out to be no member any more. The end of what ran then is refused, so
                that its slots would stay in use.
        """
        alive = time.monotonic()
        while len(self._tasks) >= self._concurrency:
            self._slot_free.clear()
            if self._colony.expelled is not None:
                raise self._colony.expelled
            now = time.monotonic()
            if now - alive >= self._heartbeat:
                await self._colony.assign(0, availablecpu="-1m")  # is assigned nothing, and is a sign of life
                alive = now
            quiet = [(since, run) for run in self._runs.values() if (since := run.quiet_since) is not None]
            longest = min(quiet, key=lambda each: each[0], default=None)
            if longest is not None and now - longest[0] >= self._chat_idle:
                longest[1].dismiss()
            next_check = min([alive + self._heartbeat, *(since + self._chat_idle for since in (now, *dict(quiet)))])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(_SHORT, next_check - now)):
                    await self._slot_free.wait()

    async def _rejoin(self) -> None:
        """Become a member again: the server lost the executor, or removed it since it was silent for too long.

        Raises:
            ExecutorError: if the owner of the colony has rejected it.
        """
        try:
            if not await self._registration.is_member():
                # Before they may be assigned anew: the end of a former run would end the one that takes its place.
                for run in self._runs.values():
                    run.lose("its executor was removed")
                # A real server may leave one with this executor that it assigned in that moment: it is begun again.
                self._begun = deque((each for each in self._begun if each not in self._runs), maxlen=_REMEMBERED)
                self._poll_was_cut = True
            sentence = await self.join()
            if sentence is not None:
                logger.warning(sentence)
            await self._become_member()
        except ExecutorError:
            raise
        except ColonyError as error:
            logger.info("executor %r could not become a member again: %s", self.identity.executorname, error)
            await asyncio.sleep(_LONGEST_DELAY)

    async def _become_member(self) -> None:
        await self._registration.await_membership()
        self._colony.expelled = None
        await self._registration.publish(self._functions.offers())

    async def _strays(self) -> list[AsyncProcess]:
        """List processes that are assigned to this executor and were not begun here."""
        running = await self._colony.processes(ProcessState.RUNNING, executortype=self._executortype)
        me = self.identity.key.id
        return [each for each in running if each.assignedexecutorid == me and each.processid not in self._begun]

    def _begin(self, process: AsyncProcess) -> None:
        earlier = self._runs.get(process.processid)
        if earlier is not None:
            earlier.lose("it ran too long, and was assigned anew")
        run = self._runs[process.processid] = Run(
            process, self._colony, self._functions, self._executortype, capture_output=self._capture_output
        )
        self._begun.append(process.processid)
        task = asyncio.create_task(self._run(run), name=f"executor {process.funcname} {process.processid[:8]}")
        self._tasks[task] = process

    async def _run(self, run: Run) -> None:
        processid = run.process.processid
        try:
            await run.run()
        except Exception as error:
            logger.exception("%r: the executor itself failed", run.process)
            sentence = f"The executor itself failed with {type(error).__name__}; its own log has the details."
            await close_process(run.process, Outcome(errors=(sentence,)), run.started)
        finally:
            if self._runs.get(processid) is run:
                del self._runs[processid]
            task = asyncio.current_task()
            if task is not None:
                self._tasks.pop(task, None)
            self._slot_free.set()

    def _publish(self) -> None:
        earlier = self._published

        async def publish() -> None:
            if earlier is not None:
                await asyncio.gather(earlier, return_exceptions=True)
            try:
                await self._registration.publish(self._functions.offers())
            except ColonyError as error:
                logger.warning("the list of functions could not be brought up to date: %s", error)

        self._published = asyncio.create_task(publish())


def _report(sentence: str) -> None:
    """Show a sentence in the notebook or terminal, if there is one."""
    if sentence:
        logger.warning(sentence)
