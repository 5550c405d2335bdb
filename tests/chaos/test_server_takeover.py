"""The notebook that the embedded colony belongs to ends; another one has it again, with every stream and all work."""

from __future__ import annotations

import asyncio
import contextlib

import psutil
from calling import Line, executor
from kernels import Kernel, servers, wait_until

from colony_jupyter import AsyncColony, embedded, settings
from colony_jupyter.datafolder import environment

KIND = "takeover-x"


async def test_a_stream_goes_on_when_the_colony_changes_hands(tmp_path):
    data = tmp_path / "data"
    try:
        with Kernel(data) as one, Kernel(data) as two:
            port = await asyncio.to_thread(one.ensure)
            keys = embedded.keys(data)
            async with Line("127.0.0.1", port) as line:
                runner = await executor(line, environment.variables(keys, "127.0.0.1", port), KIND)
            found = settings.resolve({}, use_embedded=True, data=data)
            async with AsyncColony(found) as colony, AsyncColony(found, prvkey=runner) as mine:
                process = await colony.submit("work", channels=["c"], executortype=KIND)
                assigned = await mine.assign(5)

                async def collect():
                    return [entry.text async for entry in process.channel("c")]

                reading = asyncio.create_task(collect())
                sent, owners = [], set()
                channel = assigned.channel("c")

                async def send():
                    for _ in range(20):
                        sent.append(f"entry {len(sent)}")
                        await channel.send(sent[-1])

                await send()
                # Killed as its kernel crashes; then its process dies under another one, which is us or the other.
                await asyncio.to_thread(two.ensure)
                owners |= {server.pid for server in servers(data)}
                await asyncio.to_thread(one.kill)
                await send()
                for server in servers(data):
                    owners.add(server.pid)
                    with contextlib.suppress(psutil.NoSuchProcess):  # it lost the race for the lock
                        server.kill()
                await send()
                owners |= {server.pid for server in servers(data)}
                await asyncio.to_thread(two.end)
                await send()
                await channel.end()
                assert await asyncio.wait_for(reading, 30) == sent
                await mine.close(assigned, ["done"])
                assert await process.result(20) == "done"
            assert len(owners) >= 2
    finally:
        await asyncio.to_thread(embedded.stop, data)
    wait_until(lambda: not servers(data))
