"""Executors of a Python process: one of a type and name, and none left when it ends."""

from __future__ import annotations

import os
import threading

import pytest

from colony_jupyter.executor import registry


def records(colony, executortype):
    return [each for each in colony.executors() if each.executortype == executortype]


def test_a_cell_that_is_run_again_replaces_its_executor(make_executor, submit, colony):
    def cell(answer):
        executor = make_executor("replaced")
        executor.function("give")(lambda context: answer)
        executor.start()
        return executor

    first = cell("one")
    assert submit("give", executortype="replaced").result(timeout=10) == "one"
    second = cell("two")
    assert (first.is_running, second.is_running) == (False, True)
    assert [each for each in registry.running() if each in (first, second)] == [second]
    assert submit("give", executortype="replaced").result(timeout=10) == "two"
    (record,) = records(colony, "replaced")
    assert record.executorname == first.name == second.name
    second.stop()
    assert second not in registry.running()


def test_making_it_again_stops_the_earlier_one_at_once(make_executor):
    first = make_executor("remade")
    first.start()
    make_executor("remade", "another")
    assert first.is_running
    make_executor("remade")
    assert not first.is_running


class Worker:
    """What runs an executor; it has stopped at once, or never does."""

    def __init__(self, stops=True) -> None:
        self.finished = threading.Event()
        self.graces: list[float] = []
        self._stops = stops

    def request_stop(self, grace):
        self.graces.append(grace)
        if self._stops:
            self.finished.set()


class Background:
    """An executor in the background."""

    trouble = ""
    executorid = None

    def __init__(self, executortype, chosen_name=None, worker=None) -> None:
        self.executortype, self.chosen_name, self.name, self.worker = executortype, chosen_name, chosen_name, worker
        self.stopped = 0

    def stop(self):
        self.stopped += 1


@pytest.fixture
def apart(apart, monkeypatch):
    """Keep executors of other tests out of the list."""
    monkeypatch.setattr(registry, "_running", {})


@pytest.mark.usefixtures("apart")
class TestList:
    def test_one_of_a_type_and_name_replaces_the_earlier_one(self):
        first, other, second = Background("t"), Background("t", "named"), Background("t")
        for executor in (first, other):
            registry.replace(executor)
            registry.add(executor)
        registry.replace(first)
        assert (first.stopped, other.stopped) == (0, 0), "it does not replace itself"
        registry.replace(second)
        assert (first.stopped, other.stopped) == (1, 0)
        registry.add(second)
        assert registry.running() == [second, other]

    def test_only_the_one_that_is_listed_is_removed(self):
        first, second = Background("t"), Background("t")
        registry.add(first)
        registry.add(second)
        registry.remove(first)
        assert registry.running() == [second]
        registry.remove(second)
        registry.remove(second)
        assert registry.running() == []

    def test_all_are_stopped_without_a_grace_and_once(self):
        workers = [Worker(), Worker()]
        for number, worker in enumerate(workers):
            registry.add(Background(f"type {number}", worker=worker))
        registry.add(Background("never started"))
        registry.stop_all()
        registry.stop_all()
        assert [worker.graces for worker in workers] == [[0.0], [0.0]]
        assert registry.running() == []

    def test_one_that_does_not_stop_is_not_waited_for_beyond_a_limit(self, monkeypatch):
        monkeypatch.setattr(registry, "_EXIT_SECONDS", 0.1)
        stuck, prompt = Worker(stops=False), Worker()
        registry.add(Background("stuck", worker=stuck))
        registry.add(Background("prompt", worker=prompt))
        registry.stop_all()
        assert (stuck.graces, prompt.graces) == ([0.0], [0.0])

    def test_a_forked_child_has_no_executors_and_stops_none(self):
        worker = Worker()
        registry.add(Background("t", worker=worker))
        child = os.fork()
        if child == 0:
            is_empty = registry.running() == []
            registry.stop_all()
            os._exit(0 if is_empty and worker.graces == [] else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert len(registry.running()) == 1
