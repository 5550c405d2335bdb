"""Version, build and health of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colony_jupyter.server.api import encoding
from colony_jupyter.server.calls.registry import Caller, call
from colony_jupyter.wire import messages

if TYPE_CHECKING:
    from colony_jupyter.server.server import Server


@call(messages.GetVersion, "get server version", signed=False)
async def get_version(_: Server, message: messages.GetVersion, caller: Caller) -> Any:
    del message, caller
    return {"buildversion": "", "buildtime": "", "msgtype": "versionmsg"}


@call(messages.GetServerInfo, "get server info", signed=False, read=False)
async def get_server_info(server: Server, message: messages.GetServerInfo, caller: Caller) -> Any:
    del message
    host, port = caller.address
    return {
        "buildversion": "",
        "buildtime": encoding.time(server.now()),
        "backends": [{"type": "http", "port": port, "host": host}],
    }


@call(messages.GetCluster, "get cluster")
async def get_cluster(server: Server, _: messages.GetCluster, caller: Caller) -> Any:
    server.require_server_owner(caller.id)
    host, port = caller.address
    node = messages.Node(name="embedded", host=host, apiport=port)
    return messages.Cluster(nodes=[node], leader=node)
