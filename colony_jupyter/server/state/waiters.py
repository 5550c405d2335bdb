"""Waiting callers: long polls for work, and subscriptions to processes. Every listener is served (trap 4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from colony_jupyter.server.state.records import Process
    from colony_jupyter.wire.models import ProcessState

Notify = Callable[[dict[str, Any]], None]


class Waiters:
    """Wakes long polls and notifies subscriptions."""

    def __init__(self) -> None:
        self._polls: dict[tuple[str, str], set[asyncio.Event]] = {}  # by colony and executor type
        self._processes: dict[tuple[str, ProcessState], set[Notify]] = {}
        self._types: dict[tuple[str, str, ProcessState], set[Notify]] = {}

    # long polls

    def poll(self, colonyname: str, executortype: str) -> asyncio.Event:
        """Return an event that is set when there may be work; `unpoll` removes it."""
        event = asyncio.Event()
        self._polls.setdefault((colonyname, executortype), set()).add(event)
        return event

    def unpoll(self, colonyname: str, executortype: str, event: asyncio.Event) -> None:
        """Remove the event of a long poll."""
        _discard(self._polls, (colonyname, executortype), event)

    def wake(self, colonyname: str, executortype: str | None = None) -> None:
        """Wake the long polls of an executor type, or of a whole colony."""
        if executortype is None:
            found = [events for (colony, _), events in self._polls.items() if colony == colonyname]
        else:
            found = [self._polls.get((colonyname, executortype), set())]
        for events in found:
            for event in events:
                event.set()

    def wake_all(self) -> None:
        """Wake every long poll."""
        for events in self._polls.values():
            for event in events:
                event.set()

    # subscriptions

    def subscribe(self, processid: str, state: ProcessState, notify: Notify) -> None:
        """Add a listener for a process entering a state."""
        self._processes.setdefault((processid, state), set()).add(notify)

    def unsubscribe(self, processid: str, state: ProcessState, notify: Notify) -> None:
        """Remove the listener."""
        _discard(self._processes, (processid, state), notify)

    def subscribe_type(self, colonyname: str, executortype: str, state: ProcessState, notify: Notify) -> None:
        """Add a listener for processes of a type entering a state."""
        self._types.setdefault((colonyname, executortype, state), set()).add(notify)

    def unsubscribe_type(self, colonyname: str, executortype: str, state: ProcessState, notify: Notify) -> None:
        """Remove the listener."""
        _discard(self._types, (colonyname, executortype, state), notify)

    def announce(self, process: Process, state: ProcessState, shown: dict[str, Any]) -> None:
        """Notify all listeners that a process has entered a state."""
        for notify in list(self._processes.get((process.processid, state), ())):
            notify(shown)
        for notify in list(self._types.get((process.colonyname, process.executortype, state), ())):
            notify(shown)


def _discard(table: dict[Any, set[Any]], key: Any, member: Any) -> None:
    members = table.get(key)
    if members is not None:
        members.discard(member)
        if not members:
            del table[key]
