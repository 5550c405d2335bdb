"""Executors that run functions of callers, and specs that carry one."""

from __future__ import annotations

import pytest
from colony_fixtures import send

__all__ = ["send"]


@pytest.fixture
def serving(make_executor):
    """Return an executor that runs functions of its own user."""
    executor = make_executor("python-executor")
    executor.functions_from_callers()
    executor.start()
    return executor
