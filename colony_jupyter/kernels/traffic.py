"""Carries entries between one party's line and the channels of a process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Final

from colony_jupyter.errors import ChannelError, ColonyError
from colony_jupyter.kernels.relay.framing import Item, Malformed
from colony_jupyter.kernels.relay.gathering import LONG
from colony_jupyter.kernels.relay.handshake import HELLO, SEALED, WELCOME
from colony_jupyter.kernels.relay.layout import CTL, IN, OUT
from colony_jupyter.kernels.relay.pacing import Pace
from colony_jupyter.kernels.relay.sealing import Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from typing import Any, Protocol

    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.kernels.relay.layout import Lane
    from colony_jupyter.kernels.relay.line import Delivery, Line
    from colony_jupyter.wire.models import Entry

    class Owner(Protocol):
        """What the traffic is for."""

        async def greeted(self, payload: bytes) -> None:
            """Accept a hello or welcome."""

        async def deliver(self, delivery: Delivery) -> None:
            """Accept a batch; it counts as delivered when this returns."""

        def interrupted(self, reason: str, *, log_is_lost: bool = False) -> None:
            """Note that entries are missing or could not be sent: a new session is needed."""


logger = logging.getLogger(__name__)

ACK: Final = "ack"
_ACK_SIZE: Final = 2 * 2**20
_ACK_SECONDS: Final = 10.0
_LAST_BATCH: Final = 6.0
"""Seconds for the delivery of a batch, when this ends; a front end that has gone is waited for."""
_REST: Final = 0.15
"""Pause after an append to ``in``, as a part of the time that the append took.

