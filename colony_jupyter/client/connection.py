"""What the parts of the client need of the client that they belong to, and the process and loop that it lives on."""

from __future__ import annotations

import asyncio
import os
import weakref
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from colony_jupyter.errors import UsageError

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from colony_jupyter.client.transport.frames import Frames
    from colony_jupyter.wire.identity import PrivateKey
    from colony_jupyter.wire.messages import Message

T = TypeVar("T")


class Scope:
    """The operating system's process and the event loop that connections and tasks of a client belong to.

    The first asynchronous use sets the loop. A scope is over when its loop has closed, and in a forked child, which has
    copies of the descriptors and of the objects, but not the threads that serve them.
    """

    def __init__(self) -> None:
        self.is_closed = False
        """Whether the client was closed."""
        self._is_inherited = False  # whether this is a forked child, and it was made by the parent
        self._loop: asyncio.AbstractEventLoop | None = None  # None before the first use
        self._belongings: list[object] = []
        _scopes.add(self)

    @property
    def is_over(self) -> bool:
        """Whether nothing that belongs to it can be used any more."""
        return self._is_inherited or (self._loop is not None and self._loop.is_closed())

    def enter(self) -> None:
        """Check that what belongs to it may be used on the running loop.

        Raises:
            UsageError: if the client was closed, or belongs to another process or loop.
        """
        loop = asyncio.get_running_loop()
        if self._loop is loop and not self.is_closed and not self._is_inherited:
            return  # every entry of a stream comes by here
        if self.is_closed:
            raise UsageError("This client is closed: make a new Colony or AsyncColony.")
        if self.is_over:
            raise UsageError(
                "This belongs to an event loop that has ended or to the parent of this process: make another on this "
                "one, as by stream()."
            )
        if self._loop is not None:
            raise UsageError(
                "This AsyncColony, or what was made by it, is in use on another event loop, which has not ended: make "
                "an AsyncColony on each loop."
            )
        self._loop = loop

    def hold(self, belonging: object) -> None:
        """Register an object that a forked child must not finalize, because that acts on the parent's connections."""
        self._belongings.append(belonging)

    def renewed(self) -> Scope:
        """Return the scope that takes the place of this one."""
        renewed = Scope()
        renewed.is_closed = self.is_closed
        return renewed

    def preserve(self) -> None:
        """Keep what belongs to the parent alive in a forked child."""
        self._is_inherited = True
        _inherited.append(self._belongings)
        if self._loop is not None:
            preserve_loop(self._loop)


def preserve_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Keep a loop of the parent and its tasks alive in a forked child.

    A task that is garbage collected runs its ``finally`` blocks, which remove its sockets from the selector. The parent
    and the child share the selector of the kernel: the parent would wait for these sockets for ever.
    """
    _inherited.append((loop, asyncio.all_tasks(loop)))


def _in_child() -> None:
    for scope in list(_scopes):
        scope.preserve()


_scopes: Final[weakref.WeakSet[Scope]] = weakref.WeakSet()
_inherited: Final[list[object]] = []

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


class Connection(Protocol):
    """A client: the way to the server and the identity of the caller."""

    @property
    def key(self) -> PrivateKey:
        """The key that signs the calls."""

    @property
    def scope(self) -> Scope:
        """The process and loop that it is used on."""

    async def call(self, message: Message, shape: type[T]) -> T:
        """Make a call as this client."""

    def open_subscription(self, message: Message, shape: type[T]) -> AbstractAsyncContextManager[Frames[T]]:
        """Open a socket for one subscription of this client; see `transport.websocket.subscription`."""
