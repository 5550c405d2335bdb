"""The three subscriptions of the WebSocket, one after the other on each connection (docs/protocol.md section 5)."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.server.api import encoding
from colony_jupyter.server.calls.channels import open_channel
from colony_jupyter.server.errors import Refused
from colony_jupyter.server.state import quantities
from colony_jupyter.server.state.channel_logs import Gone
from colony_jupyter.wire.limits import DEFAULT_WINDOW, MAX_ENTRIES
from colony_jupyter.wire.messages import SubscribeChannel, SubscribeProcess, SubscribeProcesses
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from colony_jupyter.server.calls.registry import Caller
    from colony_jupyter.server.server import Server
    from colony_jupyter.server.state.records import StoredEntry
    from colony_jupyter.wire.messages import Message

PROCESS: Final = "subscribeprocessmsg"
CHANNEL: Final = "subscribechannelmsg"


class ConnectionDropped(Exception):
    """Ends a subscription by dropping the connection without a close frame, as ColonyOS does (trap 8)."""


class _Inbox:
    """What is on its way to one subscriber."""

    def __init__(self) -> None:
        self.waiting: deque[Any] = deque()
        self._news = asyncio.Event()

    def put(self, item: Any) -> None:
        self.waiting.append(item)
        self._news.set()

    async def get(self, seconds: float) -> Any:
        """Wait for the next item.

        Raises:
            TimeoutError: if none comes.
        """
        async with asyncio.timeout(max(0.0, seconds)):
            while not self.waiting:
                self._news.clear()
                await self._news.wait()
        return self.waiting.popleft()


async def frames(server: Server, message: Message, caller: Caller) -> AsyncIterator[tuple[str, Any]]:
    """Yield the frames of a subscription, payloadtype and value, until it is over.

    Raises:
        Refused: if it is refused.
        ConnectionDropped: when it ends by dropping the connection.
    """
    await server.ready()
    if isinstance(message, SubscribeChannel):
        async for entries in _channel(server, message, caller):
            yield CHANNEL, entries
    elif isinstance(message, SubscribeProcess):
        async for process in _process(server, message, caller):
            yield PROCESS, process
    elif isinstance(message, SubscribeProcesses):
        async for process in _processes(server, message, caller):
            yield PROCESS, process


async def _channel(server: Server, message: SubscribeChannel, caller: Caller) -> AsyncIterator[list[Any]]:
    process, channel = open_channel(server, message.processid, message.name, caller, "subscribe to")
    seconds = DEFAULT_WINDOW if message.timeout == 0 else quantities.wait(message.timeout)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    inbox = _Inbox()

    there_already = channel.arrived  # sent below with the log, and sent again when it has been committed

    def listen(place: int, entry: StoredEntry | Gone) -> None:
        if place > there_already:
            inbox.put(entry)

    channel.listeners.add(listen)
    try:
        there = encoding.entries(channel, message.afterseq, 0)
        await server.commit()
        if there:
            yield there
        while True:
            if len(inbox.waiting) > MAX_ENTRIES:
                yield [{"sequence": 0, "payload": None, "type": "", "error": "subscriber disconnected: buffer full"}]
                return
            try:
                entry = await inbox.get(deadline - loop.time())
            except TimeoutError:
                break
            if entry is Gone.VANISHED:
                return  # the process has closed: ColonyOS sends nothing more (trap 6)
            if entry is Gone.READ_AGAIN:
                raise ConnectionDropped
            # A former executor of the process gets no further entries.
            if caller.id not in (process.initiatorid, process.channelsid):
                raise Refused(403, "Not authorized to subscribe to channel")
            yield [encoding.entry(entry)]
    finally:
        channel.listeners.discard(listen)
    yield []


async def _process(server: Server, message: SubscribeProcess, caller: Caller) -> AsyncIterator[Any]:
    colony, process = server.process(message.processid, Refused(403, f"Invalid process with Id {message.processid}"))
    server.as_member(colony.colony.name, caller.id)  # a real server does not check this (section 8)
    state = await _state(message)
    inbox = _Inbox()
    heard = message.executortype in ("", process.executortype)
    if heard:
        server.waiters.subscribe(process.processid, state, inbox.put)
    try:
        if heard and process.state is state:
            shown = encoding.process(process)
            await server.commit()
            yield shown
        async for shown in _until(inbox, message.timeout):
            yield shown
    finally:
        if heard:
            server.waiters.unsubscribe(process.processid, state, inbox.put)
    raise ConnectionDropped


async def _processes(server: Server, message: SubscribeProcesses, caller: Caller) -> AsyncIterator[Any]:
    homes = [c for c in server.colonies.values() if c.executor_by_id(caller.id, approved=True)]
    if not homes:
        raise Refused(403, "executor not found")
    state = await _state(message)
    inbox = _Inbox()
    for home in homes:
        server.waiters.subscribe_type(home.colony.name, message.executortype, state, inbox.put)
    try:
        async for shown in _until(inbox, message.timeout):
            yield shown
    finally:
        for home in homes:
            server.waiters.unsubscribe_type(home.colony.name, message.executortype, state, inbox.put)
    raise ConnectionDropped


async def _state(message: SubscribeProcess | SubscribeProcesses) -> ProcessState:
    """Return the state that is subscribed to.

    Raises:
        ConnectionDropped: if it is none, at the end of the subscription: no process enters it.
    """
    try:
        return ProcessState(message.state)
    except ValueError:
        await asyncio.sleep(quantities.wait(message.timeout))
        raise ConnectionDropped from None


async def _until(inbox: _Inbox, timeout: int) -> AsyncIterator[Any]:
    """Yield what arrives until the subscription ends."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + quantities.wait(timeout)
    while True:
        try:
            yield await inbox.get(deadline - loop.time())
        except TimeoutError:
            return
