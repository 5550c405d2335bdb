"""Runs of workflows, with calls that block."""

from __future__ import annotations

import flows
import pytest

import colony_jupyter as cj
from colony_jupyter.wire.models import ProcessState


@pytest.fixture
def colony(place):
    with cj.Colony(place) as colony:
        yield colony


def test_waiting_returns_the_run_and_its_members_are_handles_that_block(place, colony):
    executor = flows.make_executor(place)
    executor.start()
    try:
        workflow = cj.Workflow()
        first = workflow.add("number", 3, nodename="first", executortype=executor.executortype)
        workflow.add("add", 4, nodename="second", executortype=executor.executortype, after=[first])
        run = colony.submit(workflow)
        assert run.wait(20) is run
        assert run.result() == {"second": 7}
    finally:
        executor.stop()
    assert (run.state, run.is_over, run.nodes) == (ProcessState.SUCCESS, True, ["first", "second"])
    assert all(isinstance(member, cj.Process) for member in run.members)
    assert run["first"].result(1) == 3
    again = colony.get_run(run.processgraphid)
    assert again.record.processids == run.record.processids


def test_a_run_that_is_cancelled(colony):
    workflow = cj.Workflow()
    workflow.add("number", 3, executortype="absent-x")
    run = colony.submit(workflow)
    assert not run.is_over
    with pytest.raises(cj.WaitTimeout):
        run.wait(0.1)
    run.cancel()
    assert run.wait(10).state is ProcessState.CANCELLED
    with pytest.raises(cj.WorkflowCancelled):
        run.result(1)
