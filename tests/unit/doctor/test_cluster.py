"""The doctor's line on the nodes of a server."""

from __future__ import annotations

from dataclasses import replace

from colony_jupyter import AsyncColony
from colony_jupyter.doctor import Mark
from colony_jupyter.doctor.cluster import check_nodes, nodes_finding
from colony_jupyter.settings import resolve
from colony_jupyter.wire.messages import Cluster, Node


def test_several_nodes_are_a_warning_that_names_the_leader():
    one, two = Node(name="n1", host="a.example", apiport=50080), Node(name="n2", host="b.example", apiport=50080)
    finding = nodes_finding(Cluster(nodes=[one, two], leader=two))
    assert finding.mark is Mark.WARNING
    assert "2 nodes: n1 (a.example:50080), n2 (b.example:50080)." in finding.text
    assert "the leader, n2 (b.example:50080)" in finding.text


def test_one_node_is_fine():
    assert nodes_finding(Cluster(nodes=[Node(name="n1")])).mark is Mark.FINE
    assert nodes_finding(Cluster()).mark is Mark.FINE


async def test_the_nodes_are_queried_with_the_servers_key_only(colony_server):
    settings = resolve(colony_server.environ())
    async with AsyncColony(settings) as colony:
        finding = await check_nodes(colony)
        assert finding is not None
        assert finding.text == "the server has one node"
    async with AsyncColony(replace(settings, server_prvkey=None)) as colony:
        assert await check_nodes(colony) is None
    async with AsyncColony(replace(settings, server_prvkey=settings.prvkey)) as colony:  # the server refuses it
        assert await check_nodes(colony) is None
