"""A change belongs to the call that made it, also while calls alternate."""

from __future__ import annotations

import asyncio

from colony_jupyter.server.state import changes


async def test_each_task_has_its_own_record():
    turn = asyncio.Event()

    async def call(*, writes: bool) -> bool:
        record = changes.track()
        await turn.wait()
        if writes:
            changes.note()
        await asyncio.sleep(0)
        return record.made

    calls = [asyncio.create_task(call(writes=writes)) for writes in (True, False, True)]
    await asyncio.sleep(0)
    turn.set()
    assert await asyncio.gather(*calls) == [True, False, True]


def test_without_a_record_nothing_is_noted():
    changes.note()
    assert not changes.track().made
