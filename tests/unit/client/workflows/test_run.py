"""Runs of workflows on the embedded colony; `tests/live/test_workflows.py` does the same on a real server."""

from __future__ import annotations

import time

import flows
import pytest
from kernels import wait_until

import colony_jupyter as cj
from colony_jupyter.errors import InvalidSpec, UsageError
from colony_jupyter.wire.models import ProcessState


@pytest.fixture
def executor(settings):
    executor = flows.make_executor(settings)
    executor.start()
    yield executor
    executor.stop()


def test_twenty_processes_on_three_levels(colony, executor):
    run = flows.check_success(colony, executor.executortype)
    assert repr(run) == f"<WorkflowRun {run.processgraphid[:8]} SUCCESS: 20 SUCCESS>"
    table = run.to_pandas()
    assert table.loc[table.nodename == "total", "output"].item() == [1066]
    assert run.to_polars().shape == table.shape
    run.cancel()  # one that has ended stays as it ended
    assert run.state is ProcessState.SUCCESS


def test_a_failure_names_the_process_that_failed_first(colony, executor):
    flows.check_failure(colony, executor.executortype)


def test_only_the_whole_is_cancelled(colony):
    flows.check_cancel(colony)


def test_a_node_that_is_none_is_named(colony):
    workflow = cj.Workflow()
    workflow.add("gen", executortype="absent-x")
    run = colony.submit(workflow)
    with pytest.raises(UsageError, match=r"has no node 'gem'\. It has: gen"):
        run["gem"]
    assert "gen" in run
    assert list(run) == ["gen"]
    assert str(run) == run.processgraphid
    with pytest.raises(cj.WaitTimeout, match=r"Workflow .{8} to end.*Not ended: gen"):
        run.wait(0.1)
    colony.remove_workflow(run.processgraphid)
    with pytest.raises(cj.WorkflowNotFound, match="the id is wrong, or it was removed"):
        run.wait(10)


@pytest.mark.parametrize("after", ["nothing", "gen"])
def test_nothing_is_sent_of_what_the_server_would_half_store(colony, after):
    workflow = cj.Workflow()
    workflow.add("gen", executortype="absent-x", after=[after])
    before = colony.statistics().waitingworkflows
    with pytest.raises(InvalidSpec):
        colony.submit(workflow)
    assert colony.statistics().waitingworkflows == before


def test_the_type_is_the_one_that_offers_the_function(colony, executor):
    @executor.function("only here")
    def only_here(context):
        return 3 + len(context.input)

    workflow = cj.Workflow()
    workflow.add("only here")
    wait_until(lambda: any(each.funcname == "only here" for each in colony.functions()))
    run = colony.submit(workflow)
    assert run["only here"].spec.conditions.executortype == executor.executortype
    assert run.result(20) == {"only here": 3}
    with pytest.raises(UsageError, match="is submitted alone"):
        colony.submit(workflow, 3)


def test_processes_that_an_executor_adds_belong_to_it(colony, settings):
    executor = cj.Executor("adding-x", settings=settings)

    @executor.function("begin")
    def begin(context):
        process = context.process
        spec = cj.FunctionSpec(funcname="more", conditions=cj.Conditions(executortype="adding-x"), args=[5])
        context.colony.add_child(process.processgraphid, process.processid, spec)
        return 1

    @executor.function("more")
    def more(context, value):
        return value + context.input[0]

    executor.start()
    try:
        workflow = cj.Workflow()
        workflow.add("begin", executortype="adding-x")
        run = colony.submit(workflow)
        assert run.result(20) == {"more": 6}
        assert run.nodes == ["begin", "more"]
    finally:
        executor.stop()


def test_an_executor_that_waits_for_its_reader_does_not_hold_the_workflow_up(colony, settings):
    executor = cj.Executor("patient-x", settings=settings)

    @executor.function("speak")
    async def speak(context):
        await context.channel("out").send("read or not")
        await context.channel("out").end()
        return 1

    executor.start()
    try:
        workflow = cj.Workflow()
        first = workflow.add("speak", executortype="patient-x", channels=["out", "sync"])
        workflow.add("speak", nodename="then", executortype="patient-x", channels=["out", "sync"], after=first)
        begun = time.monotonic()
        assert colony.submit(workflow).result(25) == {"then": 1}
        assert time.monotonic() - begun < 20  # each executor waits for 30 s, if no reader acknowledges
    finally:
        executor.stop()


async def test_one_request_shows_that_nothing_has_changed(settings):
    async with cj.AsyncColony(settings) as colony:
        workflow = cj.Workflow()
        for at in range(5):
            workflow.add("gen", executortype="absent-x", nodename=f"gen-{at}")
        run = await colony.submit(workflow)
        calls = []
        call = colony.call

        async def counted(message, shape, **options):
            calls.append(type(message).__name__)
            return await call(message, shape, **options)

        colony.call = counted
        await run.refresh()
        assert calls == ["GetProcessGraph"]
        await run.cancel()
        assert run.is_over
