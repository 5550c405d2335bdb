"""Calls about the server itself."""

from __future__ import annotations

from msgspec import Struct, field

from colony_jupyter.wire.messages.message import Message
from colony_jupyter.wire.models import Int


class GetVersion(Message, tag="versionmsg"):
    """Version of the server (anyone, unsigned)."""


class GetServerInfo(Message, tag="getserverinfomsg"):
    """Version and backends of the server (anyone, unsigned)."""


class Node(Struct, kw_only=True):
    """One node of a server."""

    name: str = ""
    host: str = ""
    port: Int = 0
    peerport: Int = 0
    relayport: Int = 0
    apiport: Int = 0


class Cluster(Struct, kw_only=True):
    """Reply to `GetCluster`."""

    nodes: list[Node] | None = None
    leader: Node = field(default_factory=Node)


class GetCluster(Message, tag="getclustermsg"):
    """Nodes of the server (server owner)."""


class Version(Struct, kw_only=True):
    """Reply to `GetVersion`."""

    buildversion: str = ""
    buildtime: str = ""


class Backend(Struct, kw_only=True):
    """One way in which a server can be reached."""

    type: str = ""
    port: Int = 0
    host: str = ""


class ServerInfo(Struct, kw_only=True):
    """Reply to `GetServerInfo`."""

    buildversion: str = ""
    buildtime: str = ""
    backends: list[Backend] = field(default_factory=list)