The executor needs as long to append its answer. With the pause, that append has ended when the next messages arrive,
and the answer to these need not wait for it.
"""
_GREETINGS: Final = (HELLO, WELCOME)


class Traffic:
    """Reads and writes the channels of one process.

    Args:
        process: the process.
        line: what is sent and received.
        owner: gets what arrives.
        is_caller: whether this party is the initiator of the process.
    """

    def __init__(self, process: AsyncProcess, line: Line, owner: Owner, *, is_caller: bool) -> None:
        self.process = process
        self._line = line
        self._owner = owner
        self._is_caller = is_caller
        self._loop = asyncio.get_running_loop()
        self._pace = Pace(self._loop.time())
        self._changed = {lane: asyncio.Event() for lane in (CTL, line.data)}
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading: asyncio.Task[None] | None = None  # of ``out``
        self._between = asyncio.Event()  # set while no batch of ``out`` is being delivered
        self._between.set()
        self._open: set[Lane] = set()  # lanes that may send
        self._appending = 0  # lanes of which a batch is on its way
        self.heard = self._loop.time()
        """When the last entry of the other party arrived."""
        self._greeting: bytes | None = None  # the last hello or welcome that was sent
        self.has_greeting_back = False
        """Whether that has come back from the server, and with it all that was on the channel before it."""
        self.has_heard = False
        """Whether any entry has arrived, of either party."""
        self.failure: ColonyError | None = None
        """Why it ended; None if the process has closed, or it runs."""
        self.over = asyncio.Event()
        """Set when the process has closed."""

    def start(self) -> None:
        """Begin to read."""
        self._spawn(self._read_ctl())
        if not self._is_caller:
            self._spawn(self._read(IN))
        for lane in (CTL, self._line.data):
            self._spawn(self._send(lane))
        self._spawn(self._acknowledge())

    def begin_session(self) -> None:
        """Read ``out`` where the session has it, and send what waits; called when the line has begun a session."""
        self._open = {CTL, self._line.data}
        if self._is_caller:
            former = self._reading
            if former is not None and self._between.is_set():
                former.cancel()
            self._reading = self._spawn(self._read_out(former))
        self.wake()

    def hold(self) -> None:
        """Send nothing more: the line continues on another process."""
        self._open = set()

    def wake(self) -> None:
        """Send what waits."""
        for event in self._changed.values():
            event.set()

    async def greet(self, kind: str, payload: bytes) -> None:
        """Append a hello or welcome.

        Raises:
            ColonyError: if it cannot be appended.
        """
        self._greeting, self.has_greeting_back = payload, False
        await self.process.channel(CTL).send(payload, type=kind)

    def is_idle(self, lanes: Iterable[Lane] = (CTL,)) -> bool:
        """Whether nothing of these lanes waits to be sent, and no batch is on its way to the server."""
        return self.over.is_set() or not (self._appending or any(map(self._line.has_unsent, lanes)))

    async def aclose(self) -> None:
        """End it, after a batch that is being delivered: what has arrived in part is not sent again."""
        self._reading = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_BATCH):
                await self._between.wait()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, ColonyError):
            self.failure = error
        else:
            logger.error("the kernel of %r", self.process, exc_info=error)
            self.failure = ColonyError(f"The relay of the kernel failed ({type(error).__name__}: {error}).")
        self.over.set()

    # reading

    async def _read_ctl(self) -> None:
        await self._read(CTL)
        self.over.set()

    async def _read_out(self, former: asyncio.Task[None] | None) -> None:
        """Read ``out``, once a reader of the former session has delivered its last batch."""
        if former is not None:
            await asyncio.wait({former})
        reading = asyncio.current_task()

        def until() -> bool:
            return self._line.out != channel or self._reading is not reading

        while self._reading is reading:
            channel = self._line.out
            await self._read(channel, until=until)
            if self._line.out == channel:
                return

    async def _read(self, channel: str, *, until: Callable[[], bool] = lambda: False) -> None:
        stream = self.process.channel(channel).stream(errors="yield", to_end=False, on_loss=self._lost)
        async with stream:
            while not until() and (entries := await stream.batch()):
                self.has_heard = True
                for entry in entries:
                    self._pace.note(self._loop.time())
                    if entry.senderid == self.process.colony.key.id:
                        self.has_greeting_back = self.has_greeting_back or entry.payload == self._greeting
                    elif not entry.former:
                        await self._receive(channel, entry)
                    if until():
                        break

    async def _receive(self, channel: str, entry: Entry) -> None:
        payload = entry.payload or b""
        if channel == CTL and entry.type in _GREETINGS:
            await self._owner.greeted(payload)
            return
        if entry.type != SEALED:
            return
        try:
            delivery = self._line.feed(channel, payload)
        except (Gap, Malformed) as error:
            self._owner.interrupted(str(error))
            return
        if delivery is None:
            return
        self.heard = self._loop.time()
        self.wake()  # an acknowledgement may have made room
        try:
            if delivery.lane == OUT:
                await self._deliver_out(delivery)
            else:
                await self._owner.deliver(delivery)
        except BaseException:
            self._line.undelivered(delivery)  # this may be closed while a front end is waited for
            raise
        if self._line.unacknowledged > _ACK_SIZE:
            self._send_acknowledgement()

    async def _deliver_out(self, delivery: Delivery) -> None:
        self._between.clear()
        try:
            await self._owner.deliver(delivery)
        finally:
            self._between.set()

    def _lost(self, _: int) -> None:
        self._owner.interrupted("the server lost the logs of the channels", log_is_lost=True)

    # writing

    async def _send(self, lane: Lane) -> None:
        changed = self._changed[lane]
        while True:
            await changed.wait()
            changed.clear()
            await self._gather(lane, changed)
            while lane in self._open:
                is_text = self._line.is_text(lane)
                if not (entries := self._line.pop(lane)):
                    break
                self._appending += 1
                try:
                    for channel, payload in entries:
                        await self._append(lane, channel, payload)
                        if lane not in self._open:
                            break  # the next session sends the whole batch again
                finally:
                    self._appending -= 1
                if is_text:
                    await self._rest_from_text(lane, changed)

    async def _rest_from_text(self, lane: Lane, changed: asyncio.Event) -> None:
        """Let printed text gather, of a program that prints without end; what is no text ends the wait."""
        gap = self._pace.text_gap(self._loop.time())
        await self._wait_for_more(changed, gap, lambda: gap if self._line.is_text(lane) else 0.0)

    async def _gather(self, lane: Lane, changed: asyncio.Event) -> None:
        """Wait a moment for what follows, where nothing is on its way."""
        await self._wait_for_more(changed, LONG, lambda: self._line.patience(lane))

    async def _wait_for_more(self, changed: asyncio.Event, longest: float, patience_now: Callable[[], float]) -> None:
        """Wait until nothing has come for as long as what waits may wait.

        Args:
            changed: set when more has come.
            longest: seconds to wait in all.
            patience_now: returns the seconds to wait for more; 0 if what waits is to be sent at once.
        """
        deadline = self._loop.time() + longest
        while (patience := patience_now()) and self._loop.time() < deadline:
            try:
                async with asyncio.timeout_at(min(deadline, self._loop.time() + patience)):
                    await changed.wait()
            except TimeoutError:
                return
            changed.clear()

    async def _append(self, lane: Lane, channel: str, payload: bytes) -> None:
        begun = self._loop.time()
        try:
            await self.process.channel(channel).send(payload, type=SEALED)
        except ChannelError:
            raise
        except ColonyError as error:
            logger.info("%r: an entry could not be sent: %s", self.process, error)
            self._open.discard(lane)  # what follows would be dropped; on the other lane a new session is asked for
            self._owner.interrupted(str(error))
        now = self._loop.time()
        gap = self._pace.gap(now, self._line.occupancy.pressure(channel), urgent=channel == CTL)
        if channel == IN:
            gap = max(gap, _REST * (now - begun))
        if gap:
            await asyncio.sleep(gap)

    async def _acknowledge(self) -> None:
        while True:
            await asyncio.sleep(_ACK_SECONDS)
            if self._line.unacknowledged:
                self._send_acknowledgement()

    def _send_acknowledgement(self) -> None:
        self._line.note(Item(ACK, []))
        self._changed[CTL].set()
