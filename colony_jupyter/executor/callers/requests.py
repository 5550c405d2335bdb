"""Makes the calls that a caller's function asks for: it holds no key, so its executor calls for it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from colony_jupyter.errors import ColonyError, UsageError
from colony_jupyter.executor.callers.protocol import PassedEntry, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colony_jupyter.client.streams.stream import AsyncStream
    from colony_jupyter.executor.context import Context
    from colony_jupyter.wire.models import Entry


class Requests:
    """Answers requests of one function.

    Args:
        context: gives the channels and the log of its process, and of no other.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._streams: dict[int, AsyncStream] = {}
        self._numbers = itertools.count(1)

    async def answer(self, request: Request) -> Reply:
        """Make a call and return what is replied."""
        try:
            return Reply(request.number, await self._call(request))
        except ColonyError as error:
            return Reply(request.number, error=(type(error).__name__, str(error)))

    async def aclose(self) -> None:
        """Close the streams that are open."""
        streams, self._streams = self._streams, {}
        for stream in list(streams.values()):
            await stream.aclose()

    async def _call(self, request: Request) -> Any:
        match request.verb:
            case "log":
                return await self._context.log(request.payload.decode("utf-8", "replace"))
            case "next":
                stream = self._streams.get(request.stream)
                if stream is None:
                    raise UsageError("The stream was closed.")
                return _passed(await stream.batch())
            case "close":
                stream = self._streams.pop(request.stream, None)
                return None if stream is None else await stream.aclose()
            case _:
                return await self._call_channel(request)

    async def _call_channel(self, request: Request) -> Any:
        channel = self._context.channel(request.channel)
        match request.verb:
            case "send":
                return await channel.send(request.payload, type=request.kind, inreplyto=request.inreplyto)
            case "write":
                return await channel.write(request.payload.decode("utf-8", "replace"), inreplyto=request.inreplyto)
            case "flush":
                return await channel.flush()
            case "ask":
                return _passed([await channel.ask(request.payload, request.timeout)])
            case "read":
                return _passed(await channel.read(request.start, request.limit))
            case _:
                number = next(self._numbers)
                self._streams[number] = channel.stream(
                    start=request.start,
                    limit=request.limit,
                    timeout=request.timeout,
                    idle_timeout=request.idle_timeout,
                    errors=request.errors,
                    to_end=request.to_end,
                )
                return number


def _passed(entries: Iterable[Entry]) -> list[PassedEntry]:
    return [
        PassedEntry(each.sequence, each.inreplyto, each.timestamp, each.senderid, each.payload, each.type, each.former)
        for each in entries
    ]
