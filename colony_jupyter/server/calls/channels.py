"""Appending to channels and reading them; subscriptions are in `colony_jupyter.server.api.subscriptions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colony_jupyter.server.api import encoding
from colony_jupyter.server.calls.registry import Caller, call
from colony_jupyter.server.errors import Refused
from colony_jupyter.server.state.records import StoredEntry
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import DATA

if TYPE_CHECKING:
    from colony_jupyter.server.server import Server
    from colony_jupyter.server.state.channel_logs import ChannelLog
    from colony_jupyter.server.state.records import Process


def open_channel(server: Server, processid: str, name: str, caller: Caller, doing: str) -> tuple[Process, ChannelLog]:
    """Return a process and its channel, if the caller may use it.

    Raises:
        Refused: if there is none, or the caller may not use it.
    """
    colony, process = server.process(processid, Refused(404, "Process not found"))
    server.as_member(colony.colony.name, caller.id)
    return process, server.channels.open(process, name, caller.id, doing)


@call(messages.ChannelAppend, "append to channel")
async def append(server: Server, message: messages.ChannelAppend, caller: Caller) -> Any:
    process, channel = open_channel(server, message.processid, message.name, caller, "write to")
    now = server.now()
    server.channels.admit(process, channel, message.payload, now)
    entry = StoredEntry(
        sequence=message.sequence,
        inreplyto=message.inreplyto,
        timestamp=now,
        senderid=caller.id,
        payload=message.payload,
        type=message.payloadtype or DATA,
    )
    channel.append(entry)
    place = channel.arrived
    server.store.entries.add(process.processid, channel.name, place, entry)
    server.after_commit(lambda: channel.publish(place, entry))
    return {}


@call(messages.ChannelRead, "read from channel")
async def read(server: Server, message: messages.ChannelRead, caller: Caller) -> Any:
    _, channel = open_channel(server, message.processid, message.name, caller, "read from")
    return encoding.entries(channel, message.afterseq, message.limit)
