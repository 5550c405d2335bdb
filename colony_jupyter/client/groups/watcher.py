"""Follows all processes of a group by lists, while something waits for them: no sockets, and a few calls a second."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from colony_jupyter.client.transport.gateway import asked_to_wait
from colony_jupyter.errors import ColonyError, ProcessNotFound, RateLimited, ServerUnreachable
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import ProcessRecord

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from colony_jupyter.client.connection import Connection
    from colony_jupyter.client.groups.tracker import Ask, Tracker

FASTEST: Final = 0.5
SLOWEST: Final = 2.0
"""Seconds between two rounds of lists: from the first to the second as long as nothing changes."""
_GROWTH: Final = 1.4
_BEHIND: Final = 0.1
"""Seconds to the next round when about as many close as a list holds, or more."""

_AT_ONCE: Final = 8
"""Processes that are asked for at the same time, of those that no list shows."""
_ONE_BY_ONE: Final = 100
"""Processes that are asked for in one round at most."""

_NO_ANSWER: Final = (ServerUnreachable, RateLimited)


class GroupWatcher:
    """Keeps what is known of a group up to date.

    Args:
        connection: the client that asks.
        colonyname: name of the colony.
        label: the label that all processes of the group have.
        tracker: what is known.
    """

    def __init__(self, connection: Connection, colonyname: str, label: str, tracker: Tracker) -> None:
        self.scope = connection.scope
        self.trouble = ""
        """Why the server does not answer at the moment, as a sentence; empty while it does."""
        self._connection = connection
        self._colonyname = colonyname
        self._label = label
        self._tracker = tracker
        self._users = 0
        self._task: asyncio.Task[None] | None = None  # None while the group is not followed
        self._next = 0.0  # when the next round begins
        self._interval = FASTEST
        self._refusal: ColonyError | None = None
        self._changed = asyncio.Event()  # replaced at every change
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Follow the group as long as the context lasts."""
        self._users += 1
        if self._task is None or self._task.done():
            self._refusal = None
            self._task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            self._users -= 1
            if not self._users and self._task is not None:
                task, self._task = self._task, None
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def change(self) -> None:
        """Wait until more is known of the group, or less of the server; to be used within `following`.

        Raises:
            ColonyError: if the server refuses the lists.
            UsageError: if the client was closed.
        """
        self.scope.enter()
        if self._refusal is not None:
            raise self._refusal
        await self._changed.wait()

    def wake(self) -> None:
        """End every `change` that waits."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def refresh(self) -> None:
        """Ask for everything now.

        Raises:
            ColonyError: if the server does not answer, or refuses.
        """
        if not self._tracker.is_over:
            await self._round(everything=True)

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        is_first = True
        while True:
            await asyncio.sleep(max(0.0, self._next - loop.time()))
            before = self._tracker.changes, self.trouble
            least = 0.0
            try:
                await self._round(everything=is_first)
                is_first = False
                self.trouble = ""
            except _NO_ANSWER as error:
                self.trouble = str(error)
                least = max(FASTEST, asked_to_wait(error))
            except ColonyError as error:
                self._refusal = error
                self.wake()
                return
            is_new = (self._tracker.changes, self.trouble) != before
            self._interval = FASTEST if is_new else min(self._interval * _GROWTH, SLOWEST)
            self._next = loop.time() + max(least, _BEHIND if self._tracker.is_behind else self._interval)
            if is_new:
                self.wake()

    async def _round(self, *, everything: bool) -> None:
        async with self._turn:
            for ask in self._tracker.begin_round(everything=everything):
                larger: Ask | None = ask
                while larger is not None:
                    larger = await self._list(larger)
            gate = asyncio.Semaphore(_AT_ONCE)
            suspects = self._tracker.end_round()[:_ONE_BY_ONE]
            await asyncio.gather(*(self._get(processid, gate) for processid in suspects))

    async def _list(self, ask: Ask) -> Ask | None:
        message = messages.GetProcesses(
            colonyname=self._colonyname, count=ask.limit, state=ask.state, label=self._label
        )
        asked = _now()
        records = await self._connection.call(message, list[ProcessRecord])
        return self._tracker.listed(ask, records, asked, _now())

    async def _get(self, processid: str, gate: asyncio.Semaphore) -> None:
        async with gate:
            asked = _now()
            try:
                record = await self._connection.call(messages.GetProcess(processid=processid), ProcessRecord)
            except ProcessNotFound:
                self._tracker.missing(processid)
            except _NO_ANSWER:
                return  # asked for again in the next round
            else:
                self._tracker.learn(record, asked, _now())
            self._tracker.asked_for(processid)


def _now() -> float:
    return asyncio.get_running_loop().time()
