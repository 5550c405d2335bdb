"""Which processes of a colony are in a state, by one list for all that want to know."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import msgspec

from colony_jupyter.errors import ColonyError
from colony_jupyter.wire import messages
from colony_jupyter.wire.decoding import Undecodable, decode
from colony_jupyter.wire.limits import MAX_PROCESSES
from colony_jupyter.wire.models import ProcessRecord, ProcessState

if TYPE_CHECKING:
    from colony_jupyter.client.connection import Connection

_AGE: Final = 1.0
"""Seconds for which a list shows which processes are in the state."""
_AGE_OF_RECORDS: Final = 0.5
"""Seconds for which its records take the place of a request for one process."""


class StateList:
    """The processes of a colony in one state, as they were a moment ago.

    A list holds 100 of them: those that began first, or are the next to begin.

    Args:
        state: the state.
    """

    def __init__(self, state: ProcessState) -> None:
        self._state = state
        self._records: dict[str, ProcessRecord] = {}
        self._decoded: dict[bytes, ProcessRecord] = {}  # by their JSON: in the next list most of them are unchanged
        self._asked = float("-inf")  # when the list was asked for
        self._answered = float("-inf")  # when the list was asked for that these are of
        self._turn = asyncio.Lock()

    async def holds(self, connection: Connection, colonyname: str, processid: str) -> bool:
        """Return whether a process is in the list; one that is not may be in the state all the same if 100 others are.

        Args:
            connection: the client that asks.
            colonyname: the colony.
            processid: the process.
        """
        await self._renew(connection, colonyname, _AGE)
        return processid in self._records

    async def find(self, connection: Connection, colonyname: str, processid: str) -> tuple[ProcessRecord, float] | None:
        """Return a process as the list shows it, and when the list was asked for in seconds of the loop's clock.

        None if it is not in the list, or if the latest list did not arrive.
        """
        await self._renew(connection, colonyname, _AGE_OF_RECORDS)
        record = self._records.get(processid)
        return None if record is None or self._answered < self._asked else (record, self._answered)

    async def _renew(self, connection: Connection, colonyname: str, age: float) -> None:
        async with self._turn:
            now = asyncio.get_running_loop().time()
            if now - self._asked >= age:
                self._asked = now
                await self._ask(connection, colonyname)

    async def _ask(self, connection: Connection, colonyname: str) -> None:
        message = messages.GetProcesses(colonyname=colonyname, count=MAX_PROCESSES, state=self._state)
        try:
            texts = [bytes(item) for item in await connection.call(message, list[msgspec.Raw])]
            known = self._decoded
            self._decoded = {text: known[text] if text in known else decode(text, ProcessRecord) for text in texts}
        except (ColonyError, Undecodable):  # the next list may arrive
            return
        self._records = {record.processid: record for record in self._decoded.values()}
        self._answered = self._asked
