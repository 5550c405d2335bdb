"""A user of the embedded colony that the fixture ``server`` starts, and what it submits."""

from __future__ import annotations

import pytest

import colony_jupyter as cj
from colony_jupyter import settings as settings_module
from colony_jupyter.functions.packing import pack
from colony_jupyter.wire.models import FunctionSpec


@pytest.fixture
def settings(server):
    return settings_module.resolve(server.environ())


@pytest.fixture
def colony(settings):
    with cj.Colony(settings) as user:
        yield user


@pytest.fixture
def send(colony):
    """Submit a function of the test with its source."""

    def send(function, *args, kwargs=None, colony=colony, **options):
        packed = pack(function)
        positional, named = packed.bind(args, kwargs or {})
        spec = FunctionSpec(funcname=packed.funcname, env=dict(packed.env))
        return colony.submit(spec, *positional, kwargs=named, executortype="python-executor", **options)

    return send
