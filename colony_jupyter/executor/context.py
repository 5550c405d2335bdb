"""What a function of an executor gets: its process, the channels, progress, the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from colony_jupyter.client.blocking import Colony, Process
from colony_jupyter.executor.progress import AsyncProgress, Progress, choose_channel, display_channel
from colony_jupyter.values.display import display_bundle
from colony_jupyter.values.mime import DISPLAY

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine, Iterable

    from colony_jupyter.client.blocking import Channel
    from colony_jupyter.client.channel import AsyncChannel
    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.executor.cancellation import Cancellation, ThreadPortal

T = TypeVar("T")


class _Facts:
    """What both kinds of functions can read."""

    def __init__(self, process: AsyncProcess, cancellation: Cancellation) -> None:
        self._async_process = process
        self._cancellation = cancellation

    @property
    def cancelled(self) -> bool:
        """Whether the function is to stop: its process was cancelled or reassigned, or the executor stops."""
        return self._cancellation.happened

    @property
    def input(self) -> list[Any]:
        """Outputs of the processes this one depends on, in the order of its dependencies."""
        return self._async_process.input

    def _progress_channel(self, channel: str | None) -> str | None:
        return channel or choose_channel(self._async_process.spec.channels)

    def _display_channel(self, channel: str | None) -> str:
        return display_channel(self._async_process.spec.channels, channel)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._async_process!r}>"


class Context(_Facts):
    """The context of an asynchronous function.

    Attributes:
        process: the process, an `AsyncProcess`.
        colony: an `AsyncColony` that calls as the executor, for the calls of the protocol.
    """

    def __init__(
        self,
        process: AsyncProcess,
        colony: AsyncColony,
        cancellation: Cancellation,
        log: Callable[[object], Awaitable[None]],
    ) -> None:
        super().__init__(process, cancellation)
        self.process = process
        self.colony = colony
        self._log = log

    def channel(self, name: str) -> AsyncChannel:
        """Return one of the process's channels."""
        return self.process.channel(name)

    def progress(
        self, steps: Iterable[T] | AsyncIterable[T] | float, *, channel: str | None = None, message: str = ""
    ) -> AsyncProgress[T]:
        """Report how far the work is; the pane draws a bar from it.

        ``async for item in context.progress(items)`` counts by itself; of ``bar = context.progress(100)`` the function
        calls ``await bar.update()``. Entries are left out where they would come more often than ten a second.

        Args:
            steps: what is gone through, or how many steps there will be.
            channel: name of the channel for the entries; by default ``progress`` if the process has it, else its only
                channel. Where there is neither, nothing is sent.
            message: text that is sent with it.
        """
        name = self._progress_channel(channel)
        return AsyncProgress(steps, None if name is None else self.channel(name), message)

    async def display(self, value: Any, *, channel: str | None = None) -> None:
        """Show an object in the pane of the submitter: a figure, a picture, a DataFrame, anything with a Jupyter repr.

        An entry of type ``display`` is appended, whose payload is the object's MIME bundle in JSON.

        Args:
            value: the object.
            channel: name of the channel; by default ``display`` if the process has it, else its first channel.

        Raises:
            UsageError: if the process has no channel, or the object's representation raises.
            MessageTooLarge: if the bundle is over 10 MiB.
        """
        await self.channel(self._display_channel(channel)).send(display_bundle(value), type=DISPLAY)

    async def log(self, text: object) -> None:
        """Add a line to the process's log, which outlives its channels; a lost connection is waited out."""
        await self._log(text)


class ThreadContext(_Facts):
    """The context of a plain function, which runs in a thread: the same as `Context`, with calls that block.

    Attributes:
        process: the process, a `Process`.
        colony: a `Colony` that calls as the executor, for the calls of the protocol.
    """

    def __init__(
        self,
        process: AsyncProcess,
        colony: AsyncColony,
        cancellation: Cancellation,
        portal: ThreadPortal,
        log: Callable[[object], Coroutine[Any, Any, None]],
    ) -> None:
        super().__init__(process, cancellation)
        self.process = Process(process, portal)
        self.colony = Colony.around(colony, portal)
        self._portal = portal
        self._log = log

    def channel(self, name: str) -> Channel:
        """Return one of the process's channels. Once the function is to stop, its calls raise."""
        return self.process.channel(name)

    def progress(self, steps: Iterable[T] | float, *, channel: str | None = None, message: str = "") -> Progress[T]:
        """Report how far the work is; see `Context.progress`."""
        name = self._progress_channel(channel)
        return Progress(steps, None if name is None else self.channel(name), message)

    def display(self, value: Any, *, channel: str | None = None) -> None:
        """Show an object in the pane of the submitter; see `Context.display`."""
        self.channel(self._display_channel(channel)).send(display_bundle(value), type=DISPLAY)

    def log(self, text: object) -> None:
        """Add a line to the process's log, which outlives its channels; a lost connection is waited out."""
        self._portal.run(self._log, text)
