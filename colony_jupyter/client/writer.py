"""Writing to one channel: numbered, paced, in order, and never twice (docs/protocol.md section 5).

A server that restarts loses the logs of its channels. What was appended before is then gone, and no server reports it.
A writer notices when it next has to search its entries, which is after a connection was lost. It logs a warning with
the number of lost entries and continues in the new log.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.caller import warn
from colony_jupyter.channels.backoff import RETRY_SECONDS, RetryTimer, delays
from colony_jupyter.channels.nodes import NOT_ASSIGNED_HERE
from colony_jupyter.channels.outbox import REFUSED_FIRST, REFUSED_LONGEST, AppendLimiter, Sequencer, TextBuffer
from colony_jupyter.channels.tail import Pages, Search, Tail
from colony_jupyter.errors import (
    AccessDenied,
    ChannelClosed,
    ChannelFull,
    ChannelNotFound,
    ColonyError,
    MessageTooLarge,
    ProcessNotFound,
    RateLimited,
    ServerRefused,
    ServerUnreachable,
    UsageError,
)
from colony_jupyter.errors.general import quoted
from colony_jupyter.values.conversion import convert
from colony_jupyter.wire import messages
from colony_jupyter.wire.limits import MAX_PAYLOAD
from colony_jupyter.wire.models import DATA, END, Entry, ProcessState, visible_channels
from colony_jupyter.wire.storable import encodable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from colony_jupyter.client.connection import Connection
    from colony_jupyter.client.process_watcher import ProcessWatcher
    from colony_jupyter.wire.models import ProcessRecord

logger = logging.getLogger(__name__)

UNREACHABLE: Final = RETRY_SECONDS
"""Seconds for which an append is tried again while ColonyOS does not answer."""

_NEITHER: Final = "only the process's initiator and its assigned executor may write, and you are neither"

_TEXT_BOUND: Final = 4 * 1024 * 1024
"""Characters of `write` that wait before it blocks its caller."""

_ENTRY_BOUND: Final = 64
"""Entries of `write` that wait before it blocks its caller: text for many entries in turn cannot be joined."""

Payload = Any
"""``str``, ``bytes``, or any type of docs/values.md."""


def payload_bytes(payload: Payload) -> bytes:
    """Return the bytes of an entry for what a user sends: text as UTF-8, bytes as they are, anything else as JSON.

    Raises:
        UsageError: if it has no JSON form; docs/values.md lists the types that have one.
        MessageTooLarge: if it is over 10 MiB.
    """
    if isinstance(payload, str):
        data = encodable(payload).encode()
    elif isinstance(payload, (bytes, bytearray, memoryview)):
        data = bytes(payload)
    else:
        converted = convert(payload, "payload", large="keep")
        if converted.faults:
            raise UsageError(converted.complaint())
        for note in converted.notes():
            warn(f"payload: {note}")
        data = msgspec.json.encode(converted.value)
    if len(data) > MAX_PAYLOAD:
        error = MessageTooLarge(500, f"{len(data)} bytes")
        error.size = len(data)
        raise error
    return data


def check_text(piece: object) -> None:
    """Refuse anything but text in a stream of text.

    Raises:
        UsageError: naming the type.
    """
    if not isinstance(piece, str):
        kind = type(piece).__name__
        raise UsageError(f"write() takes text, and was given a value of type {kind}: use send() for it, or str(...).")


class ChannelWriter:
    """The one writer of an identity on a channel; all handles to it share it.

    Args:
        source: the client.
        watch: the watcher of the process.
        channel: the channel's name.
        initiator: whether the client is the process's initiator.
        fresh: whether nothing can have been written with this key before.
        limiter: the rate limit, shared by the process's channels.
        keep: an object that must live as long as this one.
        continues: whether entries of this key from before are expected.
    """

    def __init__(
        self,
        source: Connection,
        watch: ProcessWatcher,
        channel: str,
        *,
        initiator: bool,
        fresh: bool,
        limiter: AppendLimiter,
        keep: object = None,
        continues: bool = False,
    ) -> None:
        self._source = source
        self._watch = watch
        self._processid = watch.processid
        self._channel = channel
        self._sequencer = Sequencer(initiator=initiator)
        self._tail = Tail(source.key.id)
        self._attaching = None if fresh else Pages()  # None once earlier entries of ours are known
        self._earlier: list[int] = []  # their sequences
        self._limiter = limiter
        self._turn = asyncio.Lock()  # appends run one after the other, in the order of the calls
        self._doubt: messages.ChannelAppend | None = None  # was sent, and its reply did not come
        self._doubt_is_text = False  # whether it is the head of the text
        self._doubt_was_found = False  # whether it turned out to be in the log
        self._search: Search | None = None  # for it
        self._text = TextBuffer()
        self._texts = 0  # entries of text that were appended
        self._flush_task: asyncio.Task[None] | None = None  # None while no text waits
        self._failure: ColonyError | None = None  # of the flush task, for the next call to raise
        self._keep = keep
        self._continues = continues
        self.is_used = False
        """Whether anything was asked to be written."""
        self.has_ended = False
        """Whether a plain ``end`` was appended."""
        self.lost = 0
        """Entries that were appended and are gone since, as the server lost its log."""

    async def send(self, payload: Payload, *, kind: str = DATA, inreplyto: int = 0) -> int:
        """Append one entry, after all text that waits; returns its sequence.

        If the call is cancelled, the entry may have been appended or not; text that waited before it is not lost.

        Raises:
            ChannelClosed: if the process has ended, or is assigned to another executor by now.
            ChannelNotFound, ChannelFull, MessageTooLarge: as they state.
        """
        data = payload_bytes(payload)
        self._raise_failure()
        async with self._turn:
            await self._append_text()
            return await self._append(data, kind, inreplyto)

    async def append(self, sequence: int, data: bytes, kind: str, inreplyto: int) -> None:
        """Append one entry under a sequence of the caller's choice, as the plain verb does."""
        async with self._turn:
            await self._persist(self._resolve)
            await self._deliver(self._message(sequence, data, kind, inreplyto))

    async def write(self, text: str, *, inreplyto: int = 0) -> None:
        """Add to the text stream; neighbouring pieces that answer the same entry are joined into few entries.

        Text is accepted when the call returns. It then stays in the queue until it is appended, or until an append of
        text fails, which the next call raises.

        Raises:
            UsageError: for anything but text.
            ColonyError: the failure of an earlier piece.
        """
        check_text(text)
        self._raise_failure()
        self.is_used = True
        self._text.add(text, time.monotonic(), inreplyto)
        if self._flush_task is None and len(self._text):
            self._flush_task = asyncio.create_task(self._flush_when_due())
        if len(self._text) > _TEXT_BOUND or self._text.entries > _ENTRY_BOUND:
            await self.flush()

    async def flush(self) -> None:
        """Wait until all text written so far has been appended."""
        async with self._turn:
            await self._append_text()
        self._raise_failure()

    async def aclose(self) -> None:
        """Drop text that was not appended."""
        flush_task, self._flush_task = self._flush_task, None
        if flush_task is not None:
            flush_task.cancel()
            await asyncio.gather(flush_task, return_exceptions=True)

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
                        await self._append_text(whole=False)
        except ColonyError as error:
            self._failure = error
        finally:
            self._flush_task = None

    async def _append_text(self, *, whole: bool = True) -> None:
        """Append the text that waits; unless ``whole``, without the beginning of a line after complete ones."""
        try:
            while True:
                await self._persist(self._resolve)  # an interrupted append may have been that of the head
                head = self._text.head(whole=whole)
                if head is None:
                    return
                inreplyto, data = head
                await self._deliver(self._message(self._sequencer.following, data, DATA, inreplyto), is_text=True)
                if not whole and not self._text.ready:
                    return
        except ColonyError as error:
            self._text.clear()
            self._doubt_is_text = False
            if isinstance(error, (ChannelClosed, ChannelFull)):
                error.written = self._texts
            raise

    async def _append(self, data: bytes, kind: str, inreplyto: int) -> int:
        await self._persist(self._resolve)
        sequence = self._sequencer.following
        await self._deliver(self._message(sequence, data, kind, inreplyto))
        return sequence

    def _message(self, sequence: int, data: bytes, kind: str, inreplyto: int) -> messages.ChannelAppend:
        return messages.ChannelAppend(
            processid=self._processid,
            name=self._channel,
            sequence=sequence,
            inreplyto=inreplyto,
            payload=data,
            payloadtype=kind,
        )

    async def _deliver(self, message: messages.ChannelAppend, *, is_text: bool = False) -> None:
        """Append one entry exactly once: after a lost reply the log is searched before the next try."""
        self.is_used = True

        async def attempt(_: RetryTimer) -> None:
            if self._doubt is not None:
                await self._resolve()
                if self._doubt_was_found:
                    return
            self._doubt, self._doubt_is_text = message, is_text
            try:
                await self._source.call(message, dict[str, Any])
            except ServerRefused:
                self._doubt = None
                raise
            self._confirm(message)

        self._doubt_was_found = False
        if delay := self._limiter.wait(time.monotonic()):
            await asyncio.sleep(delay)
        await self._persist(attempt)

    def _confirm(self, message: messages.ChannelAppend) -> None:
        """Note that the entry in doubt is in the log."""
        self._doubt = self._search = None
        self._doubt_was_found = True
        self._tail.confirm(message.sequence)
        self._sequencer.skip(message.sequence)
        self.has_ended = self.has_ended or (message.payloadtype == END and not message.inreplyto)
        if self._doubt_is_text:
            self._doubt_is_text = False
            self._texts += 1
            self._text.pop()

    async def _persist(self, attempt: Callable[[RetryTimer], Awaitable[None]]) -> None:
        """Repeat an attempt until it succeeds: refusals for rate are waited out, and a minute without an answer."""
        retry_timer = RetryTimer(random.random, time.monotonic(), UNREACHABLE)
        refusals = delays(random.random, at_once=False, first=REFUSED_FIRST, longest=REFUSED_LONGEST)
        while True:
            try:
                await attempt(retry_timer)
            except RateLimited:
                now = time.monotonic()
                retry_timer.answered(now)
                self._limiter.refused(now)
                delay: float | None = next(refusals)
            except ServerUnreachable as error:
                delay = retry_timer.delay(time.monotonic(), error.retry_after)
                if delay is None:
                    raise
                logger.info("channel %r of %s: %s", self._channel, self._processid, error)
            except (ChannelNotFound, ProcessNotFound, AccessDenied) as error:
                self._doubt = self._search = None
                raise await self._explain(error) from error
            else:
                return
            if delay:
                await asyncio.sleep(delay)

    async def _resolve(self, retry_timer: RetryTimer | None = None) -> None:
        """Read what has to be known before the next append: earlier entries of ours, and the fate of one in doubt.

        Pages that were read count as answers for the retry timer, if it is given. They do not between two tries of one
        append: the tries would never end over a link that carries replies and not the entry.
        """
        while (attaching := self._attaching) is not None:
            page = await self._read(attaching, retry_timer)
            for index, entry in enumerate(page, attaching.start):
                if entry.senderid == self._tail.me:
                    self._earlier.append(entry.sequence)
                    self._tail.note(entry.sequence, index)
            if attaching.advance(len(page)):
                self._tail.extend(attaching.start)
                self._attached()
        while (message := self._doubt) is not None:
            if self._search is None:
                self._search = Search(self._tail, message.sequence, message.payload or b"", message.inreplyto)
            found = self._search.feed(await self._read(self._search.pages, retry_timer))
            if found is None:
                continue
            self._report_loss(self._search.lost)
            self._search = None
            if found:
                self._confirm(message)
            else:
                self._doubt = None
                self._doubt_is_text = False

    async def _read(self, pages: Pages, retry_timer: RetryTimer | None) -> list[Entry]:
        message = messages.ChannelRead(
            processid=self._processid, name=self._channel, afterseq=pages.start, limit=pages.limit
        )
        try:
            page = await self._source.call(message, list[Entry])
        except ServerUnreachable:
            pages.cut()
            raise
        if retry_timer is not None:
            retry_timer.answered(time.monotonic())
        return page

    def _attached(self) -> None:
        self._attaching = None
        self._sequencer.attach(self._earlier)
        self._earlier = []
        if self._sequencer.foreign and not self._continues:
            logger.warning(
                "channel %r of %s holds %d entries of this key from before; numbering continues after them",
                self._channel,
                self._processid,
                self._sequencer.foreign,
            )

    def _report_loss(self, lost: int) -> None:
        self.lost += lost
        if lost:
            logger.warning(
                "The server lost the log of channel %r of %s, as in a restart: %d entries sent before are not in it any"
                " more. What is sent from now on is appended to the new log.",
                self._channel,
                self._processid,
                lost,
            )

    async def _explain(self, error: ColonyError) -> ColonyError:
        """Return the error that states why an append was refused."""
        watch = self._watch
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
                f"process {self._processid[:8]} has ended{_how(record)}, and its channels with it",
            )
        if isinstance(error, ChannelNotFound):
            return ChannelNotFound(
                error.status,
                error.message,
                processid=self._processid,
                channel=self._channel,
                declared=visible_channels(record.spec.channels),
            )
        if isinstance(error, AccessDenied) and "Not authorized" in error.message:
            is_ours = self._source.key.id == record.assignedexecutorid
            return ChannelClosed(self._processid, self._channel, NOT_ASSIGNED_HERE if is_ours else _NEITHER)
        return error


def _how(record: ProcessRecord) -> str:
    """Return a clause that states how a process ended."""
    if record.state is ProcessState.FAILED and record.errors:
        return quoted(record.errors)
    return f" ({record.state.name.lower()})"
