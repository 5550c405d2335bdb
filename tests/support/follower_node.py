"""The second node of a cluster: it has a channel log of its own, and everything else in common with the first.

As seen on two nodes of ColonyOS 1.9.12 (docs/protocol.md section 9): a node makes an empty channel on demand, which
nothing connects with the channel of the same name on the other node, and keeps it when the process has ended. With
exclusive assign it does not know that a process was assigned, and refuses the executor.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from typing import TYPE_CHECKING, Any, Self

import msgspec
from gateway import Gateway
from websockets.asyncio.client import connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from colony_jupyter.wire.envelope import Envelope, seal_refusal, seal_reply
from colony_jupyter.wire.identity import recover
from colony_jupyter.wire.models import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable

_CHANNEL_CALLS = ("channelreadmsg", "channelappendmsg")
_SUBSCRIPTION = "subscribechannelmsg"


class FollowerNode(Gateway):
    """A node whose channels are its own.

    Args:
        port: port of the other node.
        initiators: ids of those who submit processes; other senders are refused.
    """

    def __init__(self, port: int, initiators: Iterable[str]) -> None:
        super().__init__(port)
        self.logs: dict[tuple[str, str], list[Entry]] = {}
        self._initiators = set(initiators)
        self._grown = asyncio.Condition()
        self._sockets: Server | None = None
        self._socket_port = 0

    async def __aenter__(self) -> Self:
        self._sockets = await serve(self._subscription, "127.0.0.1", 0, compression=None)
        self._socket_port = self._sockets.sockets[0].getsockname()[1]
        return await super().__aenter__()

    async def __aexit__(self, *exception: object) -> None:
        assert self._sockets is not None
        self._sockets.close()
        await super().__aexit__(*exception)
        await self._sockets.wait_closed()

    async def _forward(self, head: bytes, body: bytes) -> bytes:
        envelope = msgspec.json.decode(body, type=Envelope)
        if envelope.payloadtype not in _CHANNEL_CALLS:
            return await super()._forward(head, body)
        sender = recover(envelope.payload, envelope.signature)
        call = json.loads(base64.b64decode(envelope.payload))
        log = self._log(call)
        if envelope.payloadtype == "channelreadmsg":
            end = call["afterseq"] + call["limit"] if call["limit"] > 0 else None
            return _response(200, seal_reply(envelope.payloadtype, log[call["afterseq"] : end]))
        if sender not in self._initiators:
            return _response(403, seal_refusal(403, "Not authorized to write to channel"))
        async with self._grown:
            log.append(
                Entry(
                    sequence=call["sequence"],
                    inreplyto=call["inreplyto"],
                    timestamp=f"2026-01-01T00:00:00.{len(log):09}Z",
                    senderid=sender,
                    payload=base64.b64decode(call["payload"] or ""),
                    type=call["payloadtype"] or "data",
                )
            )
            self._grown.notify_all()
        return _response(200, seal_reply(envelope.payloadtype, None))

    async def _tunnel(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._tunnel_to(self._socket_port, head, reader, writer)

    async def _subscription(self, socket: ServerConnection) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(ConnectionClosed, asyncio.CancelledError):
            request = await socket.recv()
            envelope = msgspec.json.decode(request, type=Envelope)
            if envelope.payloadtype == _SUBSCRIPTION:
                await self._send_entries(socket, json.loads(base64.b64decode(envelope.payload)))
                return
            async with connect(f"ws://127.0.0.1:{self.target}/pubsub", compression=None) as other:
                await other.send(request)
                async for frame in other:
                    await socket.send(frame)

    async def _send_entries(self, socket: ServerConnection, call: dict[str, Any]) -> None:
        log, sent = self._log(call), call["afterseq"]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(call["timeout"]):
                while True:
                    if log[sent:]:
                        entries, sent = log[sent:], len(log)
                        await socket.send(seal_reply(_SUBSCRIPTION, entries).decode())
                    async with self._grown:
                        await self._grown.wait()
        await socket.send(seal_reply(_SUBSCRIPTION, []).decode())

    def _log(self, call: dict[str, Any]) -> list[Entry]:
        return self.logs.setdefault((call["processid"], call["name"]), [])


def _response(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close"
    return f"{head}\r\n\r\n".encode() + body
