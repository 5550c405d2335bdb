"""One embedded colony for all unit tests of a worker that ask for one, and a user of it.

Tests use names and types of their own, and see what others have left.
"""

from __future__ import annotations

import pytest
from colony_fixtures import colony, settings

from colony_jupyter.testing import ColonyServer

__all__ = ["colony", "server", "settings"]


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with ColonyServer(tmp_path_factory.mktemp("colony")) as running:
        yield running
