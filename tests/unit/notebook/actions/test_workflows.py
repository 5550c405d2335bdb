"""Workflows as they are typed, found and followed."""

from __future__ import annotations

import asyncio
import io

import flows
import pytest

import colony_jupyter as cj
from colony_jupyter.client.portal import PORTAL
from colony_jupyter.errors import InvalidSpec, UsageError
from colony_jupyter.notebook.actions import workflows
from colony_jupyter.notebook.actions.submit import specs_of_json
from colony_jupyter.notebook.actions.workflow_feed import WorkflowFeed
from colony_jupyter.notebook.views.terminal import TextView
from colony_jupyter.wire.models import ProcessState

# As in ColonyOS's tutorial on workflows, with its names in any case.
TUTORIAL = """
[
    {
        "nodename": "generate_date",
        "funcname": "execute",
        "kwargs": {"cmd": "date", "args": ["+%s"]},
        "conditions": {"executortype": "cli", "dependencies": []}
    },
    {
        "nodeName": "print_date",
        "funcName": "execute",
        "maxexectime": 100,
        "conditions": {"executortype": "cli", "dependencies": ["generate_date"]}
    }
]
"""


@pytest.fixture
def executor(settings):
    executor = flows.make_executor(settings)
    executor.start()
    yield executor
    executor.stop()


def test_the_json_of_colonyos_is_read():
    first, second = specs_of_json(TUTORIAL)
    assert (first.nodename, first.kwargs["args"], first.maxexectime) == ("generate_date", ["+%s"], -1)
    assert (second.nodename, second.maxexectime) == ("print_date", 100)
    assert second.conditions.dependencies == ["generate_date"]
    assert specs_of_json(f'{{"functionspecs": {TUTORIAL}}}') == [first, second]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[", "The workflow is no JSON"),
        ('{"funcname": "f"}', "list of function specs, in brackets. `%%colony submit` submits a single one"),
        ('[{"nodename": "a"}, 3]', "Function 2 of the workflow: .* must be a JSON object"),
        ('[{"nodname": "a"}]', "Function 1 of the workflow: .* no field 'nodname'. Did you mean 'nodename'"),
    ],
)
def test_the_error_of_a_wrong_workflow_states_where(text, sentence):
    with pytest.raises(InvalidSpec, match=sentence):
        specs_of_json(text)


def test_a_workflow_is_found_by_what_is_typed(colony):
    behind = colony.asynchronous
    first = colony.submit(flows.twenty("absent-x"))
    workflow = cj.Workflow()
    workflow.add("gen", executortype="absent-x")
    second = colony.submit(workflow)
    single = colony.submit("gen", executortype="absent-x")
    names = {"run": first, "member": second["gen"], "pid": second.processgraphid, "single": single}

    def found(word):
        return PORTAL.run(workflows.find, behind, word, names).processgraphid

    assert found("run") == found("$run") == found(first.processgraphid) == first.processgraphid
    assert found("member") == found("pid") == found(second.processgraphid[:12].upper()) == second.processgraphid
    with pytest.raises(cj.WorkflowNotFound):
        found("0" * 64)
    with pytest.raises(UsageError, match="'single' is no workflow"):
        found("single")
    with pytest.raises(UsageError, match=r"No workflow is known whose id begins with 'ffffffffffff'\.|ids begin with"):
        found("f" * 12)
    assert PORTAL.run(workflows.cancel, first.asynchronous).endswith("is cancelled, with its 20 processes.")
    assert PORTAL.run(workflows.cancel, first.asynchronous).endswith("has ended already: CANCELLED.")
    second.cancel()


def follow(run, stream):
    """Follow a run in a terminal to its end."""
    follower = WorkflowFeed(run.asynchronous)
    follower.show_in(TextView("workflow", kind="workflow", stream=stream))
    return follower


def test_a_terminal_has_a_line_for_each_change(colony, executor):
    run = colony.submit(flows.twenty(executor.executortype))
    stream = io.StringIO()
    PORTAL.run(follow(run, stream).follow_to_success)
    lines = stream.getvalue().splitlines()
    short = run.processgraphid[:8]
    assert lines[-1] == "Output: 1066"
    assert f"workflow {short}: SUCCESS" in lines
    assert sum(f": SUCCESS on {executor.name}" in line for line in lines) == 20
    names = [line.split()[1] for line in lines if ": SUCCESS on " in line]
    assert names.index("total:") == 19


def test_those_that_failed_along_name_the_one_that_failed(colony, executor):
    run = colony.submit(flows.twenty(executor.executortype, failing=3))
    stream = io.StringIO()
    with pytest.raises(cj.WorkflowFailed, match=r"node 'number-3' \(fail\) failed: ValueError: no such number$"):
        PORTAL.run(follow(run, stream).follow_to_success)
    text = stream.getvalue()
    assert f"number-3: FAILED on {executor.name}, ValueError: no such number\n" in text
    cause = "failed along: node 'number-3' (fail) failed: ValueError: no such number\n"
    assert f"total: FAILED, {cause}" in text
    assert f"sum-3: FAILED, {cause}" in text
    assert "Failed: node 'number-3' (fail) failed: ValueError: no such number\n" in text


def test_a_waiting_workflow_shows_for_what_and_is_cancelled(colony):
    run = colony.submit(flows.twenty("absent-x"))
    stream = io.StringIO()
    follower = follow(run, stream)
    PORTAL.spawn(follower.follow_to_end)
    while "waiting for an executor of type 'absent-x': none is registered" not in stream.getvalue():
        pass
    follower.callbacks().on_cancel()
    with pytest.raises(cj.WorkflowCancelled):
        PORTAL.run(follower.follow_to_success)
    assert stream.getvalue().endswith("Cancelled.\n")
    assert run.refresh().state is ProcessState.CANCELLED


def test_a_follower_that_is_stopped_leaves_the_workflow_alone(colony):
    run = colony.submit(flows.twenty("absent-x"))
    stream = io.StringIO()
    follower = follow(run, stream)
    PORTAL.call_soon(follower.stop)
    with pytest.raises(asyncio.CancelledError):
        PORTAL.run(follower.follow_to_end)
    assert "Not watched here any longer; the workflow goes on." in stream.getvalue()
    assert run.refresh().state is ProcessState.WAITING
    run.cancel()
