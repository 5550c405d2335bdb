"""What a function of an executor is handed: its process, the channels, progress, the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from colony_jupyter.client.blocking import Colony, Process
from colony_jupyter.executor.progress import AsyncProgress, Progress, choose_channel

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine, Iterable

    from colony_jupyter.client.blocking import Channel
    from colony_jupyter.client.channel import AsyncChannel
    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.executor.cancellation import Loss, ThreadPortal

T = TypeVar("T")


class _Facts:
    """What both kinds of functions are told."""

    def __init__(self, behind: AsyncProcess, loss: Loss) -> None:
        self._behind = behind
        self._loss = loss

    @property
    def cancelled(self) -> bool:
        """Whether the function is to stop: its process was cancelled or taken away, or the executor stops."""
        return self._loss.happened

    @property
    def input(self) -> list[Any]:
        """Outputs of the processes this one depends on, in the order of its dependencies."""
        return self._behind.input

    def _progress_channel(self, channel: str | None) -> str | None:
        return channel or choose_channel(self._behind.spec.channels)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._behind!r}>"


class Context(_Facts):
    """What an asynchronous function is handed.

    Attributes:
        process: the process, an `AsyncProcess`.
    """

    def __init__(self, process: AsyncProcess, loss: Loss, log: Callable[[str], Awaitable[None]]) -> None:
        super().__init__(process, loss)
        self.process = process
        self._log = log

    @property
    def colony(self) -> AsyncColony:
        """The colony, as the executor: for the plain verbs of the tutorial."""
        return self.process.colony

    def channel(self, name: str) -> AsyncChannel:
        """Give one of the process's channels."""
        return self.process.channel(name)

    def progress(
        self, steps: Iterable[T] | AsyncIterable[T] | float, *, channel: str | None = None, message: str = ""
    ) -> AsyncProgress[T]:
        """Tell how far the work is; the pane draws a bar from it.

        ``async for item in context.progress(items)`` counts by itself; of ``bar = context.progress(100)`` the function
        calls ``await bar.update()``. Entries are left out where they would come more often than ten a second.

        Args:
            steps: what is gone through, or how many steps there will be.
            channel: where it is told; by default ``progress`` if the process has it, else its only channel. Where
                there is neither it is told nowhere.
            message: what is said with it.
        """
        name = self._progress_channel(channel)
        return AsyncProgress(steps, None if name is None else self.channel(name), message)

    async def log(self, text: str) -> None:
        """Add a line to the process's log, which outlives its channels; a lost connection is waited out."""
        await self._log(text)


class ThreadContext(_Facts):
    """What a plain function is handed, which runs in a thread: the same as `Context`, with calls that block.

    Attributes:
        process: the process, a `Process`.
        colony: the colony, as the executor: for the plain verbs of the tutorial.
    """

    def __init__(
        self, process: AsyncProcess, loss: Loss, portal: ThreadPortal, log: Callable[[str], Coroutine[Any, Any, None]]
    ) -> None:
        super().__init__(process, loss)
        self.process = Process(process, portal)
        self.colony = Colony.around(process.colony, portal)
        self._portal = portal
        self._log = log

    def channel(self, name: str) -> Channel:
        """Give one of the process's channels. Once the function is to stop, its calls raise."""
        return self.process.channel(name)

    def progress(self, steps: Iterable[T] | float, *, channel: str | None = None, message: str = "") -> Progress[T]:
        """Tell how far the work is; see `Context.progress`."""
        name = self._progress_channel(channel)
        return Progress(steps, None if name is None else self.channel(name), message)

    def log(self, text: str) -> None:
        """Add a line to the process's log, which outlives its channels; a lost connection is waited out."""
        self._portal.run(self._log, text)
