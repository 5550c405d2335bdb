"""The table of calls, and how a message is read."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final, TypeVar

from colony_jupyter.wire.messages import Message, msgtype

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from colony_jupyter.server.errors import Refused
    from colony_jupyter.server.server import Server

M = TypeVar("M", bound=Message)


@dataclasses.dataclass(frozen=True)
class Caller:
    """The caller of a call, and whether it is still connected.

    Attributes:
        id: id recovered from the signature; empty for an unsigned call.
        gone: returns once the connection is lost; for calls that wait.
        address: host and port that the call was sent to.
    """

    id: str
    gone: Callable[[], Awaitable[None]]
    address: tuple[str, int]


class Silence:
    """A reply without any body: the answer of some calls to a caller that is not a member (trap 16)."""


@dataclasses.dataclass(frozen=True)
class Handler:
    """One call.

    Attributes:
        shape: its message.
        doing: what it does, in the words refusals begin with.
        work: carries it out, and returns the value of the reply.
        signed: whether it needs a signature.
        read: whether its message is decoded.
        replytype: payloadtype of the reply.
    """

    shape: type[Message]
    doing: str
    work: Callable[[Server, Any, Caller], Awaitable[Any]]
    signed: bool
    read: bool
    replytype: str


HANDLERS: Final[dict[str, Handler]] = {}


def call(
    shape: type[M], doing: str, *, signed: bool = True, read: bool = True, replytype: str = ""
) -> Callable[[Callable[[Server, M, Caller], Awaitable[Any]]], Callable[[Server, M, Caller], Awaitable[Any]]]:
    """Register the function that carries out a call."""

    def enter(work: Callable[[Server, M, Caller], Awaitable[Any]]) -> Callable[[Server, M, Caller], Awaitable[Any]]:
        name = msgtype(shape)
        HANDLERS[name] = Handler(shape, doing, work, signed, read, replytype or name)
        return work

    return enter


def required(value: Any, refusal: Refused) -> Any:
    """Return a member that must be there.

    Raises:
        Refused: ``refusal``, if it is not.
    """
    if value is None:
        raise refusal
    return value
