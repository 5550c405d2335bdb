"""The servers to be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from colony_contract.cast import Place

from colony_jupyter.testing import ColonyServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def embedded_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Return the embedded colony as it comes; every transcript makes a colony of its own on it."""
    with ColonyServer(tmp_path_factory.mktemp("judged")) as server:
        yield Place.from_environment({**server.environ(), "COLONIES_SERVER_PRVKEY": server.server_prvkey.reveal()})


@pytest.fixture
def real_place(real_server: dict[str, str]) -> Place:
    """Return the server the tests were started with."""
    return Place.from_environment(real_server)
