"""All kernels of an executor, and the function ``jupyter-kernel``, whose processes carry them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import secrets
import time
from typing import TYPE_CHECKING, Final

import msgspec

from colony_jupyter.errors import ColonyError, ExecutorError
from colony_jupyter.kernels import names
from colony_jupyter.kernels.host.hosted import Hosted
from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.handshake import WELCOME, Refused, Welcome, read_hello, signed_welcome
from colony_jupyter.kernels.relay.layout import CHANNELS, CTL, IN
from colony_jupyter.kernels.relay.sealing import KEY_BYTES, Exchange
from colony_jupyter.kernels.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.kernels.relay.layout import Limits
    from colony_jupyter.kernels.relay.line import Delivery

logger = logging.getLogger(__name__)

_FIRST_HELLO: Final = 120.0
_SILENCE: Final = 200.0
"""Seconds without an entry of the caller after which it counts as gone; it pings every 60 s."""
_ORPHAN: Final = 600.0
"""Seconds for which a kernel is kept whose process was put back to waiting."""
_TICK: Final = 1.0
_PUBLISH: Final = 60.0
_END_NOTICED: Final = 5.0
"""Seconds for an executor to notice that a process has closed."""
_LAST_NOTE: Final = 1.0
"""Seconds at most for a former caller's note to be on its way: without it, that caller would take the kernel back."""
_POLL: Final = 0.01


class Host:
    """The kernels of an executor.

    Args:
        environ: gives the environment of kernels, without keys.
        executorname: gives the name of the executor.
        kernel: name of the kernel that is started where the caller names none.
        keep: seconds that a kernel lives without a caller.
        limits: when channels and processes are full.
        ends: when the batch job of the executor ends, in seconds since 1970.
    """

    def __init__(
        self,
        environ: Callable[[], Mapping[str, str]],
        executorname: Callable[[], str],
        *,
        kernel: str = names.KERNEL,
        keep: float = names.KEEP,
        limits: Limits | None = None,
        ends: float = math.inf,
    ) -> None:
        self._environ = environ
        self._executorname = executorname
        self._kernel = kernel
        self.keep = keep
        self._limits = limits
        self._ends = ends
        self._carriers: dict[str, Carrier] = {}  # by the process that carries the kernel, or has carried it last
        self._orphans: dict[asyncio.Task[None], Carrier] = {}  # by the task that ends its kernel later

    def new_kernel(self) -> Hosted:
        """Return a kernel that was not started yet."""
        return Hosted(self._kernel, self._environ(), self._executorname, self._limits, self._ends)

    def find(self, process: AsyncProcess) -> Carrier | None:
        """Return the former carrier of a process's kernel: the process itself, or the one that it succeeds."""
        adopted = process.spec.kwargs.get(names.ADOPT)
        former = self._carriers.get(process.processid) or self._carriers.get(str(adopted))
        # Ids of processes are public: a successor must be of the same initiator.
        return former if former is not None and former.process.initiatorid == process.initiatorid else None

    async def serve(self, process: AsyncProcess) -> None:
        """Carry a kernel, as the function of a process, until the caller ends it or another process takes over.

        Raises:
            ExecutorError: if no caller comes, or none came back.
        """
        if not set(CHANNELS) <= set(process.spec.channels):
            raise ExecutorError(
                "The process does not have the channels of a kernel: start it with `colony-jupyter kernel`."
            )
        former = self.find(process)
        carrier = Carrier(self, process, former)
        if former is not None and former.process.processid == process.processid:
            self._carriers[process.processid] = carrier  # it was put back to waiting, and assigned again
        try:
            await carrier.run()
        finally:
            await carrier.aclose()
            if not carrier.is_released and carrier.hosted is not None:
                if self._is_over(process):
                    await self._end(carrier)
                else:
                    ending = asyncio.create_task(self._end_later(carrier))
                    self._orphans[ending] = carrier
                    ending.add_done_callback(self._orphans.pop)

    def _is_over(self, process: AsyncProcess) -> bool:
        """Whether the kernel ends with its process; it does not if the process was put back to waiting."""
        task = asyncio.current_task()
        watch = process.shared.watch
        return task is None or not task.cancelling() or watch.is_over

    async def _end(self, carrier: Carrier) -> None:
        if self._carriers.get(carrier.process.processid) is carrier:
            del self._carriers[carrier.process.processid]
        if carrier.hosted is not None and not any(each.hosted is carrier.hosted for each in self._carriers.values()):
            await carrier.hosted.kill()

    async def _end_later(self, carrier: Carrier) -> None:
        """End the kernel of a process that was taken away, unless it comes back."""
        await asyncio.sleep(_ORPHAN)
        await self._end(carrier)

    def carry(self, carrier: Carrier) -> None:
        """Note that a carrier has the kernel now."""
        for processid, other in list(self._carriers.items()):
            if other is not carrier and other.hosted is carrier.hosted:
                other.release()
                del self._carriers[processid]
        self._carriers[carrier.process.processid] = carrier

    async def aclose(self) -> None:
        """End all kernels: the executor stops."""
        carriers = [*self._carriers.values(), *self._orphans.values()]
        self._carriers.clear()
        for ending in self._orphans:
            ending.cancel()
        await asyncio.gather(*self._orphans, return_exceptions=True)
        kernels = {carrier.hosted for carrier in carriers if carrier.hosted is not None}
        await asyncio.gather(*(kernel.kill() for kernel in kernels))


