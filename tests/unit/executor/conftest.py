"""One embedded colony for a module of tests, a user of it, and executors that are gone when a test is over."""

from __future__ import annotations

import threading
import time

import pytest

import colony_jupyter as cj
from colony_jupyter import settings as settings_module
from colony_jupyter.testing import ColonyServer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ColonyServer(tmp_path_factory.mktemp("colony")) as running:
        yield running


@pytest.fixture
def settings(server):
    return settings_module.resolve(server.environ())


@pytest.fixture
def colony(settings):
    with cj.Colony(settings) as user:
        yield user


@pytest.fixture
def make_executor(settings):
    """Make executors of a type of the test's own."""
    made = []

    def make(executortype="task", name=None, **options):
        made.append(cj.Executor(executortype, name, **{"settings": settings, **options}))
        return made[-1]

    yield make
    for executor in made:
        executor.stop()


@pytest.fixture
def submit(colony, request):
    """Submit to an executor, or to the type of the test."""

    def submit(funcname, *args, executortype="task", **options):
        return colony.submit(funcname, *args, executortype=executortype, **options)

    return submit


@pytest.fixture
def until():
    """Wait for something that has no event to wait for."""

    def until(condition, seconds=10.0):
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            if time.monotonic() > deadline:
                pytest.fail(f"not within {seconds} s")
            threading.Event().wait(0.02)
        return found

    return until
