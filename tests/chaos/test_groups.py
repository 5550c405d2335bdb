"""Groups of processes over a bad network, behind a gateway that answers for the server, and while it is away."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter

import pytest
from gateway import Fault, Gateway
from parties import reach
from proxy import Proxy

from colony_jupyter import AsyncColony
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import ProcessState

COUNT = 120


@contextlib.asynccontextmanager
async def executor(server, executortype):
    """Close processes as they come, with ten times their argument."""
    key = PrivateKey.generate(random.randbytes)
    async with AsyncColony(reach(server)) as owner, AsyncColony(reach(server), prvkey=key) as colony:
        await owner.add_executor(executortype, key.id, executortype)
        await owner.approve_executor(executortype)

        async def work():
            while True:
                process = await colony.assign(2)
                if process is not None:
                    await colony.close(process, [process.spec.args[0] * 10])

        working = asyncio.create_task(work())
        yield owner
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def submitted(colony, label):
    """Count the processes of a label by their argument, whatever their state."""
    found = []
    for state in ProcessState:
        found += [each for each in await colony.process_history(600, state) if each.spec.label == label]
    return Counter(each.spec.args[0] for each in found)


@pytest.mark.timeout(120)
async def test_each_value_is_submitted_once_over_a_network_that_is_cut(colony_server):
    async with Proxy(colony_server.port) as proxy, executor(colony_server, "cut-x") as owner:
        async with AsyncColony(reach(colony_server, proxy.port)) as colony:
            submission = asyncio.create_task(colony.map("work", range(COUNT), executortype="cut-x", label="cut"))
            while not submission.done():
                await asyncio.sleep(0.15)
                proxy.cut_soon()
            group = await submission
            results = asyncio.create_task(group.results(timeout=60))
            for _ in range(5):
                await asyncio.sleep(0.2)
                proxy.cut_soon()
            assert await results == [value * 10 for value in range(COUNT)]
        assert proxy.cuts > 5
        assert await submitted(owner, "cut") == Counter(range(COUNT))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("status", [429, 503, 504])
async def test_a_gateway_that_limits_the_rate_is_waited_for(colony_server, status):
    """With 504 the server gets the request all the same."""
    name = f"gateway{status}-x"
    faults = [Fault(status, forward=status == 504, headers={"retry-after": "1"} if status == 429 else {})] * 5
    async with Gateway(colony_server.port) as gateway, executor(colony_server, name) as owner:
        gateway.plan("submitfuncspecmsg", faults)
        gateway.plan("getprocessesmsg", [Fault(status)] * 3)
        async with AsyncColony(reach(colony_server, gateway.port)) as colony:
            group = await colony.map("work", range(COUNT), executortype=name, label=name)
            assert await group.results(timeout=60) == [value * 10 for value in range(COUNT)]
        assert gateway.planned == []
        assert await submitted(owner, name) == Counter(range(COUNT))


@pytest.mark.timeout(120)
async def test_a_server_that_is_away_for_a_while(colony_server):
    async with (
        Proxy(colony_server.port) as proxy,
        executor(colony_server, "away-x"),
        AsyncColony(reach(colony_server, proxy.port)) as colony,
    ):
        group = await colony.map("work", range(COUNT), executortype="away-x")
        results = asyncio.create_task(group.results(timeout=60))
        proxy.refusing = True
        proxy.cut_all()
        await asyncio.sleep(1.5)
        assert group.watch.trouble.startswith("No ColonyOS server answers at")
        proxy.refusing = False
        assert await results == [value * 10 for value in range(COUNT)]
        assert group.watch.trouble == ""
