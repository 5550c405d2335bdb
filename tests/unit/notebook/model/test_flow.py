"""What a pane knows of a workflow."""

from __future__ import annotations

import msgspec
import pytest

from colony_jupyter.notebook.formats.transcript_html import bundle
from colony_jupyter.notebook.model.changes import Fault, MemberPane, Note, WorkflowChange
from colony_jupyter.notebook.model.flow import DRAWN
from colony_jupyter.notebook.model.pane_model import PaneModel
from colony_jupyter.wire.models import Conditions, FunctionSpec, ProcessState, Workflow

W = "f" * 64
START, END = "2026-11-28T10:00:00Z", "2026-11-28T10:00:03Z"
HOSTILE = "</text><script>x</script>\u202e"


@pytest.fixture
def member(make):
    """Make a member: its name, state, and what it depends on."""

    def member(name, state=ProcessState.WAITING, after=(), children=(), **fields):
        if state is not ProcessState.WAITING:
            fields.setdefault("starttime", START)
        else:
            fields.setdefault("assignedexecutorid", "")
        if state.is_closed:
            fields.setdefault("endtime", END)
        return make.record(
            state,
            processid=name,
            processgraphid=W,
            parents=list(after),
            children=list(children),
            spec=FunctionSpec(funcname="work", nodename=name, conditions=Conditions(dependencies=list(after))),
            **fields,
        )

    return member


@pytest.fixture
def shown(make, clock):
    """Show members in a model and give it."""
    model = PaneModel("workflow", "workflow", clock)

    def shown(state, *members):
        model.feed(WorkflowChange(Workflow(processgraphid=W, state=state, starttime=START), members, make.names, ""))
        return model

    return shown


def flow(model):
    return model.snapshot()["head"]["flow"]


def test_a_graph_with_states_executors_and_durations(shown, member, clock, make):
    clock.at = 1795860005.0  # 2026-11-28T10:00:05Z
    model = shown(
        ProcessState.RUNNING,
        member("a", ProcessState.SUCCESS, children=["c"]),
        member("b", ProcessState.RUNNING, children=["c"]),
        member("c", after=["a", "b"], waitforparents=True),
    )
    nodes = {node["name"]: node for node in flow(model)["nodes"]}
    assert [(nodes[name]["column"], nodes[name]["row"]) for name in "abc"] == [(0, 0), (0, 1), (1, 0)]
    assert [nodes[name]["state"] for name in "abc"] == ["SUCCESS", "RUNNING", "WAITING"]
    assert [nodes[name]["executor"] for name in "abc"] == ["laptop-7f3a", "laptop-7f3a", ""]
    assert [nodes[name]["took"] for name in "abc"] == [3.0, 5.0, None]
    assert flow(model)["edges"] == [("a", "c"), ("b", "c")]
    head = model.snapshot()["head"]
    assert (head["title"], head["pid"], head["state"]) == ("workflow", W, "RUNNING")


def test_the_bar_counts_members(shown, member):
    model = shown(
        ProcessState.RUNNING, member("a", ProcessState.SUCCESS), member("b", ProcessState.RUNNING), member("c")
    )
    progress = model.snapshot()["progress"]
    assert (progress["label"], progress["x"]) == ("1/3", "1 running, 1 waiting")
    assert progress["fraction"] == pytest.approx(1 / 3)


def test_reasons_of_what_failed_and_of_what_failed_along(shown, member):
    failed = member("a", ProcessState.FAILED, children=["b"], errors=["ValueError: full", "line 3"])
    model = shown(ProcessState.FAILED, failed, member("b", ProcessState.FAILED, after=["a"], errors=[], endtime=""))
    reasons = {node["name"]: node["reason"] for node in flow(model)["nodes"]}
    assert reasons == {"a": "ValueError: full", "b": "failed along: node 'a' (work) failed: ValueError: full"}
    result = model.snapshot()["result"]
    assert (result["label"], result["x"]) == ("Failed", "node 'a' (work) failed: ValueError: full")
    assert result["more"].endswith("line 3")
    lines = [row.line for row in model.store]
    assert lines == [
        "a: FAILED on laptop-7f3a, ValueError: full",
        "b: FAILED on laptop-7f3a, failed along: node 'a' (work) failed: ValueError: full",
    ]


def test_one_that_failed_along_waits_for_the_reason(shown, member):
    along = member("b", ProcessState.FAILED, after=["a"], errors=[])
    model = shown(ProcessState.FAILED, member("a", ProcessState.RUNNING), along)
    assert [row.line for row in model.store] == ["a: RUNNING on laptop-7f3a"]
    assert model.snapshot()["head"]["state"] == "RUNNING"  # not all of it has ended
    shown(ProcessState.FAILED, member("a", ProcessState.FAILED, errors=None), along)
    assert [row.line for row in model.store][1:] == [
        "a: FAILED on laptop-7f3a",
        "b: FAILED on laptop-7f3a, failed along: node 'a' (work) failed without a reason",
    ]


def test_the_output_is_that_of_the_last_ones(shown, member):
    first = member("a", ProcessState.SUCCESS, output=[1], children=["b"])
    model = shown(ProcessState.SUCCESS, first, member("b", ProcessState.SUCCESS, output=[2, 3]))
    assert model.result.text == "[2,3]"
    model = shown(
        ProcessState.SUCCESS,
        member("a", ProcessState.SUCCESS, output=[1]),
        member("b", ProcessState.SUCCESS, output=["x"]),
    )
    assert model.result.table == (["node", "output"], [["a", "1"], ["b", "x"]])


def test_a_transcript_has_the_graph_and_the_changes(shown, member, clock):
    model = shown(ProcessState.RUNNING, member("a", ProcessState.RUNNING, children=["b"]), member("b", after=["a"]))
    forms = bundle(model, clock())
    assert "<svg" in forms["text/html"]
    assert "1 running" not in forms["text/plain"]
    assert forms["text/plain"].splitlines()[0] == "RUNNING workflow ffffffff"
    lines = forms["text/plain"].splitlines()
    assert lines[2].startswith("a: RUNNING on laptop-7f3a, ")
    assert lines[3] == "b: WAITING"


def test_remarks_and_the_open_member_are_in_the_head(shown, member):
    model = shown(ProcessState.RUNNING, member("a", ProcessState.RUNNING))
    model.feed(Note("Not watched here any longer."))
    model.feed(Fault("No."))
    model.feed(MemberPane("a", "widget-1"))
    head = model.snapshot()["head"]
    assert head["remarks"] == [("note", "Not watched here any longer."), ("fault", "No.")]
    assert head["flow"]["opened"] == ("a", "widget-1")
    model.feed(MemberPane("", ""))
    assert flow(model)["opened"] is None


def test_a_large_workflow_is_drawn_in_part_and_hostile_names_are_text(shown, member):
    model = shown(ProcessState.RUNNING, *(member(f"{HOSTILE}{at}") for at in range(DRAWN + 5)))
    drawn = flow(model)
    assert (len(drawn["nodes"]), drawn["count"]) == (DRAWN, DRAWN + 5)
    assert b"\\u202e" not in msgspec.json.encode(drawn)
    assert "\u202e" not in str(drawn["nodes"][0]["name"])
