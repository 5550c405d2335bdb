"""Process logs through what servers and networks do: a server that is killed and comes back, calls whose answers are
lost, and a gateway that refuses them for a while."""

from __future__ import annotations

import asyncio
import random
from functools import partial

import pytest
from proxy import Proxy

from colony_jupyter import AsyncColony, settings
from colony_jupyter.client.transport.http import persist
from colony_jupyter.testing import ColonyServer
from colony_jupyter.wire.identity import PrivateKey


async def running(user, executor):
    """Return a process that runs, as its submitter and as its executor holds it."""
    name = f"logs-{executor.key.id[:12]}-x"
    await user.add_executor(name, executor.key.id, name)
    await user.approve_executor(name)
    process = await user.submit("work", executortype=name)
    assigned = await executor.assign(5)
    assert assigned is not None
    return process, assigned


async def write(assigned, count, pause=0.0):
    """Write lines; a line whose answer was lost is written again, so that readers may see it twice."""
    for number in range(count):
        await persist(partial(assigned.colony.add_log, assigned, str(number)))
        await asyncio.sleep(pause)


def once(lines):
    return list(dict.fromkeys(line.message for line in lines))


@pytest.mark.timeout(120)
async def test_a_server_that_is_killed_and_comes_back(tmp_path):
    with ColonyServer(tmp_path) as server:
        place = settings.resolve(server.environ())
        key = PrivateKey.generate(random.randbytes)
        async with AsyncColony(place) as user, AsyncColony(place, prvkey=key) as executor:
            process, assigned = await running(user, executor)
            reading = asyncio.create_task(process.log(timeout=90).read())
            for part in range(3):
                await write(assigned, 30 * (part + 1))
                await asyncio.to_thread(server.kill)
                await asyncio.sleep(1)
                await asyncio.to_thread(server.start)
            await write(assigned, 120)
            await persist(lambda: executor.close(assigned))
            lines = await reading
            stored = await user.logs(process.processid, count=500)
            assert [line.message for line in lines] == [line.message for line in stored]
            assert once(lines) == [str(number) for number in range(120)]


@pytest.mark.timeout(120)
async def test_calls_that_are_cut(tmp_path):
    with ColonyServer(tmp_path) as server:
        proxy = Proxy(server.port)
        await proxy.start()
        place = settings.resolve(server.environ())
        through = settings.resolve({**server.environ(), "COLONIES_SERVER_PORT": str(proxy.port)})
        key = PrivateKey.generate(random.randbytes)
        async with AsyncColony(place) as user, AsyncColony(place, prvkey=key) as executor:
            process, assigned = await running(user, executor)
            async with AsyncColony(through) as reader:
                stream = (await reader.get_process(process.processid)).log(timeout=90)
                reading = asyncio.create_task(stream.read())
                writing = asyncio.create_task(write(assigned, 300, pause=0.02))
                while not writing.done():
                    await asyncio.sleep(random.uniform(0.05, 0.6))
                    proxy.cut_all()
                await writing
                await executor.close(assigned)
                assert [line.message for line in await reading] == [str(number) for number in range(300)]
        await proxy.stop()
