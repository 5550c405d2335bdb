"""Closing a process: first its channels, then the wait for the reader, then the call to the server.

Channels do not outlive their process (trap 24), so channels that the function left open are ended first. Where a
channel named ``sync`` is declared, the executor waits for the reader's acknowledgement.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.channels.backoff import RetryTimer
from colony_jupyter.client.streams.acknowledgement import ACK
from colony_jupyter.errors import ColonyError, ProcessNotFound, RequestTooLarge, ServerUnreachable
from colony_jupyter.executor.cancellation import race
from colony_jupyter.executor.error_report import shortened
from colony_jupyter.wire.messages import CloseFailed, msgtype
from colony_jupyter.wire.models import SYNC, ProcessState, moment
from colony_jupyter.wire.storable import storable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.client.writer import ChannelWriter
    from colony_jupyter.wire.models import ProcessRecord

logger = logging.getLogger(__name__)

_LAST_ENTRIES: Final = 30.0
_HURRIED_LAST_ENTRIES: Final = 1.0
"""Seconds for the last entries of the channels; the latter when the executor stops."""
ACK_SECONDS: Final = 30.0
"""Seconds to wait for the reader."""
_FAILED_ACK: Final = 3.0
"""The same for a failure: a reader that raises at the ``error`` entry acknowledges nothing."""
_CLOSE_SECONDS: Final = 600.0
"""Seconds for which closing is retried while no server answers."""
_LONGEST_DELAY: Final = 5.0
_REFUSALS: Final = 3
"""Refusals of the same call before it is replaced by one with a plain sentence: the first may have been transient."""
_ROUNDED: Final = timedelta(milliseconds=1)
"""By how much less two texts of the same time differ: a database rounds what the reply to the executor had in full."""
_LAST_RESORT: Final = "The function ended, but the server refused what it returned and the reason why."


@dataclass(frozen=True)
class Outcome:
    """How a function ended.

    Attributes:
        output: the process's output; of a failed one the part that could be converted.
        errors: what went wrong, the message first; empty for success.
    """

    output: Sequence[Any] = field(default=())
    errors: Sequence[str] = field(default=())


class Closing:
    """Closes one process.

    Args:
        process: the process.
        started: when it was assigned, as the server wrote it.
        answering: for each channel, the sequence of the entry being answered, which an ``error`` refers to.
        hurry: set when the executor stops; nothing is waited for after that.
        ack_seconds: longest wait for the reader.
    """

    def __init__(
        self,
        process: AsyncProcess,
        started: str,
        *,
        answering: Mapping[str, int],
        hurry: asyncio.Event,
        ack_seconds: float = ACK_SECONDS,
    ) -> None:
        self._process = process
        self._started = started
        self._answering = answering
        self._hurry = hurry
        self._ack_seconds = ack_seconds

    async def run(self, outcome: Outcome) -> None:
        """Close the process. Nothing is raised: what fails is logged, because no caller could handle it."""
        try:
            async with asyncio.timeout(_HURRIED_LAST_ENTRIES if self._hurry.is_set() else _LAST_ENTRIES):
                outcome = await self._flush(outcome)
                await self._end_channels(outcome)
        except TimeoutError:
            logger.warning("%r: the last entries of its channels were not delivered in time", self._process)
        if SYNC in self._process.spec.channels:
            await self._wait_for_reader(min(self._ack_seconds, _FAILED_ACK) if outcome.errors else self._ack_seconds)
        await close_process(self._process, outcome, self._started)

    async def _flush(self, outcome: Outcome) -> Outcome:
        """Deliver text that was written; if it cannot be delivered, the process fails, since its reader lacks it."""
        for name, writer in self._writers().items():
            try:
                await writer.flush()
            except ColonyError as error:
                logger.info("%r: text for channel %r was lost: %s", self._process, name, error)
                if not outcome.errors:
                    outcome = Outcome(errors=(f"Some of the text that was written was not delivered: {error}",))
        return outcome

    def _writers(self) -> dict[str, ChannelWriter]:
        """Return a copy: tasks that the function left behind may open channels while this awaits."""
        return dict(self._process.shared.writers)

    async def _end_channels(self, outcome: Outcome) -> None:
        """End each channel that was written to; with a reader to wait for, all, since the reader waits for all."""
        declared = self._process.spec.channels
        writers = self._writers()
        for name in declared:
            writer = writers.get(name)
            if name == SYNC or (writer is not None and writer.has_ended):
                continue
            channel = self._process.channel(name)
            try:
                if outcome.errors:
                    await channel.error(storable(outcome.errors[0]), inreplyto=self._answering.get(name, 0))
                if outcome.errors or SYNC in declared or (writer is not None and writer.is_used):
                    await channel.end()
            except ColonyError as error:
                logger.info("%r: channel %r could not be ended: %s", self._process, name, error)

    async def _wait_for_reader(self, seconds: float) -> None:
        async with race(self._read_acknowledgement(), self._hurry.wait(), seconds=seconds) as (reading, _):
            if not reading.done():
                logger.warning(
                    "%r: the reader did not acknowledge on channel %r within %g s; it is closed without that",
                    self._process,
                    SYNC,
                    seconds,
                )

    async def _read_acknowledgement(self) -> None:
        with contextlib.suppress(ColonyError):  # another party closed it: then closing will be refused
            async with self._process.channel(SYNC).stream(errors="yield", to_end=False) as stream:
                async for entry in stream:
                    if entry.senderid == self._process.initiatorid and entry.text.strip() == ACK:
                        return


async def close_process(process: AsyncProcess, outcome: Outcome, started: str) -> None:
    """Close a process on the server; return once it has ended, or is not this run's any more.

    All texts are made storable. If the outcome is too large, or the server refuses it and the process still runs here,
    the process fails with a plain sentence instead. Nothing is raised; after 600 s without an answer an error is
    logged.

    Args:
        process: the process.
        outcome: how its function ended.
        started: when it was assigned, as the server wrote it.
    """
    retry_timer = RetryTimer(random.random, time.monotonic(), _CLOSE_SECONDS, longest=_LONGEST_DELAY)
    refusals = 0
    last: ColonyError | None = None
    while True:
        asked = 0.0
        try:
            if await _attempt(process, outcome, started, last):
                return
        except ServerUnreachable as error:
            last, asked = error, error.retry_after
        except RequestTooLarge as error:
            smaller = _smaller(outcome, error)
            if smaller is None:
                logger.error("%r could not be closed: %s", process, error)  # noqa: TRY400 - the text states all
                return
            outcome = smaller
            continue
        except ColonyError as error:
            last = error
            refusals += 1
            outcome = _plainer(outcome, error, refusals)
        delay = retry_timer.delay(time.monotonic(), asked)
        if delay is None:
            logger.error("%r could not be closed: %s", process, last)
            return
        logger.info("%r: closing it is retried: %s", process, last)
        await asyncio.sleep(delay)


def _smaller(outcome: Outcome, error: RequestTooLarge) -> Outcome | None:
    """Return the outcome without the part that is too large to be sent; None if nothing is left to omit."""
    if outcome.output and error.msgtype != msgtype(CloseFailed):
        size = len(msgspec.json.encode(outcome.output))
        return Outcome(errors=(*outcome.errors, f"The output is {error.compared(size)}"))
    return None if outcome.errors == (_LAST_RESORT,) else Outcome(errors=(_LAST_RESORT,))


def _plainer(outcome: Outcome, error: ColonyError, refusals: int) -> Outcome:
    """Return what to close the process with after a number of refusals: in the end, a sentence without its texts."""
    if refusals == _REFUSALS:
        what = "errors" if outcome.errors else "output"
        return Outcome(errors=(f"The function ended, but the server refused its {what}: {error}",))
    return Outcome(errors=(_LAST_RESORT,)) if refusals == 2 * _REFUSALS else outcome


async def _attempt(process: AsyncProcess, outcome: Outcome, started: str, failure: ColonyError | None) -> bool:
    """Close the process; return whether nothing is left to do for this run.

    Args:
        process: the process.
        outcome: how its function ended.
        started: when it was assigned.
        failure: why the attempt before came to nothing; None for the first one.
    """
    if failure is not None:
        is_ours = await _is_ours(process, started)
        if is_ours is None:
            return False
        if not is_ours:
            # It has ended otherwise, or was assigned again (traps 21 and 31).
            logger.info("%r was not closed by this executor: %s", process, failure)
            return True
    await _close_once(process, outcome)
    return True


async def _close_once(process: AsyncProcess, outcome: Outcome) -> None:
    if outcome.errors:
        if outcome.output:
            await process.colony.set_output(process, outcome.output)
        await process.colony.fail(process, [shortened(storable(error)) for error in outcome.errors])
    else:
        await process.colony.close(process, outcome.output)


async def _is_ours(process: AsyncProcess, started: str) -> bool | None:
    """Whether the process still runs in the run that ends it; None if the server cannot be asked now.

    An executor that was removed is refused until it has registered itself again. It may then be assigned the same
    process anew, which the end of the former run must not end.
    """
    try:
        record = await process.colony.get_record(process.processid)
    except ProcessNotFound:
        return False
    except ColonyError:
        return None
    return is_assignment(record, process.colony.key.id, started)


def is_assignment(record: ProcessRecord, executorid: str, started: str) -> bool:
    """Whether a process runs by the assignment to an executor that was made at a time, not by a later one.

    Args:
        record: the process as it is now.
        executorid: the executor.
        started: when it was assigned, as the server wrote it.
    """
    if record.state is not ProcessState.RUNNING or record.assignedexecutorid != executorid:
        return False
    now, then = moment(record.starttime), moment(started)
    return now is not None and then is not None and abs(now - then) < _ROUNDED
