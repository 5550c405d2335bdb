"""Calls about channels."""

from __future__ import annotations

from colony_jupyter.wire.messages.message import Message
from colony_jupyter.wire.models import Int


class ChannelAppend(Message, tag="channelappendmsg"):
    """Append an entry; ``payloadtype`` becomes its type (a party to the process)."""

    processid: str = ""
    name: str = ""
    sequence: Int = 0
    inreplyto: Int = 0
    payload: bytes | None = b""
    payloadtype: str = ""


class ChannelRead(Message, tag="channelreadmsg"):
    """Read entries; ``afterseq`` is an index, not a sequence (trap 2)."""

    processid: str = ""
    name: str = ""
    afterseq: Int = 0
    limit: Int = 0


class SubscribeChannel(Message, tag="subscribechannelmsg"):
    """Entries as they come, for ``timeout`` seconds (WebSocket)."""

    processid: str = ""
    name: str = ""
    afterseq: Int = 0
    timeout: Int = 0


class SubscribeProcess(Message, tag="subscribeprocessmsg"):
    """The process each time it enters the state (WebSocket). Leave ``executortype`` empty."""

    processid: str = ""
    executortype: str = ""
    state: Int = 0
    timeout: Int = 0
    colonyname: str = ""


class SubscribeProcesses(Message, tag="subscribeprocessesmsg"):
    """Processes of a type that enter the state (WebSocket, executors)."""

    executortype: str = ""
    state: Int = 0
    timeout: Int = 0
    colonyname: str = ""
