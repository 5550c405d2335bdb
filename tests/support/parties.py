"""The two parties of a running process, each by a way of its own to the server."""

from __future__ import annotations

import contextlib
import random
from dataclasses import replace

from colony_jupyter import AsyncColony, settings
from colony_jupyter.wire.identity import PrivateKey


def reach(server, port=None):
    found = settings.resolve(server.environ())
    return replace(found, port=port or found.port)


@contextlib.asynccontextmanager
async def world(server, *, channels=("c",), reader_port=None, writer_port=None, executortype="chaos", **options):
    """A process that runs: its submitter's handle and its executor's, each by a way of their own to the server."""
    key = PrivateKey.generate(random.randbytes)
    async with (
        AsyncColony(reach(server)) as direct,
        AsyncColony(reach(server, reader_port)) as user,
        AsyncColony(reach(server, writer_port), prvkey=key) as executor,
    ):
        name = f"{executortype}-{key.id[:8]}-x"
        await direct.add_executor(name, key.id, name)
        await direct.approve_executor(name)
        submitted = await direct.submit("work", channels=list(channels), executortype=name, **options)
        assigned = await executor.assign(5)
        assert assigned is not None
        yield user.handle(submitted.processid), assigned


async def collect(stream):
    return [entry async for entry in stream]
