"""What the parts of the client that read and write need of the client that they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from colony_jupyter.client.endpoint import Endpoint
    from colony_jupyter.wire.identity import PrivateKey
    from colony_jupyter.wire.messages import Message

T = TypeVar("T")


class Connection(Protocol):
    """A client: the address of the server and the identity of the caller."""

    @property
    def endpoint(self) -> Endpoint:
        """The address of the server."""

    @property
    def key(self) -> PrivateKey:
        """The key that signs the calls."""

    async def call(self, message: Message, shape: type[T]) -> T:
        """Make a call as this client."""
