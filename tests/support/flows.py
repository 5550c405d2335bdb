"""A workflow of twenty processes on three levels, and an executor for it: the same on every server."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

import colony_jupyter as cj

if TYPE_CHECKING:
    from colony_jupyter.settings import Settings

NUMBERS = 12
SUMS = 7


def make_executor(settings: Settings | None = None) -> cj.Executor:
    """Return an executor, not started, of a type of its own."""
    executor = cj.Executor(f"flows-{uuid.uuid4().hex[:10]}-x", settings=settings)

    @executor.function("number")
    async def number(context, value):
        _ = context
        return value

    @executor.function("add")
    def add(context, offset=0):
        return sum(context.input) + offset

    @executor.function("fail")
    async def fail(context, reason):
        _ = context
        raise ValueError(reason)

    return executor


def twenty(executortype: str, *, failing: int | None = None) -> cj.Workflow:
    """Make a workflow: numbers, each sum depends on every number whose place leaves its remainder, and a total.

    Args:
        executortype: type of executor.
        failing: the place of a number that fails instead.
    """
    workflow = cj.Workflow()
    numbers = [
        workflow.add("fail", "no such number", nodename=f"number-{at}", executortype=executortype)
        if at == failing
        else workflow.add("number", at, nodename=f"number-{at}", executortype=executortype)
        for at in range(NUMBERS)
    ]
    sums = [
        workflow.add("add", nodename=f"sum-{at}", executortype=executortype, after=numbers[at::SUMS], label="sum")
        for at in range(SUMS)
    ]
    workflow.add("add", 1000, nodename="total", executortype=executortype, after=sums)
    return workflow


def check_success(colony: cj.Colony, executortype: str) -> cj.WorkflowRun:
    """Run it; the outputs of those before arrive as input."""
    run = colony.submit(twenty(executortype))
    assert len(run) == NUMBERS + SUMS + 1
    assert run.wait(60) is run
    assert run.state is cj.ProcessState.SUCCESS
    assert run.result() == {"total": 1000 + sum(range(NUMBERS))}
    assert run["sum-1"].result() == 1 + 8
    assert run["sum-1"].input == [1, 8]
    levels = [name.partition("-")[0] for name in run.nodes]
    assert levels == ["number"] * NUMBERS + ["sum"] * SUMS + ["total"]
    rows = {row["nodename"]: row for row in run.to_dicts()}
    assert rows["sum-1"]["dependencies"] == ["number-1", "number-8"]
    assert (rows["sum-1"]["output"], rows["sum-1"]["state"]) == ([9], "SUCCESS")
    for one, after in (("number-1", "sum-1"), ("sum-1", "total")):
        assert rows[one]["endtime"] <= rows[after]["starttime"]
    return run


def check_failure(colony: cj.Colony, executortype: str) -> cj.WorkflowRun:
    """Run it with a number that fails; those that fail along name it."""
    run = colony.submit(twenty(executortype, failing=3)).wait(60)
    assert run.state is cj.ProcessState.FAILED
    assert run.failure.startswith("node 'number-3' (fail) failed: ValueError: no such number")
    for name in ("sum-3", "total"):
        words = r"failed along with its workflow: node 'number-3' \(fail\) failed: ValueError: no such number"
        with pytest.raises(cj.ProcessFailed, match=words):
            run[name].result()
    with pytest.raises(cj.WorkflowFailed, match=f"Workflow {run.processgraphid[:8]} failed: node 'number-3' "):
        run.result()
    return run


def check_cancel(colony: cj.Colony) -> cj.WorkflowRun:
    """Cancel one that waits for an executor; a member cannot be cancelled alone."""
    run = colony.submit(twenty(f"absent-{uuid.uuid4().hex[:10]}-x"))
    assert run["sum-1"].waitforparents
    words = f"is part of workflow {run.processgraphid[:8]}: ColonyOS cancels a workflow only as a whole"
    with pytest.raises(cj.UsageError, match=words):
        run["number-1"].cancel()
    run.cancel()
    assert {member.state for member in run.wait(30).members} == {cj.ProcessState.CANCELLED}
    assert run.state is cj.ProcessState.CANCELLED
    again = colony.get_run(run.processgraphid)
    assert again.nodes == run.nodes
    with pytest.raises(cj.WorkflowCancelled, match=f"Workflow {run.processgraphid[:8]} was cancelled"):
        again.result()
    return run
