"""Python functions as the first argument of `submit`, and functions that `remote` decorates."""

from __future__ import annotations

import os
import signal
import threading

import pytest

import colony_jupyter as cj
from colony_jupyter import settings as settings_module
from colony_jupyter.client import remote as remote_module
from colony_jupyter.testing import ColonyServer

FACTOR = 2


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Return a colony in which no other test has processes."""
    with ColonyServer(tmp_path_factory.mktemp("colony")) as running:
        yield running


@pytest.fixture
def settings(server):
    settings = settings_module.resolve(server.environ())
    settings_module.use(settings)
    yield settings
    settings_module.use(None)
    while remote_module._colonies:
        remote_module._colonies.pop().disconnect()


@pytest.fixture
def executor(settings):
    executor = cj.Executor("python-executor", settings=settings)
    executor.functions_from_callers()
    executor.start()
    yield executor
    executor.stop()


def train(rate, epochs=1):
    return rate * epochs * FACTOR


def test_a_function_is_submitted_with_its_source(executor, settings):
    with cj.Colony(settings) as colony:
        process = colony.submit(
            train, 0.5, kwargs={"epochs": 3}, executortype="python-executor", env={"MINE": "1"}, label="a"
        )
        assert process.result(timeout=20) == 3.0
        spec = process.record.spec
        assert (spec.funcname, spec.args, spec.kwargs, spec.label) == ("train", [0.5, 3], {}, "a")
        assert spec.env.keys() == {"MINE", "code", "args_spec", "colony_jupyter"}


async def test_the_asynchronous_colony_does_the_same(executor, settings):
    async with cj.AsyncColony(settings) as colony:
        process = await colony.submit(train, 1, executortype="python-executor")
        assert await process.result(timeout=20) == 2


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        ((1,), {}, "executortype is missing: it names the executors that run 'train'"),
        ((), {"executortype": "python-executor"}, r"missing a required argument: 'rate'. The function is train\(rate"),
    ],
)
def test_what_cannot_run_is_refused_before_it_is_sent(settings, arguments, options, sentence):
    with cj.Colony(settings) as colony:
        with pytest.raises(cj.UsageError, match=sentence):
            colony.submit(train, *arguments, **options)
        assert colony.processes("waiting") == []


@cj.remote(executortype="python-executor", channels=["out", "sync"])
def shared(context, rate, *, epochs=1):
    """Train."""
    context.channel("out").send("begun")
    return train(rate, epochs)


def test_a_direct_call_waits_for_the_result(executor):
    assert shared(1, epochs=2) == 4
    assert shared.__doc__ == "Train."
    assert repr(shared) == "<Remote 'shared' on executors of type 'python-executor'>"


def test_submit_returns_a_process(executor):
    process = shared.submit(1, epochs=3)
    assert [entry.text for entry in process.channel("out")] == ["begun"]
    assert process.result(timeout=20) == 6


def test_map_keeps_the_order(executor):
    pairs = cj.remote("python-executor")(train)
    assert shared.map([3, 1, 2]).results(timeout=30) == [6, 2, 4]
    assert pairs.map([1, 2], [3, 4]).results(timeout=30) == [6, 16]
    assert pairs.map([(1, 3), (2, 4)]).results(timeout=30) == [6, 16]
    assert pairs.map({"rate": [1, 2], "epochs": [1, 3]}).results(timeout=30) == [2, 6, 4, 12]


@cj.remote(executortype="python-executor")
def inner(value):
    return train(value)


@cj.remote(executortype="python-executor")
def outer(value):
    return [inner(value), inner(value + 1)]


def test_a_decorated_helper_is_a_plain_function_there(executor):
    assert outer(1) == [2, 4]


def test_the_newest_definition_is_sent(executor, monkeypatch):
    scaled = cj.remote(executortype="python-executor")(train)
    older = train

    def make():
        def train(rate, epochs=1):
            return "newer"

        train.__qualname__ = "train"
        return train

    monkeypatch.setitem(older.__globals__, "train", make())
    assert scaled(1) == "newer"


def test_an_interrupt_cancels_the_process(executor, settings):
    @cj.remote(executortype="python-executor", channels=["out"])
    def waits(context):
        import time

        context.channel("out").send("begun")
        time.sleep(600)

    def interrupt():
        with cj.Colony(settings) as colony:
            while not (running := colony.processes("running")):
                pass
            next(iter(running[0].channel("out")))
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        waits()
    thread.join()
    with cj.Colony(settings) as colony:
        assert [process.funcname for process in colony.processes("cancelled")] == ["waits"]


labelled = cj.remote("python-executor", channels=["out"], label="chosen", priority=3, executornames=["one"])(train)


def test_a_colony_submits_with_the_options_of_the_decorator(settings):
    with cj.Colony(settings) as colony:
        group = colony.map(labelled, [1, 2])
        for process in (colony.submit(labelled, 1), labelled.submit(1), *group):
            spec = process.spec
            assert spec.conditions.executortype == "python-executor"
            assert (spec.channels, spec.label, spec.priority) == (["out"], "chosen", 3)
            assert spec.conditions.executornames == ["one"]
        spec = colony.submit(labelled, 1, executortype="other", label="mine", priority=0, channels=["a"]).spec
        assert (spec.conditions.executortype, spec.channels, spec.label, spec.priority) == ("other", ["a"], "mine", 0)


def test_a_workflow_adds_with_the_options_of_the_decorator():
    gpu = cj.Conditions(gpu=cj.Gpu(count=1))
    workflow = cj.Workflow()
    spec = workflow.add(cj.remote("python-executor", label="chosen", conditions=gpu)(train), 1).spec
    assert (spec.conditions.executortype, spec.label, spec.conditions.gpu.count) == ("python-executor", "chosen", 1)
    assert workflow.add(labelled, 1, executortype="other", nodename="b").spec.conditions.executortype == "other"


def test_the_decorator_needs_a_type():
    with pytest.raises(cj.UsageError, match=r'@cj\.remote\(executortype="python-executor"\)'):
        cj.remote(train)  # type: ignore[arg-type]
    with pytest.raises(cj.InvalidSpec, match="executortype is empty"):
        cj.remote("")
