"""A colony with a user and an executor in it, reached both ways."""

from __future__ import annotations

import contextlib
import random
import threading

import pytest

from colony_jupyter import AsyncColony, settings
from colony_jupyter.wire.identity import PrivateKey


@pytest.fixture(scope="session")
def served(server):
    return server


@pytest.fixture
def ready():
    """Return an event for which functions of a test wait; it is set when the test is over."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def place(served):
    return settings.resolve(served.environ())


@pytest.fixture
def running(place):
    """Return a context in which a process runs: its submitter's handle and its executor's."""

    @contextlib.asynccontextmanager
    async def run(*, channels=("c",), **options):
        key = PrivateKey.generate(random.randbytes)
        async with AsyncColony(place) as user, AsyncColony(place, prvkey=key) as executor:
            name = f"unit-{key.id[:12]}-x"
            await user.add_executor(name, key.id, name)
            await user.approve_executor(name)
            process = await user.submit("work", channels=list(channels), executortype=name, **options)
            assigned = await executor.assign(5)
            assert assigned is not None
            yield process, assigned

    return run
