"""One embedded colony for a module of tests that asks for it, and a user of it.

These tests start many processes. They are not in tests/unit, since `make quick` has to be quick.
"""

from __future__ import annotations

import pytest
from colony_fixtures import colony, settings

from colony_jupyter.testing import ColonyServer

__all__ = ["colony", "server", "settings"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ColonyServer(tmp_path_factory.mktemp("colony")) as running:
        yield running
