"""The end of a process, told in good order: channels first, then the wait for the reader, then the server.

Channels do not outlive their process (trap 24), so what a function left open is ended before, and where a channel named
``sync`` is declared the reader is waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.channels.backoff import delays
from colony_jupyter.client.process import ACK, SYNC
from colony_jupyter.errors import ColonyError, ServerRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from colony_jupyter.client.process import AsyncProcess

logger = logging.getLogger(__name__)

_FAREWELL: Final = 30.0
_HURRIED_FAREWELL: Final = 1.0
"""Seconds for the last entries of the channels; the latter when the executor stops."""
ACK_SECONDS: Final = 30.0
"""Seconds to wait for the reader."""
_FAILED_ACK: Final = 3.0
"""The same for a failure: a reader that raises at the ``error`` entry acknowledges nothing."""
_CLOSE_SECONDS: Final = 600.0
"""Seconds for which closing is tried again while no server answers."""
_LONGEST_DELAY: Final = 5.0


@dataclass(frozen=True)
class Outcome:
    """How a function ended.

    Attributes:
        output: the process's output.
        errors: what went wrong, the message first; empty for success.
    """

    output: Sequence[Any] = field(default=())
    errors: Sequence[str] = field(default=())


class Ending:
    """Ends one process.

    Args:
        process: the process.
        answering: per channel the entry that was being answered, for an ``error`` to name.
        hurry: set when the executor stops, so that nothing is waited for.
        ack_seconds: how long the reader is waited for.
    """

    def __init__(
        self,
        process: AsyncProcess,
        *,
        answering: Mapping[str, int],
        hurry: asyncio.Event,
        ack_seconds: float = ACK_SECONDS,
    ) -> None:
        self._process = process
        self._answering = answering
        self._hurry = hurry
        self._ack_seconds = ack_seconds

    async def run(self, outcome: Outcome) -> None:
        """End it. Nothing is raised: what cannot be done is logged, for nobody is there to hear of it."""
        try:
            async with asyncio.timeout(_HURRIED_FAREWELL if self._hurry.is_set() else _FAREWELL):
                outcome = await self._flush(outcome)
                await self._end_channels(outcome)
        except TimeoutError:
            logger.warning("%r: the last entries of its channels did not get through in time", self._process)
        if SYNC in self._process.spec.channels:
            await self._wait_for_reader(min(self._ack_seconds, _FAILED_ACK) if outcome.errors else self._ack_seconds)
        await self._close(outcome)

    async def _flush(self, outcome: Outcome) -> Outcome:
        """Have text that was written arrive. If it cannot, the work is not done: its reader has not got it."""
        for name, writer in self._writers():
            try:
                await writer.flush()
            except ColonyError as error:
                logger.info("%r: text for channel %r was lost: %s", self._process, name, error)
                if not outcome.errors:
                    outcome = Outcome(errors=(f"What was written did not all get through: {error}",))
        return outcome

    def _writers(self) -> Iterable[tuple[str, Any]]:
        return self._process.shared.writers.items()

    async def _end_channels(self, outcome: Outcome) -> None:
        """End what was written to; with a reader to wait for, everything, or it would wait for the rest."""
        declared = self._process.spec.channels
        writers = dict(self._writers())
        for name in declared:
            writer = writers.get(name)
            if name == SYNC or (writer is not None and writer.has_ended):
                continue
            channel = self._process.channel(name)
            try:
                if outcome.errors:
                    await channel.error(outcome.errors[0], inreplyto=self._answering.get(name, 0))
                if outcome.errors or SYNC in declared or (writer is not None and writer.is_used):
                    await channel.end()
            except ColonyError as error:
                logger.info("%r: channel %r could not be ended: %s", self._process, name, error)

    async def _wait_for_reader(self, seconds: float) -> None:
        reading = asyncio.create_task(self._read_acknowledgement())
        hurrying = asyncio.create_task(self._hurry.wait())
        try:
            await asyncio.wait({reading, hurrying}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                logger.warning(
                    "%r: the reader did not acknowledge on channel %r within %g s; closing all the same",
                    self._process,
                    SYNC,
                    seconds,
                )
        finally:
            reading.cancel()
            hurrying.cancel()
            await asyncio.gather(reading, hurrying, return_exceptions=True)

    async def _read_acknowledgement(self) -> None:
        with contextlib.suppress(ColonyError):  # closed by somebody else: then closing will be refused
            async with self._process.channel(SYNC).stream(errors="yield", to_end=False) as stream:
                async for entry in stream:
                    if entry.senderid == self._process.initiatorid and entry.text.strip() == ACK:
                        return

    async def _close(self, outcome: Outcome) -> None:
        colony = self._process.colony
        retries = delays(random.random, longest=_LONGEST_DELAY)
        deadline = time.monotonic() + _CLOSE_SECONDS
        while True:
            try:
                if outcome.errors:
                    await colony.fail(self._process, outcome.errors)
                else:
                    await colony.close(self._process, outcome.output)
            except ServerRefused as refusal:
                # It has ended otherwise, or is somebody else's by now (traps 21 and 31): not ours to end.
                logger.info("%r was not closed by us: %s", self._process, refusal)
            except ColonyError as error:
                if time.monotonic() < deadline:
                    logger.info("%r: closing it is tried again: %s", self._process, error)
                    await asyncio.sleep(next(retries))
                    continue
                logger.error("%r could not be closed: %s", self._process, error)  # noqa: TRY400 - a sentence says it
            return
