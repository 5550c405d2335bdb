"""The caller's side of a kernel: submits its process, attaches to it, and stays attached while networks fail."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from typing import TYPE_CHECKING, Final

import msgspec

from colony_jupyter.errors import ColonyError
from colony_jupyter.kernels import carriers, names
from colony_jupyter.kernels.events import KernelGone, ending
from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.handshake import HELLO, Hello, Refused, read_welcome, signed_hello
from colony_jupyter.kernels.relay.keepalive import KeepAlive
from colony_jupyter.kernels.relay.layout import CTL, IN, OUT
from colony_jupyter.kernels.relay.line import Delivery, Line, Position
from colony_jupyter.kernels.relay.sealing import KEY_BYTES, SID_BYTES, Exchange
from colony_jupyter.kernels.traffic import Traffic
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.kernels.events import Events, Target
    from colony_jupyter.kernels.relay.layout import Lane, Limits
    from colony_jupyter.wire.models import ProcessRecord

logger = logging.getLogger(__name__)

_TICK: Final = 0.5
_FLUSH: Final = 0.02
_LATE: Final = 5.0
"""Seconds between two ticks after which this machine was asleep or cut off: what was due then begins anew."""
_SUCCESSOR_AGAIN: Final = 60.0
_AT_ONCE: Final = 20
"""Messages that are delivered before anything else has its turn."""


class Link:
    """The caller's side of one kernel.

    Args:
        colony: the colony, as the caller.
        target: where the kernel is to run.
        events: what is called with all that happens.
        key: key that Jupyter's messages are signed with.
        confirms: whether what arrives counts as delivered; otherwise the next caller gets it again.
        limits: when channels and processes are full.
    """

    def __init__(
        self,
        colony: AsyncColony,
        target: Target,
        events: Events,
        key: str,
        *,
        confirms: bool = True,
        limits: Limits | None = None,
    ) -> None:
        self._colony = colony
        self._target = target
        self._events = events
        self._key = key
        self._confirms = confirms
        self.line = Line(is_caller=True, limits=limits)
        self.process: AsyncProcess | None = None  # None before it is submitted
        self.about: names.Started | None = None  # None until the kernel has started
        self.attached = asyncio.Event()
        """Set while there is a session."""
        self._traffic: Traffic | None = None
        self._offered: tuple[Hello, Exchange] | None = None  # a hello that was not answered
        self._keepalive = KeepAlive()
        self._wants_session = True
        self._gone: KernelGone | None = None
        self._news = asyncio.Event()
        self._successor: asyncio.Task[AsyncProcess] | None = None
        self._next_successor = 0.0
        self._sentence = ""
        self._begun: set[str] = set()  # processes that had a session
        self._has_asked = False  # whether the kernel was asked to start
        self.executorid = ""  # that the last hello was for

    # using it

    def put(self, lane: Lane, item: Item) -> None:
        """Send an item: at once, or when there is a session."""
        self.line.put(lane, item)
        if self._traffic is not None:
            self._traffic.wake()

    def command(self, name: str, data: bytes = b"") -> None:
        """Send a command."""
        self.put(CTL, Item(name, [data] if data else []))

    async def detach(self, seconds: float) -> None:
        """Send what waits, and report to the kernel that its caller leaves; it goes on. Wait so long at most."""
        await self._flush((CTL, IN), seconds / 2)
        self.line.note(Item(names.DETACH, [str(self.line.sent).encode()]))
        if self._traffic is not None:
            self._traffic.wake()
        await self.sent(seconds / 2)

    async def sent(self, seconds: float) -> bool:
        """Wait until all commands were sent, or so long; returns whether they were."""
        return await self._flush((CTL,), seconds)

    async def _flush(self, lanes: Sequence[Lane], seconds: float) -> bool:
        for _ in range(int(seconds / _FLUSH)):
            if self._traffic is not None and self._traffic.is_idle(lanes):
                return True
            if self._traffic is None and not any(map(self.line.has_unsent, lanes)):
                return True
            await asyncio.sleep(_FLUSH)
        return False

    async def run(self, processid: str = "") -> None:
        """Attach, and relay until the kernel has ended.

        Args:
            processid: the process of a kernel that runs; empty for a new one.

        Raises:
            KernelGone: at its end.
            ColonyError: if it cannot be submitted.
        """
        try:
            await self._colony.connect()
            process = await carriers.find(self._colony, processid) if processid else None
            if process is None:
                self.line.new_kernel()
                process = await carriers.submit(self._colony, self._target)
            self._use(process)
            await self._keep_attached()
        finally:
            self.attached.clear()
            if self._successor is not None:
                self._successor.cancel()
                await asyncio.gather(self._successor, return_exceptions=True)
            if self._traffic is not None:
                await self._traffic.aclose()

    async def cancel(self) -> None:
        """Cancel the process, which ends the kernel at once."""
        if self.process is not None:
            with contextlib.suppress(ColonyError):
                await self.process.cancel()

    # processes

    def _use(self, process: AsyncProcess) -> None:
        self.process = process
        process.shared.continues = True
        self._traffic = None
        self._wants_session = True
        self._offered = None
        self._keepalive.begin()
        self._events.using(process.processid)

    # staying attached

    async def _keep_attached(self) -> None:
        loop = asyncio.get_running_loop()
        assert self.process is not None  # noqa: S101 - the caller has set it
        before = loop.time()
        while True:
            process = self.process
            async with process.shared.watch.following(announced=True):
                while process is self.process:
                    now = loop.time()
                    if now - before > _LATE:
                        self._keepalive.begin()
                        self._keepalive.restart(now)
                    before = now
                    await self._tick(process, now)
                    await self._pause(process)

    async def _pause(self, process: AsyncProcess) -> None:
        """Wait for a change of the process or of the session, or for the next tick."""
        waits = [asyncio.create_task(self._news.wait()), asyncio.create_task(process.shared.watch.change())]
        try:
            if not process.shared.watch.is_over:
                await asyncio.wait(waits, timeout=_TICK, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        self._news.clear()

    async def _tick(self, process: AsyncProcess, now: float) -> None:
        if self._gone is not None:
            raise self._gone
        watch = process.shared.watch
        record = watch.record
        if watch.is_over or record is None:
            raise KernelGone(ending(record))
        if record.state is ProcessState.WAITING:
            await self._wait(record)
            return
        if self._traffic is None:
            self._sentence = ""
            traffic = self._traffic = Traffic(process, self.line, self, is_caller=True)
            traffic.start()
        if self._traffic.over.is_set():
            await self._examine_end(process)
            return
        if self.executorid and record.assignedexecutorid != self.executorid:
            self._wants_session = True
        if self._wants_session:
            await self._hello(process, self._traffic)
        elif self._offered is not None:
            await self._await_welcome(process, self._traffic, now)
        else:
            self._ping(self._traffic, now)
            await self._succeed(process, now)

    async def _wait(self, record: ProcessRecord) -> None:
        """Show what a waiting process waits for."""
        if self._traffic is not None:  # it was put back to waiting
            await self._traffic.aclose()
            self._traffic = None
            self.attached.clear()
            self.line.end()
            self._wants_session = True
        sentence = await self._colony.explain_waiting(record)
        if sentence != self._sentence:
            self._sentence = sentence
            await self._events.waiting(sentence)

    async def _examine_end(self, process: AsyncProcess) -> None:
        """Find out why the traffic has ended: mostly the process has."""
        traffic, self._traffic = self._traffic, None
        assert traffic is not None  # noqa: S101 - the caller has checked it
        await traffic.aclose()
        self.attached.clear()
        self.line.end()
        self._wants_session = True
        with contextlib.suppress(ColonyError):
            await process.shared.watch.refresh()
        if not process.shared.watch.is_over:
            logger.info("%r: the relay begins anew: %s", process, traffic.failure)
            await asyncio.sleep(_TICK)

    async def _await_welcome(self, process: AsyncProcess, traffic: Traffic, now: float) -> None:
        """Give up an executor that does not answer.

        Raises:
            KernelGone: if it does not.
        """
        if self._keepalive.is_lost(now, has_come_back=traffic.has_greeting_back):
            name = await self._executorname(process.record.assignedexecutorid)
            if self._offered is not None:  # else it has answered meanwhile
                raise KernelGone(
                    f"Executor '{name}' does not answer any more: it was killed, or its machine or network failed. The "
                    "kernel and its variables are lost. Run the cells again to start a new kernel."
                )
        elif self._keepalive.wants_last_hello(now, traffic.heard, is_first=process.processid not in self._begun):
            await self._hello(process, traffic, is_last=True)

    async def _hello(self, process: AsyncProcess, traffic: Traffic, *, is_last: bool = False) -> None:
        exchange = Exchange(secrets.token_bytes(KEY_BYTES))
        hello = Hello(secrets.token_bytes(SID_BYTES).hex(), exchange.public, self.line.resume())
        self._offered, self._wants_session = (hello, exchange), False
        self.executorid = process.record.assignedexecutorid
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            await traffic.greet(HELLO, signed_hello(hello, process.processid, self._colony.key))
        except ColonyError as error:
            logger.info("%r: no hello could be sent: %s", process, error)
            self._wants_session = True
            await asyncio.sleep(_TICK)
        now = loop.time()
        self._keepalive.hello(now, now - begun, is_last=is_last)

    def _ping(self, traffic: Traffic, now: float) -> None:
        """Ask for a sign of life where none has come for long, and for a new session if none comes."""
        if self._keepalive.wants_ping(now, traffic.heard, is_busy=self._events.is_expecting()):
            self.line.note(Item(names.PING, []))
            traffic.wake()
        elif self._keepalive.wants_session(now):
            logger.info("%r: no sign of life of the executor", self.process)
            self._wants_session = True

    async def _succeed(self, process: AsyncProcess, now: float) -> None:
        """Continue in another process when this one is full."""
        if self._successor is None:
            if self.line.occupancy.needs_successor and now >= self._next_successor:
                self._successor = asyncio.create_task(carriers.succeed(self._colony, self._target, process))
            return
        if not self._successor.done():
            return
        task, self._successor = self._successor, None
        try:
            successor = task.result()
        except ColonyError as error:
            logger.warning("%r: no other process can take over: %s", process, error)
            self._next_successor = now + _SUCCESSOR_AGAIN
            return
        assert self._traffic is not None  # noqa: S101 - there is a session
        self._traffic.hold()
        await self._traffic.aclose()
        self.attached.clear()
        self.line.new_process()
        self._use(successor)

    # what the traffic brings

    async def greeted(self, payload: bytes) -> None:
        """Begin the session that the executor accepts."""
        process, traffic = self.process, self._traffic
        if self._offered is None or process is None or traffic is None:
            return
        hello, exchange = self._offered
        executor, trusted = process.record.assignedexecutorid, self._target.trusted
        try:
            welcome = read_welcome(payload, process.processid, hello, executor, trusted)
            sid = bytes.fromhex(hello.sid)
            keys = exchange.keys(process.processid, sid, welcome.pub, caller=hello.pub, host=welcome.pub)
        except (Refused, ValueError) as error:
            logger.info("%r: a welcome is refused: %s", process, error)
            self._keepalive.restart(asyncio.get_running_loop().time())
            if trusted and executor not in trusted:
                self._end(KernelGone(await self._untrusted(executor)))
            return
        self.executorid = executor
        self._offered = None
        self._keepalive.begin()
        is_new = not welcome.kernel and not any(welcome.resume.values())  # nothing was ever sent to this executor
        if is_new and self.about is not None:
            self._end(KernelGone("The executor was started anew, and the kernel with its variables is gone."))
            return
        if is_new:
            self.line.new_kernel()
        if is_new or not self._has_asked:  # one that had the command may have been killed before it started a kernel
            self._has_asked = True
            self.command(names.START, msgspec.json.encode(names.Start(self._key, self._target.kernel)))
        self.line.begin(keys, welcome.resume, welcome.out)
        traffic.heard = asyncio.get_running_loop().time()
        traffic.begin_session()
        self._begun.add(process.processid)
        self.attached.set()

    async def _executorname(self, executorid: str) -> str:
        """Return the name of an executor; the beginning of its id if the server does not name it."""
        with contextlib.suppress(ColonyError):
            return (await self._colony.get_executor_by_id(executorid)).executorname
        return executorid[:8]

    async def _untrusted(self, executor: str) -> str:
        name = await self._executorname(executor)
        return (
            f"Executor '{name}' got the kernel's process, and it is none of those that were trusted when the kernel "
            f"was installed, so nothing was sent to it. To trust the executors that are there now, run: "
            f"colony-jupyter kernel install --type {self._target.executortype}"
        )

    async def deliver(self, delivery: Delivery) -> None:
        """Hand what the kernel sends to the user, and note that it was delivered."""
        confirms = self._confirms and delivery.number
        noted: Position | None = None

        def confirm(position: Position) -> None:
            nonlocal noted
            if position != noted:  # a proxy writes each to its disk
                noted = position
                self._events.delivered(delivery.lane, position)

        def note() -> None:
            if confirms:
                confirm(self.line.position_after(delivery))

        for count, item in enumerate(tuple(delivery.items)):
            try:
                await self._deliver(item, delivery, note)
            except Exception:
                logger.exception("%r: a message of the kernel could not be delivered", self.process)
            if confirms:
                confirm(self.line.item_delivered(delivery))
            if count % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)  # an interrupt must not wait for the rest of a flood
        if confirms:
            confirm(self.line.delivered(delivery))

    async def _deliver(self, item: Item, delivery: Delivery, note: Callable[[], None]) -> None:
        if not delivery.number:
            if item.name == names.LOST:
                self.interrupted("the executor misses entries")
            elif item.name == names.SUPERSEDED and self._offered is None and not self._wants_session:
                self._end(
                    KernelGone(
                        "The kernel was attached from elsewhere, so it is detached here. Run the cell again to attach "
                        "it here.",
                        is_elsewhere=True,
                    )
                )
        elif delivery.lane == CTL and item.name == names.STARTED:
            self.about = msgspec.json.decode(item.frames[0], type=names.Started)
            await self._events.started(self.about)
        elif delivery.lane == OUT and item.name == names.NOT_STARTED:
            self._end(KernelGone(item.frames[0].decode()))
        elif delivery.lane == OUT and item.name == names.DIED:
            about = msgspec.json.decode(item.frames[0], type=dict[str, object])
            words = f" It printed: {about['words']}" if about.get("words") else ""
            self._end(KernelGone(f"The kernel has died, with exit code {about.get('code')}.{words}", died=True))
        else:
            await self._events.deliver(item, note)

    def interrupted(self, reason: str, *, log_is_lost: bool = False) -> None:
        """Begin a new session, unless one is about to begin."""
        logger.info("%r: %s", self.process, reason)
        if self._offered is None or log_is_lost:
            self._wants_session = True
            self._news.set()

    def _end(self, gone: KernelGone) -> None:
        self._gone = gone
        self._news.set()
