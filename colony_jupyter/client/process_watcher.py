"""What becomes of one process, as soon as it can be known.

States are announced on subscriptions, one connection for each (trap 8), but not all ends are announced: members of
failed and cancelled workflows, removals. So there is a look every few seconds too. The announcement of success has no
output (trap 10), so the process is always asked for again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, Final

from colony_jupyter.channels.backoff import delays
from colony_jupyter.client.websocket import subscription
from colony_jupyter.errors import ColonyError, ProcessNotFound
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import ProcessRecord, ProcessState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from colony_jupyter.client.endpoint import Endpoint
    from colony_jupyter.wire.identity import PrivateKey

LOOK: Final = 5.0
"""Seconds between two looks."""

_WINDOW: Final = 25
_SPREAD: Final = 10
"""Seconds by up to which a window is shorter, so that those that were opened together do not all end at one moment."""

_SETTLE: Final = (0.02, 0.05, 0.1, 0.2, 0.4)
_ANNOUNCED: Final = (
    ProcessState.RUNNING,
    ProcessState.SUCCESS,
    ProcessState.FAILED,
    ProcessState.CANCELLED,
)


class ProcessWatch:
    """Follows one process until it has closed; shared by all who are interested in it.

    Args:
        processid: the process.
        endpoint: where the server is.
        key: who asks.
        look: asks for the process now.
        known: the process as it is known already.
    """

    def __init__(
        self,
        processid: str,
        *,
        endpoint: Endpoint,
        key: PrivateKey,
        look: Callable[[], Awaitable[ProcessRecord]],
        known: ProcessRecord | None = None,
    ) -> None:
        self.processid = processid
        self.record = known
        self.removed = False
        self._endpoint = endpoint
        self._key = key
        self._look = look
        self._users = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()  # replaced at every change
        self._looking = asyncio.Lock()

    @property
    def is_over(self) -> bool:
        """Whether the process has closed, or is not known to the server any more."""
        return self.removed or (self.record is not None and self.record.state.is_closed)

    @contextlib.asynccontextmanager
    async def following(self) -> AsyncIterator[ProcessWatch]:
        """Follow the process as long as the context lasts."""
        self._users += 1
        if self._users == 1 and not self.is_over:
            self._tasks = [asyncio.create_task(self._listen(state)) for state in _ANNOUNCED]
            self._tasks.append(asyncio.create_task(self._look_again()))
        try:
            yield self
        finally:
            self._users -= 1
            if self._users == 0:
                await self._stop()

    async def change(self) -> None:
        """Wait until something about the process is another than now."""
        if not self.is_over:
            await self._changed.wait()

    async def refresh(self) -> None:
        """Ask for the process now.

        Raises:
            ColonyError: if it cannot be asked for; that it is not known any more is no error but `removed`.
        """
        async with self._looking:
            try:
                self.learn(await self._look())
            except ProcessNotFound:
                self.learn(None)

    def learn(self, record: ProcessRecord | None) -> None:
        """Take in what an answer of the server told; None if it does not know the process."""
        if record is None and not self.is_over:
            self.removed = True
        elif record is not None and record != self.record:
            self.record = record
        else:
            return
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        if self.is_over:
            for task in self._tasks:
                if task is not asyncio.current_task():
                    task.cancel()

    async def _listen(self, state: ProcessState) -> None:
        retries = delays(random.random)
        while not self.is_over:
            window = _WINDOW - random.randrange(_SPREAD)  # noqa: S311 - nothing secret
            message = messages.SubscribeProcess(processid=self.processid, state=state, timeout=window)
            begun = asyncio.get_running_loop().time()
            with contextlib.suppress(ColonyError):  # what the server refuses here, the look reports
                async with subscription(self._endpoint, message, self._key) as frames:
                    async for _ in frames:
                        if await self._settle(state):
                            return
                        retries = delays(random.random)
                    # A window ends by losing the connection (trap 8); only one that ended early counts as a failure.
                    if asyncio.get_running_loop().time() - begun >= window / 2:
                        retries = delays(random.random)
            await asyncio.sleep(next(retries))

    async def _settle(self, state: ProcessState) -> bool:
        """Ask for the process until it shows what was announced, which may come first; whether it is over."""
        for delay in _SETTLE:
            await self._quietly_refresh()
            record = self.record
            if self.is_over and record is not None and not (record.state is ProcessState.FAILED and not record.errors):
                break  # a failure without errors may get them in a moment (trap 30)
            if not self.is_over and record is not None and record.state >= state:
                break
            await asyncio.sleep(delay)
        return self.is_over

    async def _look_again(self) -> None:
        while not self.is_over:
            await self._quietly_refresh()
            await asyncio.sleep(LOOK)

    async def _quietly_refresh(self) -> None:
        with contextlib.suppress(ColonyError):  # the next look will tell
            await self.refresh()

    async def _stop(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
