"""A colony with a user and an executor in it, reached both ways."""

from __future__ import annotations

import contextlib
import random

import pytest

from colony_jupyter import AsyncColony, settings
from colony_jupyter.testing import ColonyServer
from colony_jupyter.wire.identity import PrivateKey


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with ColonyServer(tmp_path_factory.mktemp("colony")) as server:
        yield server


@pytest.fixture
def place(served):
    return settings.resolve(served.environ())


@pytest.fixture
def running(place):
    """Give a context in which a process runs: its submitter's handle and its executor's."""

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
