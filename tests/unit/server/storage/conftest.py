"""The file of a colony, open."""

from __future__ import annotations

import pytest

from colony_jupyter.server.storage.store import Store


async def nothing():
    pass


@pytest.fixture
async def store(tmp_path):
    made = Store(tmp_path / "colony.db", "normal", nothing)
    await made.open()
    yield made
    await made.close()
