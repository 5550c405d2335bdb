"""The blocking faces, derived from the asynchronous classes: the same names, run on the shared loop thread.

Each method is the coroutine of the same name, passed through one function; signatures and docstrings are its own.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections import deque
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

from colony_jupyter.client.channel import AsyncChannel
from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.client.portal import PORTAL, Portal
from colony_jupyter.client.process import AsyncProcess
from colony_jupyter.client.process_facts import ProcessFacts, handles
from colony_jupyter.client.streams.stream import AsyncStream, Errors
from colony_jupyter.errors import WaitTimeout
from colony_jupyter.values.records import Records
from colony_jupyter.values.rows import entry_row
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
    from typing import Self

    from colony_jupyter.channels.effects import StreamState
    from colony_jupyter.channels.statistics import Statistics
    from colony_jupyter.settings import Settings
    from colony_jupyter.wire.identity import PrivateKey
    from colony_jupyter.wire.models import Entry, FunctionSpec, ProcessRecord

P = ParamSpec("P")
R = TypeVar("R")
A_co = TypeVar("A_co", covariant=True)
"""The asynchronous class behind a blocking one."""


class _Face(Generic[A_co]):
    """A blocking object and the asynchronous one that does its work.

    Args:
        behind: the asynchronous object.
        portal: the way to the loop that it belongs to; the shared loop thread by default.
    """

    def __init__(self, behind: A_co, portal: Portal = PORTAL) -> None:
        self._async = behind
        self._portal = portal

    @property
    def portal(self) -> Portal:
        """The way to the loop of the object behind."""
        return self._portal

    @property
    def asynchronous(self) -> A_co:
        """The object behind this one; it belongs to the loop behind `portal`."""
        return self._async

    def __repr__(self) -> str:
        return repr(self._async).replace("<Async", "<", 1)


def _blocking(
    method: Callable[Concatenate[A_co, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[_Face[A_co], P], R]:
    """Derive a blocking method from a coroutine method."""

    @functools.wraps(method)
    def call(self: _Face[A_co], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.portal.run(method, self.asynchronous, *args, **kwargs)

    return call


class Stream(_Face[AsyncStream]):
    """The entries of a channel, both sides', in the order they arrived; an iterator. See `AsyncStream`."""

    aclose = _blocking(AsyncStream.aclose)

    @property
    def state(self) -> StreamState:
        """State of the connection: open, resuming, ended or broken."""
        return self._async.state

    @property
    def polling(self) -> str:
        """Why the channel's log is read again and again in place of a WebSocket, as a clause; empty while it is not."""
        return self._async.polling

    @property
    def process(self) -> ProcessRecord | None:
        """The process as it was last known; after the end it says how it ended."""
        return self._async.process

    @property
    def waiting_for(self) -> str:
        """What the process waits for, as a sentence; empty once it runs."""
        return self._async.waiting_for

    def statistics(self) -> Statistics:
        """Tell what was delivered, dropped as repeated, resumed, and the lag."""
        return self._async.statistics()

    def __init__(self, behind: AsyncStream, portal: Portal = PORTAL) -> None:
        super().__init__(behind, portal)
        self._received: deque[Entry] = deque()  # read on the loop and not delivered yet

    def read(self) -> Records[Entry]:
        """Wait for the end of the stream and return its entries; see `AsyncStream.read`."""
        entries: list[Entry] = []
        try:
            for batch in self.batches():
                entries += batch
        except BaseException:
            self._received.extendleft(reversed(entries))
            raise
        return Records(entries, entry_row)

    def batches(self) -> Iterator[list[Entry]]:
        """Yield entries as they arrive, in lists of those that arrived together."""
        while self._fill():
            entries = list(self._received)
            self._received.clear()
            yield entries

    def __iter__(self) -> Iterator[Entry]:
        return self

    def __next__(self) -> Entry:
        if not self._fill():
            raise StopIteration
        return self._received.popleft()

    def _fill(self) -> bool:
        """Wait for entries, unless some were received before; False at the end."""
        if not self._received:
            self._portal.run(self._receive)
        return bool(self._received)

    async def _receive(self) -> None:
        # Stored on the loop in the same step as they are consumed, so that an interrupt of the wait loses none.
        self._received.extend(await self._async.batch())

    def close(self) -> None:
        """End the reading."""
        self.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def _awaited(awaitable: Awaitable[object]) -> object:
    return await awaitable