class Carrier:
    """One process that carries a kernel, or is about to.

    Args:
        host: the kernels of the executor.
        process: the process.
        former: the carrier whose kernel this one takes over when its caller sends a hello.
    """

    def __init__(self, host: Host, process: AsyncProcess, former: Carrier | None) -> None:
        self.process = process
        process.shared.continues = True
        self.hosted: Hosted | None = None  # None until the first hello
        self.is_released = False
        """Whether another process carries the kernel."""
        self._host = host
        self._former = former
        self._traffic: Traffic | None = None  # None until there is a kernel, and when it was released
        self.seen: set[str] = set()
        """Sessions that have begun: a hello is accepted once."""
        if former is not None and former.process.processid == process.processid:
            self.seen = former.seen
        self._now = asyncio.get_running_loop().time
        self._done = asyncio.Event()
        self._attached_since = self._now()
        self._is_attached = False
        self._leaves_after: int | None = None  # the last batch of ``in`` of a caller that has reported that it leaves
        self._published = b""
        self._published_at = 0.0
        self._greeting = asyncio.Lock()
        self._failing_since = self._now()  # since when no relay has heard anything

    async def run(self) -> None:
        """Carry the kernel.

        Raises:
            ExecutorError: if no caller comes, or none came back.
        """
        # A process without a kernel has a line of its own, which a hello replaces.
        self.hosted = self._former.hosted if self._former is not None else self._host.new_kernel()
        assert self.hosted is not None  # noqa: S101 - a former carrier has one
        traffic = self._relay(self.hosted)
        begun = self._now()
        while not self._done.is_set():
            waits = [asyncio.create_task(event.wait()) for event in (self._done, self.hosted.ended, traffic.over)]
            try:
                await asyncio.wait(waits, timeout=_TICK, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
                await asyncio.gather(*waits, return_exceptions=True)
            if self._done.is_set() or self.hosted.ended.is_set():
                return
            if traffic.over.is_set():
                traffic = await self._relay_anew(traffic, self.hosted)
            now = self._now()
            if not self.seen and now - begun > _FIRST_HELLO:
                raise ExecutorError("The caller of the kernel did not come back, so no kernel was started.")
            self._check(now)
            self.hosted.announce(time.time())
            await self._publish(now)

    def _check(self, now: float) -> None:
        """Notice a caller that is gone, and the end of the time that a kernel is kept.

        Raises:
            ExecutorError: at that end.
        """
        assert self._traffic is not None  # noqa: S101 - it runs
        assert self.hosted is not None  # noqa: S101 - it runs
        if self._is_attached and now - self._traffic.heard > _SILENCE:
            self._detach()
        if self._is_attached or self.hosted.is_busy:
            self._attached_since = now
        elif self.seen and now - self._attached_since > self._host.keep:
            raise ExecutorError(f"The kernel had no caller for {self._host.keep / 3600:g} h, so it was ended.")

    def _relay(self, hosted: Hosted) -> Traffic:
        """Read and write the channels of the process; a session of a former relay of it goes on."""
        traffic = self._traffic = Traffic(self.process, hosted.line, self, is_caller=False)
        traffic.start()
        if self.seen and hosted.line.has_session:
            if self._former is not None:
                self._former.hold()
            hosted.wake = traffic.wake
            traffic.begin_session()
            self.interrupted("the relay has begun anew, and entries may be missing")
        return traffic

    async def _relay_anew(self, traffic: Traffic, hosted: Hosted) -> Traffic:
        """Relay again after a failure; the kernel is kept.

        An executor that was removed from its colony gets no answers until it is a member again. Whether the process is
        still its own, it learns by itself: then this task is cancelled.

        Raises:
            ColonyError: if the process has closed, or it fails for long.
        """
        await traffic.aclose()
        if traffic.failure is None:
            await asyncio.sleep(_END_NOTICED)
            raise ExecutorError("The process of the kernel has closed.")
        now = self._now()
        if traffic.has_heard:
            self._failing_since = now
        elif now - self._failing_since > _ORPHAN:
            raise traffic.failure
        logger.info("%r: the relay begins anew: %s", self.process, traffic.failure)
        await asyncio.sleep(_TICK)
        return self._relay(hosted)

    async def _publish(self, now: float) -> None:
        """Report to the colony what the kernel is doing: the process's output while it runs."""
        if self.hosted is None or now - self._published_at < (_PUBLISH if self._published else 0.0):
            return
        state = msgspec.to_builtins(self.hosted.state(attached=self._is_attached))
        self._published_at = now
        encoded = msgspec.json.encode(state)
        if encoded != self._published:
            self._published = encoded
            with contextlib.suppress(ColonyError):
                await self.process.colony.set_output(self.process, [state])

    # what the traffic brings

    async def greeted(self, payload: bytes) -> None:
        """Begin a session with the caller that sent a hello."""
        async with self._greeting:
            await self._greet(payload)

    async def _greet(self, payload: bytes) -> None:
        processid, traffic, hosted = self.process.processid, self._traffic, self.hosted
        if traffic is None or hosted is None:
            return
        try:
            hello = read_hello(payload, processid, self.process.initiatorid)
            if hello.sid in self.seen:
                return
            sid = bytes.fromhex(hello.sid)
            exchange = Exchange(secrets.token_bytes(KEY_BYTES))
            keys = exchange.keys(processid, sid, hello.pub, caller=hello.pub, host=exchange.public)
        except (Refused, ValueError) as error:
            logger.warning("%r: a hello is refused: %s", self.process, error)
            return
        self.seen.add(hello.sid)
        self._leaves_after = None
        self._is_attached = True  # from now on: its welcome may take long to get there
        traffic.heard = self._now()
        line = hosted.line
        if self._former is not None and not self._former.is_released:
            self._former.hold()
            if self._former.process.processid != processid:
                line.new_process()
        elif line.has_session:
            line.note(Item(names.SUPERSEDED, []))
            traffic.wake()
            for _ in range(int(_LAST_NOTE / _POLL)):
                await asyncio.sleep(_POLL)
                if not line.has_unsent(CTL):
                    break
        resume = line.resume()
        out = line.next_out()
        welcome = Welcome(hello.sid, exchange.public, out, resume, hosted.id)
        signed = signed_welcome(welcome, processid, hello, self.process.colony.key)
        traffic.hold()
        line.begin(keys, hello.resume, out)  # the caller's first entries may arrive before the reply to the welcome
        try:
            await traffic.greet(WELCOME, signed)
        except BaseException:
            line.end()
            self.seen.discard(hello.sid)  # the next relay reads it again
            raise
        hosted.wake = traffic.wake
        self._host.carry(self)
        self._published = b""
        traffic.begin_session()

    async def deliver(self, delivery: Delivery) -> None:
        """Hand what the caller sent to the kernel."""
        hosted, traffic = self.hosted, self._traffic
        if hosted is None or traffic is None or self.is_released:
            return
        self._is_attached = True
        hosted.deliver(delivery)
        hosted.line.delivered(delivery)
        for item in delivery.items:
            if item.name == names.PING:
                hosted.line.note(Item(names.PONG, [str(hosted.line.sent).encode()]))
                traffic.wake()
            elif item.name == names.DETACH:
                self._leaves_after = int(item.frames[0])
        if self._leaves_after is not None and hosted.line.resume()[IN] >= self._leaves_after:
            self._detach()

    def interrupted(self, reason: str, *, log_is_lost: bool = False) -> None:
        """Ask the caller for a new session; where the log is lost, it notices that by itself."""
        del log_is_lost
        logger.info("%r: %s", self.process, reason)
        if self.hosted is not None and self._traffic is not None:
            self.hosted.line.note(Item(names.LOST, []))
            self._traffic.wake()

    def _detach(self) -> None:
        assert self.hosted is not None  # noqa: S101 - it runs
        self.hosted.line.end()
        self._is_attached, self._leaves_after = False, None
        self._attached_since = self._now()
        self._published = b""

    def hold(self) -> None:
        """Send nothing more on this process."""
        if self._traffic is not None:
            self._traffic.hold()

    def release(self) -> None:
        """End with success: another process carries the kernel now."""
        self.is_released = True
        self._done.set()

    async def aclose(self) -> None:
        """End the relay."""
        traffic, self._traffic = self._traffic, None
        if traffic is not None:
            await traffic.aclose()
