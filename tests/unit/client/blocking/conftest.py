"""A process whose two parties use blocking clients."""

from __future__ import annotations

import random

import pytest

from colony_jupyter import Colony
from colony_jupyter.wire.identity import PrivateKey


@pytest.fixture
def parties(place):
    key = PrivateKey.generate(random.randbytes)
    with Colony(place) as user, Colony(place, prvkey=key) as executor:
        name = f"blocking-{key.id[:12]}-x"
        user.add_executor(name, key.id, name)
        user.approve_executor(name)
        process = user.submit("work", 1, kwargs={"a": 2}, channels=["c"], executortype=name)
        assigned = executor.assign(5)
        yield process, assigned, executor
