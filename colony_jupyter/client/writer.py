"""Writing to one channel: numbered, paced, in order, and never twice (docs/protocol.md section 5)."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.channels.backoff import delays
from colony_jupyter.channels.outbox import REFUSED_FIRST, REFUSED_LONGEST, Bucket, Sequencer, TextBuffer
from colony_jupyter.client.channel_log import pages
from colony_jupyter.errors import (
    AccessDenied,
    ChannelClosed,
    ChannelFull,
    ChannelNotFound,
    ColonyError,
    MessageTooLarge,
    ProcessNotFound,
    RateLimited,
    ServerUnreachable,
    UsageError,
)
from colony_jupyter.wire import messages
from colony_jupyter.wire.limits import MAX_PAYLOAD
from colony_jupyter.wire.models import DATA, END
from colony_jupyter.wire.storable import encodable, json_bytes

if TYPE_CHECKING:
    from colony_jupyter.client.reading import Source

logger = logging.getLogger(__name__)

UNREACHABLE: Final = 60.0
"""Seconds for which an append is tried again while no server answers."""

_TEXT_BOUND: Final = 4 * 1024 * 1024
"""Characters of `write` that wait before it holds its caller up."""

Payload = Any
"""``str``, ``bytes``, or anything that is JSON."""


def payload_bytes(payload: Payload) -> bytes:
    """Turn what a user sends into the bytes of an entry: text as UTF-8, bytes as they are, anything else as JSON.

    Raises:
        UsageError: if it is no JSON value either.
        MessageTooLarge: if it is over 10 MiB.
    """
    if isinstance(payload, str):
        data = encodable(payload).encode()
    elif isinstance(payload, (bytes, bytearray, memoryview)):
        data = bytes(payload)
    else:
        try:
            data = json_bytes(payload)
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"A {type(payload).__name__} cannot be sent: give text, bytes, or a value that is JSON ({error})."
            ) from None
    if len(data) > MAX_PAYLOAD:
        raise MessageTooLarge(500, f"{len(data)} bytes")
    return data


class ChannelWriter:
    """The one writer of an identity on a channel; all handles to it share it.

    Args:
        source: the client.
        processid: the process.
        channel: the channel's name.
        initiator: whether the client is the process's initiator.
        fresh: whether nothing can have been written with this key before.
        bucket: the allowance, shared by the process's channels.
        keep: something that must not go before this does.
    """

    def __init__(
        self,
        source: Source,
        processid: str,
        channel: str,
        *,
        initiator: bool,
        fresh: bool,
        bucket: Bucket,
        keep: object = None,
    ) -> None:
        self._source = source
        self._processid = processid
        self._channel = channel
        self._sequencer = Sequencer(initiator=initiator)
        self._attached = fresh  # whether the log was looked at for earlier entries of ours
        self._bucket = bucket
        self._turn = asyncio.Lock()  # appends one after the other, in the order they were asked for
        self._text = TextBuffer()
        self._texts = 0  # entries of text that went through
        self._text_inreplyto = 0  # what the text that waits answers
        self._flusher: asyncio.Task[None] | None = None  # None while no text waits
        self._failure: ColonyError | None = None  # of the flusher, for the next call to raise
        self._keep = keep
        self.is_used = False
        """Whether anything was asked to be written."""
        self.has_ended = False
        """Whether a plain ``end`` went through."""

    async def send(self, payload: Payload, *, kind: str = DATA, inreplyto: int = 0) -> int:
        """Append one entry, after all text that waits; its sequence.

        Raises:
            ChannelClosed: when the process has ended or is not ours any more.
            ChannelNotFound, ChannelFull, MessageTooLarge: as they say.
        """
        data = payload_bytes(payload)
        self._raise_failure()
        async with self._turn:
            await self._append_text()
            return await self._append(data, kind, inreplyto)

    async def append(self, sequence: int, data: bytes, kind: str, inreplyto: int) -> None:
        """Append one entry under a sequence of the caller's choice, as the plain verb does."""
        async with self._turn:
            self._sequencer.skip(sequence)
            await self._deliver(sequence, data, kind, inreplyto)

    async def write(self, text: str, *, inreplyto: int = 0) -> None:
        """Add to the text stream; pieces that answer the same entry are joined into few entries.

        Raises:
            ColonyError: what an earlier piece failed with.
        """
        self._raise_failure()
        if inreplyto != self._text_inreplyto:
            await self.flush()
            self._text_inreplyto = inreplyto
        self.is_used = True
        self._text.add(text, time.monotonic())
        if self._flusher is None and len(self._text):
            self._flusher = asyncio.create_task(self._flush_when_due())
        if len(self._text) > _TEXT_BOUND:
            await self.flush()

    async def flush(self) -> None:
        """Wait until all text written so far has been appended."""
        async with self._turn:
            await self._append_text()
        self._raise_failure()

    async def aclose(self) -> None:
        """Let go of text that was not appended."""
        flusher, self._flusher = self._flusher, None
        if flusher is not None:
            flusher.cancel()
            await asyncio.gather(flusher, return_exceptions=True)

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def _flush_when_due(self) -> None:
        try:
            while (due := self._text.due(time.monotonic())) is not None:
                if due:
                    await asyncio.sleep(due)
                else:
                    async with self._turn:
                        await self._append_text()
        except ColonyError as error:
            self._failure = error
        finally:
            self._flusher = None

    async def _append_text(self) -> None:
        for data in self._text.take():
            try:
                await self._append(data, DATA, self._text_inreplyto)
            except (ChannelClosed, ChannelFull) as error:
                error.written = self._texts
                raise
            self._texts += 1

    async def _append(self, data: bytes, kind: str, inreplyto: int) -> int:
        if not self._attached:
            await self._attach()
        sequence = self._sequencer.next()
        await self._deliver(sequence, data, kind, inreplyto)
        return sequence

    async def _attach(self) -> None:
        me = self._source.key.id
        cuts = delays(random.random)
        begun = time.monotonic()
        while True:
            try:
                log = pages(self._source, self._processid, self._channel)
                mine = [entry.sequence async for page in log for entry in page if entry.senderid == me]
                break
            except ServerUnreachable as error:
                if time.monotonic() - begun > UNREACHABLE:
                    raise
                logger.info("log of channel %r of %s: %s", self._channel, self._processid, error)
                await asyncio.sleep(next(cuts))
            except (ChannelNotFound, ProcessNotFound, AccessDenied) as error:
                raise await self._explain(error) from error
        self._sequencer.attach(mine)
        self._attached = True
        if self._sequencer.foreign:
            logger.warning(
                "channel %r of %s holds %d entries of this key from before; numbering goes on after them",
                self._channel,
                self._processid,
                self._sequencer.foreign,
            )

    async def _deliver(self, sequence: int, data: bytes, kind: str, inreplyto: int) -> None:
        """Have one entry appended once: wait out refusals for rate, and ask the log when an answer got lost."""
        message = messages.ChannelAppend(
            processid=self._processid,
            name=self._channel,
            sequence=sequence,
            inreplyto=inreplyto,
            payload=data,
            payloadtype=kind,
        )
        self.is_used = True
        refusals = delays(random.random, at_once=False, first=REFUSED_FIRST, longest=REFUSED_LONGEST)
        cuts = delays(random.random)
        uncertain = False
        reached = time.monotonic()  # when the server was last known to answer
        delay = self._bucket.wait(time.monotonic())
        while True:
            if delay:
                await asyncio.sleep(delay)
            try:
                if uncertain and await self._is_there(message):
                    break
                uncertain = False
                await self._source.call(message, dict[str, Any])
            except RateLimited:
                reached = time.monotonic()
                self._bucket.refused(reached)
                delay = next(refusals)
            except ServerUnreachable as error:
                uncertain = uncertain or error.sent
                if time.monotonic() - reached > UNREACHABLE:
                    raise
                delay = next(cuts)
                logger.info("append to channel %r of %s: %s", self._channel, self._processid, error)
            except (ChannelNotFound, ProcessNotFound, AccessDenied) as error:
                raise await self._explain(error) from error
            else:
                break
        self.has_ended = self.has_ended or (message.payloadtype == END and not message.inreplyto)

    async def _is_there(self, message: messages.ChannelAppend) -> bool:
        me = self._source.key.id
        async for page in pages(self._source, self._processid, self._channel):
            if any(
                entry.senderid == me
                and entry.sequence == message.sequence
                and entry.payload == message.payload
                and entry.inreplyto == message.inreplyto
                for entry in page
            ):
                return True
        return False

    async def _explain(self, error: ColonyError) -> ColonyError:
        """Tell apart the ways of not being let write."""
        watch = self._source.watch(self._processid)
        try:
            await watch.refresh()
        except ColonyError:
            return error
        record = watch.record
        if watch.removed or record is None:
            return ChannelClosed(self._processid, self._channel, "the process was removed from the server")
        if record.state.is_closed:
            return ChannelClosed(
                self._processid,
                self._channel,
                f"process {self._processid[:8]} has ended ({record.state.name.lower()}), and its channels with it",
            )
        if isinstance(error, ChannelNotFound):
            return ChannelNotFound(
                error.status,
                error.message,
                processid=self._processid,
                channel=self._channel,
                declared=record.spec.channels,
            )
        if isinstance(error, AccessDenied) and "Not authorized" in error.message:
            return ChannelClosed(
                self._processid,
                self._channel,
                "only the process's initiator and its assigned executor may write, and you are neither",
            )
        return error