class Channel(_Face[AsyncChannel]):
    """A channel: send, read, iterate. Made by `Process.channel`. See `AsyncChannel`."""

    read = _blocking(AsyncChannel.read)
    send = _blocking(AsyncChannel.send)
    write = _blocking(AsyncChannel.write)
    flush = _blocking(AsyncChannel.flush)
    ask = _blocking(AsyncChannel.ask)
    end = _blocking(AsyncChannel.end)
    error = _blocking(AsyncChannel.error)

    @property
    def name(self) -> str:
        """The channel's name."""
        return self._async.name

    @property
    def process(self) -> Process:
        """The process it belongs to."""
        return Process(self._async.process, self._portal)

    def stream(
        self,
        *,
        start: int = 0,
        limit: int = 0,
        timeout: float | None = None,
        idle_timeout: float | None = None,
        errors: Errors = "raise",
        to_end: bool = True,
    ) -> Stream:
        """Read entries as they come, from the beginning of the channel on; see `AsyncChannel.stream`."""
        return Stream(
            self._async.stream(
                start=start, limit=limit, timeout=timeout, idle_timeout=idle_timeout, errors=errors, to_end=to_end
            ),
            self._portal,
        )

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.stream())

    def subscribe(
        self, callback: Callable[[list[Entry]], object], start: int = 0, timeout: float | None = None
    ) -> None:
        """Hand entries to a callback as they come; it is called on the calling thread. See `AsyncChannel.subscribe`."""
        stream = self.stream(start=start, timeout=timeout, errors="yield", to_end=False)
        with contextlib.suppress(WaitTimeout), stream:
            for entries in stream.batches():
                returned = callback(entries)
                if inspect.isawaitable(returned):
                    returned = self._portal.run(_awaited, returned)
                if returned is False:
                    return


class Process(_Face[AsyncProcess], ProcessFacts):
    """A process as its submitter, its executor or an onlooker holds it. See `AsyncProcess`."""

    cancel = _blocking(AsyncProcess.cancel)
    refresh = _blocking(AsyncProcess.refresh)
    result = _blocking(AsyncProcess.result)

    @property
    def processid(self) -> str:  # type: ignore[override]
        """Its id, 64 hex digits."""
        return self._async.processid

    @property
    def record(self) -> ProcessRecord:
        """The process as the server told it last."""
        return self._async.record

    def channel(self, name: str) -> Channel:
        """Give a handle to one of its channels."""
        return Channel(self._async.channel(name), self._portal)

    def running(self, timeout: float | None = None) -> Self:
        """Wait until it runs, or has run; see `AsyncProcess.running`."""
        self._portal.run(self._async.running, timeout)
        return self

    def closed(self, timeout: float | None = None) -> Self:
        """Wait until it has ended, however it ended; see `AsyncProcess.closed`."""
        self._portal.run(self._async.closed, timeout)
        return self

    def wait(self, state: ProcessState, timeout: float | None = None) -> Self:
        """Wait until it is in a state, or has been and is past it; see `AsyncProcess.wait`."""
        self._portal.run(self._async.wait, state, timeout)
        return self


