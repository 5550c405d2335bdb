"""The colony as one of its executors uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.errors import AccessDenied

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.settings import Settings
    from colony_jupyter.wire.identity import PrivateKey
    from colony_jupyter.wire.messages import Message

T = TypeVar("T")


class MemberColony(AsyncColony):
    """A colony that notes when the server refuses a call because the executor is no member any more.

    Any call may show it: one for a process that runs, one that ends a process.

    Args:
        settings: where the colony is; None for the current ones.
        prvkey: the executor's.
        on_expelled: called each time it shows.
    """

    def __init__(self, settings: Settings | None, prvkey: PrivateKey, on_expelled: Callable[[], None]) -> None:
        super().__init__(settings, prvkey=prvkey)
        self.expelled: AccessDenied | None = None
        """The latest such refusal; None before it, and once the executor is known to be a member again."""
        self._on_expelled = on_expelled

    async def call(self, message: Message, shape: type[T], *, seconds: float = 0.0) -> T:
        """Make a call; see `AsyncColony.call`."""
        try:
            return await super().call(message, shape, seconds=seconds)
        except AccessDenied as error:
            if error.is_stranger:
                self.expelled = error
                self._on_expelled()
            raise
