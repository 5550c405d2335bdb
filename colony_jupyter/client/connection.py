"""What the parts of the client that read and write need of the client that they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from colony_jupyter.wire.identity import PrivateKey
    from colony_jupyter.wire.messages import Message

T = TypeVar("T")


class Connection(Protocol):
    """A client: the way to the server and the identity of the caller."""

    @property
    def key(self) -> PrivateKey:
        """The key that signs the calls."""

    async def call(self, message: Message, shape: type[T]) -> T:
        """Make a call as this client."""

    def open_subscription(self, message: Message) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        """Open a socket for one subscription of this client; see `colony_jupyter.client.websocket.subscription`."""
