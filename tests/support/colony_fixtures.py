"""A user of the embedded colony that the fixture ``server`` starts."""

from __future__ import annotations

import pytest

import colony_jupyter as cj
from colony_jupyter import settings as settings_module


@pytest.fixture
def settings(server):
    return settings_module.resolve(server.environ())


@pytest.fixture
def colony(settings):
    with cj.Colony(settings) as user:
        yield user
