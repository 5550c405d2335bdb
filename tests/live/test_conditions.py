"""Conditions of a process on a real server: what holds a process back, and what comes back of them."""

from __future__ import annotations

import random

import pytest

from colony_jupyter import AsyncColony, Conditions, Gpu
from colony_jupyter.wire.identity import PrivateKey

pytestmark = pytest.mark.live


@pytest.fixture
async def parties():
    """Return a user, and an executor at the location "Here"."""
    key = PrivateKey.generate(random.randbytes)
    name = f"conditions-{key.id[:12]}-x"
    async with AsyncColony() as user, AsyncColony(prvkey=key) as executor:
        await user.add_executor(name, key.id, name, locationname="Here")
        await user.approve_executor(name)
        yield user, executor, name
        await user.remove_executor(name)


async def test_a_process_waits_for_its_location(parties):
    user, executor, name = parties
    elsewhere = await user.submit("f", executortype=name, conditions=Conditions(locationname="there"))
    assert await executor.assign(1) is None
    sentence = f"Waiting: no executor of type '{name}' is at location 'there'; {name} is at 'Here'."
    assert await user.explain_waiting(elsewhere.record) == sentence
    here = await user.submit("f", executortype=name, conditions=Conditions(locationname="hERE"))
    assert await executor.assign(5) == here
    await executor.close(here)
    await user.cancel(elsewhere)


async def test_conditions_come_back_as_they_were_meant(parties):
    user, executor, name = parties
    asked = Conditions(
        executortype=name,
        nodes=2,
        processes=4,
        processespernode=2,
        cpu="500m",
        mem="2Gi",
        gpu=Gpu(name="A100", mem="40Gi", count=2),
        walltime=600,
    )
    process = await user.submit("f", conditions=asked)
    got = (await executor.assign(5)).spec.conditions
    assert (got.nodes, got.processes, got.processespernode, got.walltime) == (2, 4, 2, 600)
    assert (got.cpu, got.mem, got.gpu.name, got.gpu.mem, got.gpu.count) == ("500m", "2048Mi", "A100", "40960Mi", 2)
    await executor.close(process)
