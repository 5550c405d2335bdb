"""Processes that end at once, and what a pane of their submission receives from them."""

from __future__ import annotations

import asyncio
from typing import Any

from colony_jupyter.channels.nodes import NOT_ASSIGNED_HERE
from colony_jupyter.notebook.actions.process_feed import submit_and_follow
from colony_jupyter.notebook.model.changes import Change, Fault, NewEntries, NewLogLines, Note

_AT_ONCE = 5


class RecordingView:
    """Records what a pane would show."""

    on_close: Any = None

    def __init__(self) -> None:
        self.received: list[tuple[str, str, str]] = []
        self.lines: list[str] = []
        self.notes: list[str] = []
        self.faults: list[str] = []
        self.channels: set[str] = set()

    def feed(self, change: Change) -> None:
        match change:
            case NewEntries():
                self.received += [(change.channel, entry.type, entry.text) for entry in change.entries]
            case NewLogLines():
                self.lines += [line.message for line in change.lines]
            case Note():
                self.notes.append(change.text)
            case Fault():
                self.faults.append(change.text)

    def finish(self) -> None:
        pass


def offer_short(executor: Any) -> None:
    """Offer functions that send one entry, then return or raise."""

    @executor.function("returns")
    async def returns(context: Any) -> str:
        await context.channel("out").send("entry")
        return "done"

    @executor.function("raises")
    def raises(context: Any) -> None:
        context.channel("out").send("entry")
        raise ValueError("mistake")


EXPECTED = {
    "returns": [("out", "data", "entry"), ("out", "end", "")],
    "raises": [("out", "data", "entry"), ("out", "error", "ValueError: mistake"), ("out", "end", "")],
}


async def watch_short(colony: Any, executortype: str, times: int) -> None:
    """Submit such functions many times, several at once; check that each pane receives everything."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def watch(number: int) -> None:
        name = ("returns", "raises")[number % 2]
        async with turns:
            while True:
                follower = await submit_and_follow(colony, name, channels=["out"], executortype=executortype)
                view = RecordingView()
                follower.turn_to(view)  # type: ignore[arg-type]  # as much of a view as is used
                await follower.wait()
                if not any(NOT_ASSIGNED_HERE in error for error in follower.process.record.errors or ()):
                    break  # else trap 37, which a real server shows now and then
            assert (number, view.faults, view.received) == (number, [], EXPECTED[name])

    async with asyncio.TaskGroup() as group:
        for number in range(times):
            group.create_task(watch(number))
