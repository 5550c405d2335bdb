"""What a caller's function gets as ``context``, and its channels: the same calls as in the executor itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec

from colony_jupyter.client.process_facts import ProcessFacts
from colony_jupyter.client.writer import check_text, payload_bytes
from colony_jupyter.errors import UsageError
from colony_jupyter.executor.callers.protocol import PassedEntry
from colony_jupyter.executor.progress import AsyncProgress, Progress, choose_channel, display_channel
from colony_jupyter.values.display import display_bundle
from colony_jupyter.values.mime import DISPLAY
from colony_jupyter.wire.models import DATA, END, ERROR, Entry

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator

    from colony_jupyter.executor.callers.child.link import Link
    from colony_jupyter.wire.models import ProcessRecord

T = TypeVar("T")


class ChildChannel:
    """A channel of the process, with calls that block; see `colony_jupyter.client.blocking.Channel`."""

    def __init__(self, link: Link, name: str) -> None:
        self._link = link
        self.name = name

    def send(self, payload: Any, *, type: str = DATA, inreplyto: int = 0) -> int:  # noqa: A002 - the field's name
        """Append an entry and return its sequence."""
        data = payload_bytes(payload)
        return int(self._link.call("send", self.name, payload=data, kind=type, inreplyto=inreplyto))

    def write(self, text: str, *, inreplyto: int = 0) -> None:
        """Append text to a stream of it; pieces are joined into few entries."""
        check_text(text)
        self._link.call("write", self.name, payload=payload_bytes(text), inreplyto=inreplyto)

    def flush(self) -> None:
        """Wait until all text written so far has been appended."""
        self._link.call("flush", self.name)

    def ask(self, payload: Any, timeout: float | None = None) -> Entry:
        """Send an entry and wait for the one that answers it."""
        return _entries(self._link.call("ask", self.name, payload=payload_bytes(payload), timeout=timeout))[0]

    def end(self, *, inreplyto: int = 0) -> int:
        """Send ``end``."""
        return self.send("", type=END, inreplyto=inreplyto)

    def error(self, text: str, *, inreplyto: int = 0) -> int:
        """Send an ``error`` entry."""
        return self.send(text, type=ERROR, inreplyto=inreplyto)

    def read(self, start: int = 0, limit: int = 0) -> list[Entry]:
        """Read what is there now."""
        return _entries(self._link.call("read", self.name, start=start, limit=limit))

    def stream(self, **options: Any) -> Iterator[Entry]:
        """Read entries as they come; the options are those of `colony_jupyter.client.blocking.Channel.stream`."""
        number = self._link.call("open", self.name, **options)
        try:
            while entries := _entries(self._link.call("next", stream=number)):
                yield from entries
        finally:
            self._link.call("close", stream=number)

    def __iter__(self) -> Iterator[Entry]:
        return self.stream()


class AsyncChildChannel:
    """The same for an asynchronous function: each call runs in a thread."""

    def __init__(self, behind: ChildChannel) -> None:
        self._behind = behind
        self.name = behind.name

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._behind, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await asyncio.to_thread(method, *args, **kwargs)

        return call

    async def stream(self, **options: Any) -> AsyncIterator[Entry]:
        """Read entries as they come."""
        entries = self._behind.stream(**options)
        end = object()
        while (entry := await asyncio.to_thread(next, entries, end)) is not end:
            yield entry  # type: ignore[misc]  # an entry, since it is not the end

    def __aiter__(self) -> AsyncIterator[Entry]:
        return self.stream()


class ChildProcessRecord(ProcessFacts):
    """The process as it was when it was assigned, with the names of `colony_jupyter.Process`."""

    def __init__(self, record: ProcessRecord) -> None:
        self.processid = record.processid
        self._record = record

    @property
    def record(self) -> ProcessRecord:
        """The process as the server reported it."""
        return self._record

    def __str__(self) -> str:
        return self.processid


class _Facts:
    def __init__(self, process: ProcessRecord, link: Link) -> None:
        self.process = ChildProcessRecord(process)
        self._link = link

    @property
    def colony(self) -> NoReturn:
        """No colony: the function has no key to call with.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            "A function that a caller sent has no colony, since it has no key: use channel(), progress(), display() "
            "and log() of its context, or submit from the notebook."
        )

    @property
    def cancelled(self) -> bool:
        """Whether the function is to stop: never, since its process is killed then."""
        return False

    @property
    def input(self) -> list[Any]:
        """Outputs of the processes that this one depends on."""
        return self.process.input


class ChildContext(_Facts):
    """The context of a plain function; see `colony_jupyter.ThreadContext`.

    Attributes:
        process: the process as it was when it was assigned, with its ``processid``, ``spec``, ``input`` and so on.
    """

    def channel(self, name: str) -> ChildChannel:
        """Return one of the process's channels."""
        return ChildChannel(self._link, name)

    def progress(self, steps: Iterable[T] | float, *, channel: str | None = None, message: str = "") -> Progress[T]:
        """Report how far the work is."""
        name = channel or choose_channel(self.process.spec.channels)
        return Progress(steps, None if name is None else self.channel(name), message)  # type: ignore[arg-type]  # it sends

    def display(self, value: Any, *, channel: str | None = None) -> None:
        """Show an object in the pane of the submitter."""
        name = display_channel(self.process.spec.channels, channel)
        self.channel(name).send(display_bundle(value), type=DISPLAY)

    def log(self, text: object) -> None:
        """Add a line to the process's log."""
        self._link.call("log", payload=payload_bytes(str(text)))


class AsyncChildContext(_Facts):
    """The context of an asynchronous function; see `colony_jupyter.Context`.

    Attributes:
        process: the process as it was when it was assigned, with its ``processid``, ``spec``, ``input`` and so on.
    """

    def channel(self, name: str) -> AsyncChildChannel:
        """Return one of the process's channels."""
        return AsyncChildChannel(ChildChannel(self._link, name))

    def progress(
        self, steps: Iterable[T] | AsyncIterable[T] | float, *, channel: str | None = None, message: str = ""
    ) -> AsyncProgress[T]:
        """Report how far the work is."""
        name = channel or choose_channel(self.process.spec.channels)
        return AsyncProgress(steps, None if name is None else self.channel(name), message)  # type: ignore[arg-type]  # it sends

    async def display(self, value: Any, *, channel: str | None = None) -> None:
        """Show an object in the pane of the submitter."""
        name = display_channel(self.process.spec.channels, channel)
        await self.channel(name).send(display_bundle(value), type=DISPLAY)

    async def log(self, text: object) -> None:
        """Add a line to the process's log."""
        await asyncio.to_thread(self._link.call, "log", payload=payload_bytes(str(text)))


def _entries(found: list[Any]) -> list[Entry]:
    return [Entry(**msgspec.structs.asdict(each)) for each in msgspec.convert(found, list[PassedEntry])]
