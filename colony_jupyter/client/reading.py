"""The entries of one channel as they come: the asyncio part around `colony_jupyter.channels.reader`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from colony_jupyter.channels.backoff import delays
from colony_jupyter.channels.reader import AskProcess, Close, Open, Reader, ReadLog, Refused, StreamState
from colony_jupyter.client.channel_log import pages
from colony_jupyter.client.http import refusal_error
from colony_jupyter.client.spool import Spool
from colony_jupyter.client.websocket import subscription
from colony_jupyter.errors import (
    ChannelNotFound,
    ColonyError,
    ServerRefused,
    StreamBroken,
)
from colony_jupyter.wire import messages
from colony_jupyter.wire.decoding import Undecodable, convert
from colony_jupyter.wire.models import Entry, ProcessRecord, ProcessState, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from colony_jupyter.channels.reader import Policy
    from colony_jupyter.client.endpoint import Endpoint
    from colony_jupyter.client.process_watcher import ProcessWatch
    from colony_jupyter.wire.identity import PrivateKey

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Source(Protocol):
    """What a stream needs of the client that it belongs to."""

    @property
    def endpoint(self) -> Endpoint:
        """Where the server is."""

    @property
    def key(self) -> PrivateKey:
        """Who calls."""

    async def call(self, message: messages.Message, shape: type[T]) -> T:
        """Make a call as this client."""

    def watch(self, processid: str) -> ProcessWatch:
        """Give the shared watch of a process."""


@dataclass(frozen=True)
class Statistics:
    """What a stream has done so far.

    Attributes:
        delivered: entries that were handed over.
        waiting: entries received and not handed over yet.
        repeats: entries that came again and were dropped.
        resumes: how often the connection was lost and found again.
        lag: seconds between the server's time of the latest entry received and its arrival here; it contains the
            difference of the two clocks. None before the first.
    """

    delivered: int
    waiting: int
    repeats: int
    resumes: int
    lag: float | None


class StreamCore:
    """Reads one channel into a spool, on its loop. The consumer takes from `pop` and is woken by `news`.

    Args:
        source: the client.
        processid: the process.
        channel: the channel's name.
        to_end: whether the other party's plain ``end`` ends it; else only the process does.
        policy: times of the reading; for tests.
    """

    def __init__(
        self, source: Source, processid: str, channel: str, *, to_end: bool = True, policy: Policy | None = None
    ) -> None:
        self.processid = processid
        self.channel = channel
        self.failure: ColonyError | None = None  # why it is broken
        self.delivered = 0
        self.received = 0
        self.news: set[Callable[[], None]] = set()
        self._source = source
        self._me = source.key.id
        self._watch = source.watch(processid)
        self._to_end = to_end
        self._reader = Reader(ends=self._ends, random=random.random, policy=policy)
        self._spool = Spool()
        self._inputs: deque[Callable[[float], None]] = deque()
        self._wake = asyncio.Event()
        self._tasks: dict[object, asyncio.Task[None]] = {}  # windows by number, and others
        self._lag: float | None = None
        self._ended_by_sender = False
        self._listening = asyncio.Event()
        self._over = False
        self._asked: set[tuple[str, str]] = set()  # unknown senders, and the executor the process had when we asked
        self._last_state = StreamState.OPEN

    @property
    def state(self) -> StreamState:
        """State of the connection: open, resuming, ended or broken."""
        return self._reader.state

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be put into the spool."""
        return self._over

    @property
    def record(self) -> ProcessRecord | None:
        """The process as it was last known."""
        return self._watch.record

    def pop(self) -> Entry | None:
        """Take the next entry, if one is there; from any thread."""
        entry = self._spool.pop()
        if entry is not None:
            self.delivered += 1
        return entry

    @property
    def ended_by_sender(self) -> bool:
        """Whether the other party's ``end`` was the end."""
        return self._ended_by_sender

    def is_mine(self, entry: Entry) -> bool:
        """Whether the reader wrote an entry itself."""
        return entry.senderid == self._me

    def waiting_for(self) -> str:
        """Say what the process waits for, if it does; a sentence or nothing."""
        record = self.record
        if record is None or record.state is not ProcessState.WAITING:
            return ""
        return f"The process still waits for an executor of type '{record.spec.conditions.executortype}'."

    def statistics(self) -> Statistics:
        """Tell what was done so far."""
        return Statistics(
            delivered=self.delivered,
            waiting=self.received - self.delivered,
            repeats=self._reader.inbox.repeats,
            resumes=self._reader.resumes,
            lag=self._lag,
        )

    async def listening(self) -> None:
        """Wait until whatever is appended while the process is open will come, or the stream is over."""
        await self._listening.wait()

    async def run(self) -> None:
        """Read until the end; cancelling it closes everything."""
        try:
            async with self._watch.following():
                self._spawn("process", self._follow_process())
                self._reader.start(time.monotonic())
                while not self._step():
                    await self._wait()
        except Exception as error:
            # A mistake of ours may not look like the end of the stream.
            logger.exception("channel %r of %s cannot be read on", self.channel, self.processid)
            reason = f"reading it went wrong ({type(error).__name__}: {error})"
            self.failure = StreamBroken(self.processid, self.channel, self.delivered, reason)
        finally:
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._over = True
            self._listening.set()
            self._tell()

    def close(self) -> None:
        """Forget what waits in the spool."""
        self._spool.close()

    def _step(self) -> bool:
        """Feed the machine with what happened and carry out what it asks for; whether it is over."""
        while self._inputs:
            self._inputs.popleft()(time.monotonic())
        self._reader.tick(time.monotonic())
        for effect in self._reader.effects():
            match effect:
                case Open(window, afterseq, seconds):
                    self._spawn(window, self._window(window, afterseq, seconds))
                case Close(window):
                    self._tasks.pop(window).cancel() if window in self._tasks else None
                case ReadLog():
                    self._spawn("log", self._read_log(effect))
                case AskProcess():
                    self._spawn("ask", self._ask())
        self._deliver(self._reader.delivered())
        if self._reader.listens:
            self._listening.set()
        if self._reader.state is not self._last_state:
            logger.info("channel %r of %s: %s", self.channel, self.processid, self._reader.state.value)
            self._last_state = self._reader.state
            self._tell()
        if self._reader.state is StreamState.BROKEN:
            self.failure = self._explain()
        return self._reader.state.is_over

    async def _wait(self) -> None:
        deadline = self._reader.deadline()
        self._wake.clear()
        if self._inputs:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if deadline is None else max(0.0, deadline - time.monotonic())):
                await self._wake.wait()

    def _input(self, feed: Callable[[float], None]) -> None:
        self._inputs.append(feed)
        self._wake.set()

    def _spawn(self, name: object, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks[name] = task
        task.add_done_callback(partial(self._done, name))

    def _done(self, name: object, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._input(lambda _: _raise(error))

    def _deliver(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        written = moment(entries[-1].timestamp)
        self._lag = None if written is None else time.time() - written.timestamp()
        self.received += len(entries)
        self._spool.put(self._mark(entry) for entry in entries)
        self._tell()

    def _tell(self) -> None:
        for tell in list(self.news):
            tell()

    def _mark(self, entry: Entry) -> Entry:
        """Mark an entry of a former executor (trap 22)."""
        if self._is_former(entry):
            return msgspec.structs.replace(entry, former=True)
        return entry

    def _is_former(self, entry: Entry) -> bool:
        record = self.record
        if record is None or entry.senderid == self._me:
            return False
        return entry.senderid not in (record.initiatorid, record.assignedexecutorid) and bool(record.assignedexecutorid)

    def _ends(self, entry: Entry) -> bool:
        self._ended_by_sender = (
            self._to_end
            and entry.is_end
            and entry.inreplyto == 0
            and entry.senderid != self._me
            and not self._is_former(entry)
        )
        return self._ended_by_sender

    def _explain(self) -> ColonyError:
        refusal = self._reader.refusal
        if refusal is not None:
            return self._refusal_error(refusal)
        if self.received == 0 and self._watch.is_over:
            return self._refusal_error(Refused(404, "Channel not found"))
        return StreamBroken(self.processid, self.channel, self.received, self._reader.reason)

    def _refusal_error(self, refusal: Refused) -> ColonyError:
        error = refusal_error(refusal.status, refusal.message, "")
        if isinstance(error, ChannelNotFound):
            record = self.record
            return ChannelNotFound(
                refusal.status,
                refusal.message,
                processid=self.processid,
                channel=self.channel,
                declared=None if record is None else record.spec.channels,
                closed=self._watch.is_over,
            )
        return error

    # what happens outside

    async def _window(self, window: int, afterseq: int, seconds: int) -> None:
        message = messages.SubscribeChannel(
            processid=self.processid, name=self.channel, afterseq=afterseq, timeout=seconds
        )
        try:
            async with subscription(self._source.endpoint, message, self._source.key) as frames:
                self._input(lambda now: self._reader.opened(window, now))
                async for value in frames:
                    await self._frame(window, convert(value, list[Entry]))
        except ServerRefused as refusal:
            status, words = refusal.status, refusal.message
            self._input(lambda now: self._reader.refused(window, status, words, now))
        except (ColonyError, Undecodable) as error:
            logger.debug("window of channel %r of %s: %s", self.channel, self.processid, error)
            self._input(lambda now: self._reader.lost(window, now))
        else:
            self._input(lambda now: self._reader.lost(window, now))

    async def _frame(self, window: int, entries: list[Entry]) -> None:
        await self._know_senders(entries)
        self._input(lambda now: self._reader.frame(window, entries, now))

    async def _read_log(self, request: ReadLog) -> None:
        entries: list[Entry] = []
        try:
            async for page in pages(self._source, self.processid, self.channel, request.afterseq):
                entries += page
            await self._know_senders(entries)
        except ServerRefused as refusal:
            status, words = refusal.status, refusal.message
            self._input(lambda now: self._reader.log_refused(request, status, words, now))
        except ColonyError as error:
            logger.debug("log of channel %r of %s: %s", self.channel, self.processid, error)
            self._input(lambda now: self._reader.log_lost(request, now))
        else:
            self._input(lambda now: self._reader.log(request, entries, now))

    async def _know_senders(self, entries: Sequence[Entry]) -> None:
        """Have the process known well enough to tell its executor from a former one."""
        record = self.record
        executor = "" if record is None else record.assignedexecutorid
        known = {self._me, executor, "" if record is None else record.initiatorid}
        unknown = {(entry.senderid, executor) for entry in entries if entry.senderid not in known} - self._asked
        if unknown and not self._watch.is_over:
            self._asked |= unknown
            with contextlib.suppress(ColonyError):
                await self._watch.refresh()

    async def _ask(self) -> None:
        retries = delays(random.random)
        while not self._watch.is_over:
            try:
                await self._watch.refresh()
            except ServerRefused:
                break  # it is not ours to ask for: the doubt stands
            except ColonyError:
                await asyncio.sleep(next(retries))
            else:
                break
        self._input(self._reader.process_closed if self._watch.is_over else self._reader.process_open)

    async def _follow_process(self) -> None:
        while not self._watch.is_over:
            await self._watch.change()
            self._tell()
        self._input(self._reader.process_closed)


def _raise(error: BaseException) -> None:
    raise error
