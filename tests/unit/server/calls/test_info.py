"""Version, build and cluster, as the embedded colony states them."""

from __future__ import annotations

from colony_jupyter.wire import messages as m


async def test_the_version_has_no_build(world):
    assert await world.call(m.GetVersion(), "stranger") == {
        "buildversion": "",
        "buildtime": "",
        "msgtype": "versionmsg",
    }


async def test_the_server_names_the_address_that_it_was_called_at(world):
    shown = await world.call(m.GetServerInfo(), "stranger")
    assert shown["backends"] == [{"type": "http", "port": 1, "host": "here"}]
    assert shown["buildtime"].startswith("2023-11-14T22:13:20")  # the present time


async def test_the_cluster_is_one_node_that_leads(world):
    shown = await world.call(m.GetCluster(), "server")
    assert shown["nodes"] == [shown["leader"]]
    assert (shown["leader"]["host"], shown["leader"]["apiport"]) == ("here", 1)
    assert await world.refusal(m.GetCluster(), "ann") == (403, "Access denied, not server owner")
