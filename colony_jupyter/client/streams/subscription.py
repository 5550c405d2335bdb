"""One channel's entries as they arrive: the sockets around the pure `colony_jupyter.channels.reader`.

Frames, replies and the timer call the reader directly, and what it delivers goes into a spool in the same step. Nothing
is awaited between two frames of a socket, whatever the consumer does, because a server drops what a slow reader leaves.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.channels.backoff import delays
from colony_jupyter.channels.effects import AskProcess, Close, Effect, Open, ReadLog, StreamState
from colony_jupyter.channels.nodes import EMPTY_AFTER_END
from colony_jupyter.channels.numbering import Numbering
from colony_jupyter.channels.reader import Reader
from colony_jupyter.channels.statistics import StreamStatistics, lag
from colony_jupyter.client.streams.channel_log import is_there, pages
from colony_jupyter.client.streams.failure import stream_failure
from colony_jupyter.client.streams.senders import Senders, former
from colony_jupyter.client.streams.spool import Spool
from colony_jupyter.client.transport.gateway import asked_to_wait
from colony_jupyter.errors import (
    ColonyError,
    GatewayRefused,
    ServerRefused,
    ServerUnreachable,
    StreamBroken,
    UsageError,
    WebSocketRefused,
)
from colony_jupyter.wire import messages
from colony_jupyter.wire.decoding import Undecodable
from colony_jupyter.wire.models import END, ERROR, Entry, ProcessState

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from colony_jupyter.channels.effects import Policy
    from colony_jupyter.channels.inbox import Inbox
    from colony_jupyter.client.connection import Connection
    from colony_jupyter.client.process_watcher import ProcessWatcher
    from colony_jupyter.wire.models import ProcessRecord

logger = logging.getLogger(__name__)

LAST: Final = (END, ERROR)
"""Types of entries that may be the last one of a stream."""


class Subscription:
    """Reads one channel into a spool, on the loop that `start` is called on. `AsyncStream` is its consumer.

    Args:
        connection: the client that reads.
        watcher: the watcher of the process.
        channel: the channel's name.
        to_end: whether the other party's plain ``end`` ends the stream; otherwise only the process does.
        survives_loss: whether reading continues with the new log after the server has lost the log.
        inbox: entries that an earlier subscription has received; reading resumes behind them.
        policy: times of the reader.
        gather: seconds for which entries may be gathered after each read from the socket, for a consumer that need not
            have each at once.
    """

    def __init__(
        self,
        connection: Connection,
        watcher: ProcessWatcher,
        channel: str,
        *,
        to_end: bool = True,
        survives_loss: bool = False,
        inbox: Inbox | None = None,
        policy: Policy | None = None,
        gather: float = 0.0,
    ) -> None:
        self.processid = watcher.processid
        self.channel = channel
        self.scope = watcher.scope
        self.failure: ColonyError | None = None
        """Why the stream is broken."""
        self.is_over = False
        """Whether no more entries will arrive."""
        self.received = 0
        self.delivered = 0
        self.losses: deque[int] = deque()
        """For each loss of the log that the consumer has not passed: the number of entries received before it."""
        self.listeners: set[Callable[[], None]] = set()
        """Called on the loop when entries arrived or the state of the stream or of the process changed."""
        self.taps: set[Callable[[Sequence[Entry]], None]] = set()
        """Called on the loop with every entry that arrives, before the consumer receives it."""
        self._connection = connection
        self._watcher = watcher
        self.senders = Senders(connection.key.id, watcher)
        self._to_end = to_end
        self._gather = gather
        self._reader = Reader(
            ends=self._ends,
            random=random.random,
            policy=policy,
            inbox=inbox,
            survives_loss=survives_loss,
            shortest_poll=watcher.poll_interval,
            shortest_silence=watcher.followed.silence,
        )
        self._spool = Spool()
        self._tasks: dict[object, asyncio.Task[None]] = {}  # windows by their number, and others
        self._timer: asyncio.TimerHandle | None = None
        self._heard_other = False  # whether an entry of the other party arrived
        self._arrived = ("", 0.0)  # the server's time of the latest entry, and ours when it arrived
        self._numbering = Numbering()
        self._listening = asyncio.Event()
        self._last_state = (StreamState.OPEN, "")
        self._last_losses = 0

    # the consumer's side

    @property
    def state(self) -> StreamState:
        """State of the connection: open, resuming, ended or broken."""
        return self._reader.state if self.failure is None else StreamState.BROKEN

    @property
    def is_running(self) -> bool:
        """Whether it was started and entries may still arrive."""
        return bool(self._tasks) and not self.is_over

    @property
    def is_process_over(self) -> bool:
        """Whether the process has closed."""
        return self._watcher.is_over

    @property
    def loss_count(self) -> int:
        """How often the server has lost the log."""
        return self._reader.losses

    @property
    def polling(self) -> str:
        """Why the log is polled instead of a WebSocket read, as a clause; empty while it is not."""
        return self._reader.polling

    @property
    def inbox(self) -> Inbox:
        """What has been received, for a later subscription to resume behind."""
        return self._reader.inbox

    @property
    def record(self) -> ProcessRecord | None:
        """The process as it was last known."""
        return self._watcher.record

    def start(self) -> None:
        """Begin to read."""
        self._spawn("process", self._follow_process())
        self._input(self._reader.start)

    def stop(self) -> None:
        """End the reading without waiting until its connections have closed."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks.values():
            task.cancel()
        self.is_over = True
        self._listening.set()
        self._notify()

    async def aclose(self) -> None:
        """End the reading, close its connections and drop the entries that were not consumed."""
        self.stop()
        tasks = [task for task in self._tasks.values() if task is not asyncio.current_task()]
        await asyncio.gather(*tasks, return_exceptions=True)
        self._spool.close()

    def client_closed(self) -> None:
        """End the reading because the client is closed, unless it has ended."""
        if not self.is_over:
            self.failure = UsageError(f"The client of channel '{self.channel}' was closed while a stream was open.")
            self.stop()

    async def listening(self) -> None:
        """Wait until every entry that is appended while the process is open will arrive, or the stream is over."""
        await self._listening.wait()

    def peek(self) -> Entry | None:
        """Return the oldest entry that was not consumed, if there is one."""
        return self._spool.peek()

    def pop(self) -> Entry:
        """Consume the entry that `peek` returned; marked if it is by a former executor (trap 22)."""
        entry = self._spool.pop()
        assert entry is not None  # noqa: S101 - `peek` returned it
        self.delivered += 1
        return former(entry) if self.senders.is_former(entry) else entry

    def pop_run(self, count: int, size: int) -> list[Entry]:
        """Consume the entry that `peek` returned, which is a plain one, and plain ones of the same sender after it.

        Plain are all but ``end`` and ``error``. A run ends where the log was lost.

        Args:
            count: how many at most.
            size: bytes of payloads from which on it is enough.
        """
        first = self.peek()
        assert first is not None  # noqa: S101 - see above
        sender = first.senderid
        if self.losses:
            count = min(count, self.losses[0] - self.delivered)
        run = self._spool.pop_while(
            lambda entry: entry.senderid == sender and entry.type not in LAST, count=count, size=size
        )
        self.delivered += len(run)
        return [former(entry) for entry in run] if self.senders.is_former(first) else run

    def discard(self) -> None:
        """Drop what was not consumed."""
        self._spool.close()
        self.delivered = self.received

    def is_end(self, entry: Entry) -> bool:
        """Whether an entry is the end of the stream."""
        is_plain_end = self._to_end and entry.is_end and entry.inreplyto == 0
        return is_plain_end and self.senders.is_other(entry)

    def waiting_for(self) -> str:
        """Return a sentence about what a waiting process waits for; empty for other states."""
        record = self.record
        if record is None or record.state is not ProcessState.WAITING:
            return ""
        return f"The process still waits for an executor of type '{record.spec.conditions.executortype}'."

    def statistics(self) -> StreamStatistics:
        """Return the counts."""
        return StreamStatistics(
            delivered=self.delivered,
            waiting=self.received - self.delivered,
            repeats=self._reader.inbox.repeats,
            resumes=self._reader.resumes,
            lag=lag(*self._arrived),
            missing=self._numbering.missing(),
        )

    # the reader's side

    def _input(self, feed: Callable[[float], None]) -> None:
        """Pass one input to the reader and carry out what it asks for."""
        if self.is_over:
            return
        try:
            feed(asyncio.get_running_loop().time())
            self._carry_out()
        except Exception as error:  # noqa: BLE001 - an internal error must not look like the end of the stream
            self._break(error)

    def _carry_out(self) -> None:
        reader = self._reader
        for effect in reader.effects():
            self._begin(effect)
        if entries := reader.delivered():
            self._deliver(entries)
        if reader.losses != self._last_losses:
            self._last_losses = reader.losses
            self.losses.append(self.received)
            self._numbering = Numbering()
            logger.warning("channel %r of %s: the server lost its log", self.channel, self.processid)
            self._notify()
        if not self._listening.is_set() and reader.listens:
            self._listening.set()
        state = (reader.state, reader.polling)
        if state != self._last_state:
            logger.info("channel %r of %s: %s %s", self.channel, self.processid, reader.state.value, reader.polling)
            self._last_state = state
            self._notify()
        if reader.state.is_over:
            self._end()
        else:
            self._set_timer()

    def _end(self) -> None:
        """End as the reader did."""
        reader = self._reader
        if reader.state is StreamState.BROKEN:
            self.failure = stream_failure(
                self._watcher, self.channel, self.received, reason=reader.reason, refusal=reader.refusal
            )
        if missing := self._numbering.missing():
            logger.warning("channel %r of %s: %d numbers of senders are missing", self.channel, self.processid, missing)
        if self._may_be_elsewhere():
            self._spawn("node", self._check_node())
        else:
            self.stop()

    def _begin(self, effect: Effect) -> None:
        match effect:
            case Open(window, afterseq, seconds):
                self._spawn(window, self._window(window, afterseq, seconds))
            case Close(window):
                if window in self._tasks:
                    self._tasks[window].cancel()
            case ReadLog():
                self._spawn("log", self._read_log(effect))
            case AskProcess():
                self._spawn("ask", self._ask_process())

    def _set_timer(self) -> None:
        deadline, loop = self._reader.deadline(), asyncio.get_running_loop()
        if self._timer is not None:
            if deadline is not None and loop.time() < self._timer.when() <= deadline:
                return  # each entry defers the deadline, and an early tick does no harm
            self._timer.cancel()
        self._timer = None if deadline is None else loop.call_at(deadline, self._input, self._reader.tick)

    def _spawn(self, name: object, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks[name] = task
        task.add_done_callback(partial(self._done, name))

    def _done(self, name: object, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._break(error)

    def _break(self, error: BaseException) -> None:
        """End the stream by an internal error."""
        logger.error("channel %r of %s cannot be read on", self.channel, self.processid, exc_info=error)
        reason = f"reading it went wrong ({type(error).__name__}: {error})"
        self.failure = StreamBroken(self.processid, self.channel, self.received, reason)
        self.stop()

    def _deliver(self, entries: Sequence[Entry]) -> None:
        self._arrived = (entries[-1].timestamp, time.time())
        self.received += len(entries)
        self._numbering.note(entries)
        self._heard_other = self._heard_other or not all(map(self.senders.is_mine, entries))
        for tap in list(self.taps):
            tap(entries)
        self._spool.put(entries)
        self._notify()
        # An executor closes its process soon after its plain `end` or `error` entry.
        last = [entry for entry in entries if entry.type in LAST and not entry.inreplyto]
        if not all(map(self.senders.is_mine, last)):
            self._watcher.expect_end()

    def _notify(self) -> None:
        for callback in list(self.listeners):
            callback()

    def _ends(self, entry: Entry) -> bool:
        """Whether an entry certainly ends the stream; where its sender is unknown, the consumer decides."""
        if not entry.is_end:
            return False
        record = self.record
        is_known = record is not None and entry.senderid in (record.initiatorid, record.assignedexecutorid)
        return is_known and self.is_end(entry)

    # input and output

    async def _window(self, window: int, afterseq: int, seconds: int) -> None:
        reader = self._reader
        message = messages.SubscribeChannel(
            processid=self.processid, name=self.channel, afterseq=afterseq, timeout=seconds
        )
        is_opened = False
        try:
            async with self._connection.open_subscription(message, list[Entry]) as frames:
                is_opened = True
                self._input(partial(reader.opened, window))
                await frames.each(
                    lambda arrived: self._input(partial(_feed, reader, window, arrived)),
                    lambda: 0.0 if self.taps else self._gather,  # a question may wait for its answer
                )
        except ServerRefused as refusal:
            self._input(partial(reader.refused, window, refusal.status, refusal.message))
        except WebSocketRefused as error:
            self._input(partial(reader.not_opened, window, error.clause, is_refused=True))
        except (ColonyError, Undecodable) as error:
            logger.debug("window of channel %r of %s: %s", self.channel, self.processid, error)
            if is_opened:
                self._input(partial(reader.lost, window))
            else:
                reason = error.reason if isinstance(error, ServerUnreachable) else str(error)
                reason = f"no WebSocket can be opened: {reason}"
                self._input(partial(reader.not_opened, window, reason, is_refused=False, wait=asked_to_wait(error)))
        else:
            self._input(partial(reader.lost, window))

    async def _read_log(self, request: ReadLog) -> None:
        reader = self._reader
        entries: list[Entry] = []
        try:
            async for page in pages(self._connection, self.processid, self.channel, request.afterseq):
                entries += page
        except GatewayRefused as refusal:
            self.failure = refusal
            self.stop()
        except ServerRefused as refusal:
            self._input(partial(reader.log_refused, request, refusal.status, refusal.message))
        except ColonyError as error:
            logger.debug("log of channel %r of %s: %s", self.channel, self.processid, error)
            self._input(partial(reader.log_lost, request, wait=asked_to_wait(error)))
        else:
            self._input(partial(reader.log, request, entries))

    def _may_be_elsewhere(self) -> bool:
        """Whether the process has ended by itself, and nothing of the other party arrived."""
        record = self.record
        has_run = record is not None and record.state in (ProcessState.SUCCESS, ProcessState.FAILED)
        return self.state is StreamState.ENDED and has_run and not self._heard_other

    async def _check_node(self) -> None:
        """Break the stream if this node still has the channel of the process, which has ended (docs/protocol.md)."""
        if await is_there(self._connection, self.processid, self.channel):
            self.failure = StreamBroken(self.processid, self.channel, self.received, EMPTY_AFTER_END)
        self.stop()

    async def _ask_process(self) -> None:
        retries = delays(random.random)
        while not self._watcher.is_over:
            try:
                await self._watcher.refresh()
            except ServerRefused:
                break  # not permitted: the doubt stands
            except ColonyError:
                await asyncio.sleep(next(retries))
            else:
                break
        self._input(self._reader.process_closed if self._watcher.is_over else self._reader.process_open)

    async def _follow_process(self) -> None:
        async with self._watcher.following(announced=False):
            while not self._watcher.is_over:
                await self._watcher.change()
                self._notify()
            self._input(self._reader.process_closed)


def _feed(reader: Reader, window: int, frames: Sequence[Sequence[Entry]], now: float) -> None:
    for entries in frames:
        reader.frame(window, entries, now)
