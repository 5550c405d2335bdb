"""What a link is asked for, and what it reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from colony_jupyter.errors import ExecutorError
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from colony_jupyter.kernels import names
    from colony_jupyter.kernels.relay.framing import Item
    from colony_jupyter.kernels.relay.layout import Lane
    from colony_jupyter.kernels.relay.line import Position
    from colony_jupyter.wire.models import ProcessRecord


@dataclass(frozen=True)
class Target:
    """Where a kernel is to run.

    Attributes:
        executortype: type of executor.
        executornames: only these executors; empty for any of the type.
        kernel: name of the kernel there; empty for the executor's choice.
        trusted: ids of the executors that may run it; empty for any.
        is_shared: whether cells of several notebooks may use it, one at a time.
    """

    executortype: str
    executornames: Sequence[str] = ()
    kernel: str = ""
    trusted: Sequence[str] = ()
    is_shared: bool = False


class Events(Protocol):
    """What a link calls, on its loop."""

    async def deliver(self, item: Item, note: Callable[[], None]) -> None:
        """Accept a message of the kernel.

        Args:
            item: the message.
            note: called right before the message leaves this program, so that it is noted even if the program is killed
                when the message was seen.
        """

    def delivered(self, lane: Lane, position: Position) -> None:
        """Note how much of a lane was delivered."""

    async def started(self, about: names.Started) -> None:
        """Note that the kernel runs."""

    def using(self, processid: str) -> None:
        """Note the process that carries the kernel from now on."""

    async def waiting(self, sentence: str) -> None:
        """Note what is waited for."""

    def is_expecting(self) -> bool:
        """Whether something is executed."""


class KernelGone(ExecutorError):
    """The kernel has ended; the text states why.

    Attributes:
        died: whether another can be started on the same process.
        is_elsewhere: whether it goes on with another caller.
    """

    def __init__(self, text: str, *, died: bool = False, is_elsewhere: bool = False) -> None:
        super().__init__(text)
        self.died = died
        self.is_elsewhere = is_elsewhere


def ending(record: ProcessRecord | None) -> str:
    """Return a sentence about how the process of a kernel has ended; None for one that was removed."""
    if record is None:
        return "The process of the kernel was removed."
    if record.state is ProcessState.FAILED:
        return "; ".join(record.errors or []) or "The process of the kernel has failed."
    if record.state is ProcessState.CANCELLED:
        return "The process of the kernel was cancelled."
    return "The kernel has ended."
