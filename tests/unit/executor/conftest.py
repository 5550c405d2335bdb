"""Executors on the embedded colony of a module of tests, which are gone when a test is over."""

from __future__ import annotations

import threading
import time

import pytest

import colony_jupyter as cj


@pytest.fixture(autouse=True)
def asked_often(monkeypatch):
    """Ends that no server announces, such as failures, are known soon; see `client/test_process_watcher.py`."""
    monkeypatch.setattr("colony_jupyter.client.process_watcher._POLL", 0.05)


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
