"""Executors that run functions of callers, and specs that carry one."""

from __future__ import annotations

import pytest

from colony_jupyter.functions.packing import pack
from colony_jupyter.wire.models import FunctionSpec


@pytest.fixture
def send(colony):
    """Submit a function of the test with its source."""

    def send(function, *args, kwargs=None, colony=colony, **options):
        packed = pack(function)
        positional, named = packed.bind(args, kwargs or {})
        spec = FunctionSpec(funcname=packed.funcname, env=dict(packed.env))
        return colony.submit(spec, *positional, kwargs=named, executortype="python-executor", **options)

    return send


@pytest.fixture
def serving(make_executor):
    """Return an executor that runs functions of its own user."""
    executor = make_executor("python-executor")
    executor.functions_from_callers()
    executor.start()
    return executor
