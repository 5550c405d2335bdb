"""Appending to channels and reading them; subscriptions are in `colony_jupyter.server.subscriptions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colony_jupyter.server import rendering
from colony_jupyter.server.calls.registry import Caller, call
from colony_jupyter.server.channels import make_entry
from colony_jupyter.server.refusal import Refused
from colony_jupyter.wire import messages

if TYPE_CHECKING:
    from colony_jupyter.server.channels import Channel
    from colony_jupyter.server.server import Server
    from colony_jupyter.server.state import Process


def open_channel(server: Server, processid: str, name: str, caller: Caller, doing: str) -> tuple[Process, Channel]:
    """Give a process and its channel to somebody who may use it.

    Raises:
        Refused: if there is none, or he may not.
    """
    colony, process = server.process(processid, Refused(404, "Process not found"))
    server.as_member(colony.colony.name, caller.id)
    return process, server.channels.open(process, name, caller.id, doing)


@call(messages.ChannelAppend, "append to channel")
async def append(server: Server, message: messages.ChannelAppend, caller: Caller) -> Any:
    process, channel = open_channel(server, message.processid, message.name, caller, "write to")
    now = server.now()
    server.channels.admit(process, channel, message.payload, now)
    entry = make_entry(
        sequence=message.sequence,
        inreplyto=message.inreplyto,
        now=now,
        senderid=caller.id,
        payload=message.payload,
        kind=message.payloadtype,
    )
    channel.append(entry)
    place = channel.arrived
    server.store.add_entry(process.processid, channel.name, place, entry)
    server.after_commit(lambda: channel.tell(place, entry))
    await server.commit()
    return {}


@call(messages.ChannelRead, "read from channel")
async def read(server: Server, message: messages.ChannelRead, caller: Caller) -> Any:
    _, channel = open_channel(server, message.processid, message.name, caller, "read from")
    return rendering.entries(channel, message.afterseq, message.limit)
