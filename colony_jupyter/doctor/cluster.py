"""Check of the server's nodes: a channel lives on one of them (docs/protocol.md section 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colony_jupyter.doctor.report import Finding, Mark
from colony_jupyter.errors import ColonyError
from colony_jupyter.network import authority
from colony_jupyter.wire.messages import Cluster, GetCluster

if TYPE_CHECKING:
    from colony_jupyter.client.colony import AsyncColony


async def check_nodes(colony: AsyncColony) -> Finding | None:
    """Return a finding on the nodes of a real server; None where they cannot be queried."""
    if colony.settings.is_embedded or colony.settings.server_prvkey is None:
        return None
    try:
        return nodes_finding(await colony.call_as_server_owner(GetCluster(), Cluster))
    except ColonyError:
        return None


def nodes_finding(cluster: Cluster) -> Finding:
    """Describe the nodes, and warn of several."""
    nodes = cluster.nodes or []
    if len(nodes) <= 1:
        return Finding(Mark.FINE, "nodes", "the server has one node")
    leader = cluster.leader
    places = ", ".join(f"{node.name} ({authority(node.host, node.apiport)})" for node in nodes)
    text = (
        f"the server has {len(nodes)} nodes: {places}. A channel lives on one of them, so connect submitters and "
        f"executors to the same one, best to the leader, {leader.name} ({authority(leader.host, leader.apiport)}): set "
        "COLONIES_SERVER_HOST and COLONIES_SERVER_PORT to it."
    )
    return Finding(Mark.WARNING, "nodes", text)
