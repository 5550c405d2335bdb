"""Feeds a view with a process as it goes on: its state, and the entries of its channels, as they come."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from colony_jupyter.channels.effects import StreamState
from colony_jupyter.channels.turns import ends_conversation
from colony_jupyter.client.portal import PORTAL
from colony_jupyter.client.process import raise_unless_successful
from colony_jupyter.client.streams.acknowledgement import Reading
from colony_jupyter.client.streams.log_stream import AsyncLogStream
from colony_jupyter.client.streams.stream import AsyncStream
from colony_jupyter.client.transport.http import persist
from colony_jupyter.client.waiting import clause
from colony_jupyter.errors import ChannelNotFound, ColonyError, ProcessRemoved
from colony_jupyter.notebook.actions.processes import ExecutorNames
from colony_jupyter.notebook.actions.submit import with_acknowledgement
from colony_jupyter.notebook.model.changes import (
    ConnectionChange,
    Fault,
    NewEntries,
    NewLogLines,
    Note,
    ProcessChange,
    ReadChannels,
    TextRefused,
)
from colony_jupyter.notebook.model.rows import LOG
from colony_jupyter.notebook.views.base import PaneCallbacks, watch_to_end
from colony_jupyter.wire.models import SYNC, FunctionSpec, ProcessState, visible_channels

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from typing import Any

    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.notebook.model.changes import Change, Connection
    from colony_jupyter.notebook.views.base import View
    from colony_jupyter.wire.models import Entry, ProcessRecord

_ASK_AGAIN: Final = 3.0
"""Seconds after which it is asked again what a waiting process waits for."""

_GATHER: Final = 0.04
"""Seconds for which entries that come one by one are gathered: a view is refreshed less often than that anyway."""

_LEAVE: Final = 2.0
"""Seconds for the acknowledgement of a reader that stops before the end."""

_WORST_FIRST: Final = (StreamState.BROKEN, StreamState.RESUMING, StreamState.OPEN, StreamState.ENDED)
_CONNECTION: Final[dict[StreamState, Connection]] = {
    StreamState.OPEN: "open",
    StreamState.RESUMING: "resuming",
    StreamState.ENDED: "ended",
    StreamState.BROKEN: "broken",
}


class ProcessFeed:
    """Follows one process on the loop, until it has closed and was shown completely, or until it is shown nowhere.

    What happens to the process and its channels is shown, never raised.

    Args:
        process: the process.
        channels: those to read; by default all that were declared.
        on_entries: called on the loop with the entries of a channel after they were shown, and with none at its end.
        stays: whether it goes on when its view is closed.
        history: how many entries to show of those that are in a channel already, the newest; None for all.
        log: whether to read the log of the process, too.
    """

    def __init__(
        self,
        process: AsyncProcess,
        channels: Sequence[str] | None = None,
        *,
        on_entries: Callable[[str, Sequence[Entry]], None] | None = None,
        stays: bool = False,
        history: int | None = None,
        log: bool = False,
    ) -> None:
        self.process = process
        self._wanted = channels
        self._on_entries = on_entries
        self._stays = stays
        self._history = history
        self._reads_log = log
        self._view: View | None = None  # None while it is shown nowhere
        self._held: list[Change] | None = []  # for the first view; None once there was one
        self._main: asyncio.Task[None] | None = None  # None before the start
        self._has_begun = False  # whether that task has run
        self._has_logged = False
        self._closed = asyncio.Event()  # whether the process has closed and its channels were shown
        self._states: dict[str, StreamState] = {}
        self._polling: dict[str, str] = {}  # why a channel's log is polled
        self._executors = ExecutorNames()
        self._waiting_for = ""
        self._cause = ""  # what failed in its workflow, where the process failed only along with that

    # From any thread

    @property
    def view(self) -> View | None:
        """Where it is shown."""
        return self._view

    def callbacks(self) -> PaneCallbacks:
        """Return what the controls of its pane do: they only enqueue."""
        return PaneCallbacks(on_send=self.enqueue_text, on_cancel=self.enqueue_cancel)

    def enqueue_text(self, channel: str, text: str) -> None:
        """Send a text that was typed."""
        PORTAL.spawn(self._guarded, self._send(channel, text))

    def enqueue_cancel(self) -> None:
        """Cancel the process."""
        PORTAL.spawn(self._guarded, self._cancel())

    def show_in(self, view: View | None) -> None:
        """Show what happens from now on in a view, or nowhere; see `turn_to`."""

        async def turn() -> None:
            self.turn_to(view)

        PORTAL.run(turn)

    def enqueue_stop(self) -> None:
        """Stop following; the process goes on."""
        PORTAL.call_soon(self.stop)

    # On the loop

    def start(self) -> None:
        """Begin to follow. There need not be a view yet: channels do not wait for one."""
        self._main = asyncio.create_task(self._guarded(self._follow()))

    async def follow_to_end(self) -> None:
        """Wait until everything was shown; then the view is finished. To cancel this stops the following."""
        await watch_to_end(self.wait(), lambda: self._view, "process")

    async def follow_to_success(self) -> None:
        """Follow the process to its end, and raise what it ended with, if not success.

        Raises:
            ProcessFailed, ProcessCancelled, ProcessRemoved: as it ended.
        """
        await self.follow_to_end()
        raise_unless_successful(await persist(self.process.refresh))

    async def closed_with_success(self) -> None:
        """Wait until the process has closed and its channels were shown; if it has a log, lines may still come.

        Raises:
            ProcessFailed, ProcessCancelled, ProcessRemoved: as it ended, if not with success.
        """
        await self._closed.wait()
        if not self._has_logged:
            await self.follow_to_end()
        raise_unless_successful(await persist(self.process.refresh))

    async def wait(self) -> None:
        """Wait for the end of the following."""
        if self._main is not None:
            await self._main

    def turn_to(self, view: View | None) -> None:
        """Show what happens from now on in a view, or nowhere; the first one is shown all that happened before."""
        if view is not None and not self._stays:
            view.on_close = self.enqueue_stop
        self._view = view
        if view is not None and self._wanted is not None:
            view.feed(ReadChannels(self._wanted))
        self._show_process()
        self._draw_connection()
        if self._held is not None and view is not None:
            held, self._held = self._held, None
            for change in held:
                view.feed(change)

    async def _follow(self) -> None:
        self._has_begun = True
        process = self.process
        record = process.shared.watch.record
        if record is None:
            record = await persist(process.refresh)
        names = visible_channels(record.spec.channels) if self._wanted is None else self._wanted
        if record.state.is_closed:
            names = []  # channels do not outlive their process
        try:
            async with asyncio.TaskGroup() as group:
                if self._reads_log:
                    group.create_task(self._guarded(self._read_log()))
                async with asyncio.TaskGroup() as channels:
                    channels.create_task(self._guarded(self._follow_state()))
                    for name in names:
                        channels.create_task(self._guarded(self._read(name)))
                self._closed.set()
        except asyncio.CancelledError:
            await self._leave()
            raise
        finally:
            self._closed.set()

    async def _follow_state(self) -> None:
        watch = self.process.shared.watch
        async with watch.following():
            while not watch.is_over:
                record = watch.record
                self._show_process()
                if record is not None:
                    await self._find_texts(record)
                    self._show_process()
                if watch.record is record:  # else it changed while that was asked for
                    waits = record is not None and record.state is ProcessState.WAITING
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_ASK_AGAIN if waits else None):
                            await watch.change()
            if watch.record is not None:
                await self._find_texts(watch.record)
            self._show_process()
            if watch.removed:
                raise ProcessRemoved(self.process.processid, watch.record.spec.funcname if watch.record else "")

    async def _find_texts(self, record: ProcessRecord) -> None:
        """Find out what a process waits for, the name of its executor, and what failed in its workflow."""
        colony = self.process.colony
        self._waiting_for = ""
        if record.state is ProcessState.WAITING:
            self._waiting_for = clause(await colony.explain_waiting(record))
        if record.assignedexecutorid:
            await self._executors.find(colony, record.assignedexecutorid)
        if cause := await colony.workflow_failure(record):
            self._cause = f"failed along with its workflow: {cause}"

    async def _read(self, channel: str) -> None:
        process = self.process
        reading, readers = Reading(), process.shared.readers
        if channel != SYNC:
            readers.started(reading)
        try:
            start = await self._too_old(channel)
            stream = AsyncStream(
                process.shared.subscription(channel, to_end=False, survives_loss=True, gather=_GATHER),
                start=start,
                errors="yield",
                everything=True,
                on_loss=partial(self._report_loss, channel),
            )
            stream.on_state(partial(self._show_connection, channel, stream))
            async with stream:
                while entries := await stream.batch():
                    # A first entry may come before it is known that the process runs.
                    for senderid in {entry.senderid for entry in entries} - {process.record.initiatorid}:
                        await self._executors.find(process.colony, senderid)
                    self._show_entries(channel, entries)
                    if any(ends_conversation(entry) and entry.senderid != process.colony.userid for entry in entries):
                        await readers.finished(reading)
            if missing := stream.statistics().missing:
                numbers = "1 number is" if missing == 1 else f"{missing} numbers are"
                self._feed(
                    Note(
                        f"On channel '{channel}' {numbers} missing in the numbering of a sender: the server may have "
                        "dropped entries between its nodes, or the sender left them out."
                    )
                )
        except ChannelNotFound as error:
            if not error.closed:
                raise
            advice = f" Declare a channel named '{SYNC}', too, so that its executor waits for the reader."
            self.report(
                f"The process ended before its channel '{channel}' could be read{error.failure()}."
                f"{'' if error.errors else advice}"
            )
        finally:
            readers.left(reading)
            if self._on_entries is not None:
                self._on_entries(channel, ())

    async def _read_log(self) -> None:
        # A process that logs nothing, as most, is not held up at its end for lines that may still appear.
        stream = AsyncLogStream(self.process.shared, waits_if_empty=False, announced=True)
        stream.on_trouble = self._show_log_trouble
        self._show_log_trouble(is_troubled=False)
        with contextlib.suppress(ProcessRemoved):  # reported by what follows the state
            while lines := await stream.batch():
                self._has_logged = True
                self._feed(NewLogLines(lines))
        self._states[LOG] = StreamState.ENDED
        self._draw_connection()

    def _show_log_trouble(self, is_troubled: bool) -> None:  # noqa: FBT001 - a callback
        self._states[LOG] = StreamState.RESUMING if is_troubled else StreamState.OPEN
        self._draw_connection()

    async def _too_old(self, channel: str) -> int:
        """Count the entries of a channel that are not to be shown, and report it if there are any."""
        if self._history is None:
            return 0
        count = max(0, len(await persist(self.process.channel(channel).read)) - self._history)
        if count:
            entries = "1 earlier entry is" if count == 1 else f"{count} earlier entries are"
            listed = f"`%colony read {self.process.processid[:8]} {shlex.quote(channel)}` lists all."
            limit = f"since `%config ColonyMagics.history` is {self._history}"
            self._feed(Note(f"On channel '{channel}' {entries} not shown, {limit}; {listed}"))
        return count

    def _report_loss(self, channel: str, delivered: int) -> None:
        """Report that the server has lost the log of a channel; the stream continues with the new log."""
        entries = "1 entry" if delivered == 1 else f"{delivered} entries"
        self._feed(
            Note(
                f"The server lost the log of channel '{channel}', as it does when it is restarted, after {entries} "
                "from it had arrived. Entries sent shortly before may be missing; new ones are shown."
            )
        )

    async def _leave(self) -> None:
        """Acknowledge what this reader does not read any more, so that the executor does not wait for it."""
        with contextlib.suppress(ColonyError, TimeoutError):
            async with asyncio.timeout(_LEAVE):
                await self.process.shared.readers.acknowledge_when_left()

    async def _send(self, channel: str, text: str) -> None:
        try:
            await self.process.channel(channel).send(text)
        except ColonyError as error:
            if self._view is not None:
                self._view.feed(TextRefused(channel, text, str(error)))

    async def _cancel(self) -> None:
        workflow = self.process.processgraphid
        if workflow:  # the pane has explained that only the whole can be cancelled
            await self.process.colony.cancel_workflow(workflow)
            await self.process.refresh()
        else:
            await self.process.cancel()

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """Show what work on the loop raises: no caller waits for it."""
        try:
            await work
        except ColonyError as error:
            self.report(str(error))
        except Exception as error:  # noqa: BLE001 - shown, whatever it is
            self.report(f"{type(error).__name__}: {error}")

    def report(self, fault: str) -> None:
        """Show an error in the view."""
        self._feed(Fault(fault))

    def _feed(self, change: Change) -> None:
        if self._view is not None:
            self._view.feed(change)
        elif self._held is not None:
            self._held.append(change)

    def _show_process(self) -> None:
        record = self.process.shared.watch.record
        if record is not None and self._cause:
            record = msgspec.structs.replace(record, errors=[self._cause])
        if self._view is not None and record is not None:
            executorname = self._executors.get(record.assignedexecutorid, "")
            self._view.feed(ProcessChange(record, executorname, self._waiting_for))

    def _show_entries(self, channel: str, entries: Sequence[Entry]) -> None:
        record = self.process.record
        senders = {record.initiatorid: record.initiatorname, **self._executors}
        self._feed(NewEntries(channel, entries, senders, self.process.colony.userid))
        if self._on_entries is not None:
            self._on_entries(channel, entries)

    def _show_connection(self, channel: str, stream: AsyncStream, state: StreamState) -> None:
        self._states[channel], self._polling[channel] = state, stream.polling
        self._draw_connection()

    def _draw_connection(self) -> None:
        if self._view is None or not self._states:
            return
        worst = next(each for each in _WORST_FIRST if each in self._states.values())
        polling = next(filter(None, self._polling.values()), "")
        if worst is StreamState.OPEN and polling:
            self._view.feed(ConnectionChange("polling", polling))
        else:
            self._view.feed(ConnectionChange(_CONNECTION[worst]))

    def stop(self) -> None:
        """Stop following; the process goes on."""
        if self._main is not None and self._has_begun:
            self._main.cancel()
        elif self._main is not None:
            # A task that is cancelled before its first step runs none of its code, and would not acknowledge.
            asyncio.get_running_loop().call_soon(self.stop)


async def follow(
    process: AsyncProcess,
    channels: Sequence[str] | None = None,
    *,
    history: int | None = None,
    log: bool = True,
) -> ProcessFeed:
    """Begin to follow a process; by default all its channels and all that is in them, and its log."""
    feed = ProcessFeed(process, channels, history=history, log=log)
    feed.start()
    return feed


async def submit_and_follow(
    colony: AsyncColony, function: str | FunctionSpec, *args: Any, acknowledged: bool = True, **options: Any
) -> ProcessFeed:
    """Submit a function and follow it from its first entry on; further arguments are those of `AsyncColony.submit`.

    Args:
        colony: the colony.
        function: name of the function, or a whole spec.
        args: its positional arguments.
        acknowledged: whether the executor waits until the feed has read everything.
        options: as for `AsyncColony.submit`.

    Raises:
        InvalidSpec, UsageError, AccessDenied, ServerUnreachable: why it cannot be submitted.
    """
    if not acknowledged:
        pass
    elif isinstance(function, FunctionSpec):
        declared = [*function.channels, *options.pop("channels", ())]
        function = msgspec.structs.replace(function, channels=with_acknowledgement(declared))
    else:
        options["channels"] = with_acknowledgement(options.get("channels", ()))
    return await follow(await colony.submit(function, *args, **options))
