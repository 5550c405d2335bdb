"""An executor that is removed again and again, and comes back, while its processes end."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

from colony_jupyter.errors import ColonyError
from colony_jupyter.wire.models import moment

if TYPE_CHECKING:
    import random

    import colony_jupyter as cj

_ROUNDED = timedelta(milliseconds=1)  # a real server's database rounds times


async def remove_often(
    colony: cj.AsyncColony, executor: cj.Executor, chance: random.Random, *, count: int, removals: int
) -> None:
    """Check that each process ends with what its latest run returned.

    A run returns when it was assigned, and the server's record has the time of the latest assignment.
    """

    @executor.function("work")
    async def work(context):
        started = context.process.starttime
        await asyncio.sleep(chance.choice((0, 0.01, 0.05)))
        return started

    processes = [await colony.submit("work", executortype=executor.executortype) for _ in range(count)]
    await asyncio.to_thread(executor.start)
    try:
        for _ in range(removals):
            await asyncio.sleep(chance.uniform(0, 0.1))
            with contextlib.suppress(ColonyError):  # it has not come back yet
                await colony.remove_executor(executor.name)
        for process in processes:
            returned = moment(await process.result(timeout=30))
            started = moment(process.starttime)
            # A real server clears it of a process that ends in the moment in which its executor is removed.
            assert started is None or abs(returned - started) < _ROUNDED
    finally:
        await asyncio.to_thread(executor.stop)