class Colony(_Face[AsyncColony]):
    """A colony, for code that blocks; also a context manager. See `AsyncColony`.

    Args:
        settings: where it is and who calls; by default what ``%colony connect`` chose in this kernel, else the
            environment, else the embedded colony.
        prvkey: another key to call with, such as an executor's own.

    Raises:
        SettingsError: if the environment says it only in part.
    """

    def __init__(self, settings: Settings | None = None, *, prvkey: PrivateKey | None = None) -> None:
        super().__init__(AsyncColony(settings, prvkey=prvkey))

    @classmethod
    def around(cls, behind: AsyncColony, portal: Portal) -> Self:
        """Give a blocking face to a colony that is there, through the way to its loop."""
        face = cls.__new__(cls)
        _Face.__init__(face, behind, portal)
        return face

    connect = _blocking(AsyncColony.connect)
    call = _blocking(AsyncColony.call)
    channel_append = _blocking(AsyncColony.channel_append)
    channel_read = _blocking(AsyncColony.channel_read)
    add_colony = _blocking(AsyncColony.add_colony)
    remove_colony = _blocking(AsyncColony.remove_colony)
    colonies = _blocking(AsyncColony.colonies)
    colony = _blocking(AsyncColony.colony)
    statistics = _blocking(AsyncColony.statistics)
    server_statistics = _blocking(AsyncColony.server_statistics)
    add_user = _blocking(AsyncColony.add_user)
    users = _blocking(AsyncColony.users)
    get_user = _blocking(AsyncColony.get_user)
    get_user_by_id = _blocking(AsyncColony.get_user_by_id)
    remove_user = _blocking(AsyncColony.remove_user)
    add_executor = _blocking(AsyncColony.add_executor)
    approve_executor = _blocking(AsyncColony.approve_executor)
    reject_executor = _blocking(AsyncColony.reject_executor)
    remove_executor = _blocking(AsyncColony.remove_executor)
    executors = _blocking(AsyncColony.executors)
    get_executor = _blocking(AsyncColony.get_executor)
    get_executor_by_id = _blocking(AsyncColony.get_executor_by_id)
    add_function = _blocking(AsyncColony.add_function)
    functions = _blocking(AsyncColony.functions)
    remove_function = _blocking(AsyncColony.remove_function)
    type_offering = _blocking(AsyncColony.type_offering)
    list_processes = _blocking(AsyncColony.list_processes)
    process_history = _blocking(AsyncColony.process_history)
    set_output = _blocking(AsyncColony.set_output)
    cancel = _blocking(AsyncColony.cancel)
    remove_process = _blocking(AsyncColony.remove_process)
    remove_all_processes = _blocking(AsyncColony.remove_all_processes)
    pause_assignments = _blocking(AsyncColony.pause_assignments)
    resume_assignments = _blocking(AsyncColony.resume_assignments)
    is_paused = _blocking(AsyncColony.is_paused)
    add_attribute = _blocking(AsyncColony.add_attribute)
    get_attribute = _blocking(AsyncColony.get_attribute)
    add_log = _blocking(AsyncColony.add_log)
    add_executor_log = _blocking(AsyncColony.add_executor_log)
    logs = _blocking(AsyncColony.logs)
    search_logs = _blocking(AsyncColony.search_logs)
    submit_workflow = _blocking(AsyncColony.submit_workflow)
    get_workflow = _blocking(AsyncColony.get_workflow)
    workflows = _blocking(AsyncColony.workflows)
    cancel_workflow = _blocking(AsyncColony.cancel_workflow)
    remove_workflow = _blocking(AsyncColony.remove_workflow)
    remove_all_workflows = _blocking(AsyncColony.remove_all_workflows)
    add_child = _blocking(AsyncColony.add_child)
    version = _blocking(AsyncColony.version)
    server_info = _blocking(AsyncColony.server_info)
    fail = _blocking(AsyncColony.fail)
    close = _blocking(AsyncColony.close)
    disconnect = _blocking(AsyncColony.aclose)

    @property
    def settings(self) -> Settings:
        """Where it is and who calls."""
        return self._async.settings

    @property
    def colonyname(self) -> str:
        """Name of the colony."""
        return self._async.colonyname

    @property
    def userid(self) -> str:
        """Id of the caller."""
        return self._async.userid

    def submit(
        self,
        function: str | FunctionSpec,
        /,
        *args: Any,
        kwargs: Mapping[str, Any] | None = None,
        channels: Sequence[str] = (),
        executortype: str = "",
        executornames: Sequence[str] = (),
        **options: Any,
    ) -> Process:
        """Submit a function; returns at once with its process. See `AsyncColony.submit`."""
        submitted = self._portal.run(
            self._async.submit,
            function,
            *args,
            kwargs=kwargs,
            channels=channels,
            executortype=executortype,
            executornames=executornames,
            **options,
        )
        return Process(submitted, self._portal)

    def assign(self, timeout: float = 10.0, *, availablecpu: str = "", availablemem: str = "") -> Process | None:
        """Wait for a process to run, as an approved executor; see `AsyncColony.assign`."""
        process = self._portal.run(self._async.assign, timeout, availablecpu=availablecpu, availablemem=availablemem)
        return None if process is None else Process(process, self._portal)

    def get_process(self, processid: ProcessFacts | str) -> Process:
        """Look a process up; see `AsyncColony.get_process`."""
        return Process(self._portal.run(self._async.get_process, processid), self._portal)

    def processes(
        self, state: ProcessState | int | str, *, count: int = 100, executortype: str = "", label: str = ""
    ) -> Records[Process]:
        """List processes of one state; see `AsyncColony.processes`."""
        found = self._portal.run(self._async.processes, state, count=count, executortype=executortype, label=label)
        return handles(Process(process, self._portal) for process in found)

    def subscribe_process(
        self,
        process: ProcessFacts | str,
        state: ProcessState | int | str = ProcessState.RUNNING,
        timeout: float = 30.0,
    ) -> Process:
        """Wait until a process is in a state, or has been and is past it; see `AsyncColony.subscribe_process`."""
        behind = process.asynchronous if isinstance(process, Process) else process
        return Process(self._portal.run(self._async.subscribe_process, behind, state, timeout), self._portal)

    def subscribe_channel(
        self,
        processid: ProcessFacts | str,
        name: str,
        callback: Callable[[list[Entry]], object],
        start: int = 0,
        timeout: float | None = None,
    ) -> None:
        """Hand the entries of a channel to a callback, on the calling thread; see `AsyncColony.subscribe_channel`."""
        self.connect()
        Process(self._async.handle(str(processid)), self._portal).channel(name).subscribe(callback, start, timeout)

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()
