"""What is refused of a workflow before it is sent."""

from __future__ import annotations

import pytest

from colony_jupyter.client.workflows.checks import check_workflow, cycle, order
from colony_jupyter.errors import InvalidSpec
from colony_jupyter.wire.models import Conditions, FunctionSpec, WorkflowSpec


def node(name, *needs):
    return FunctionSpec(funcname="f", nodename=name, conditions=Conditions(dependencies=list(needs)))


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([], "has no functions"),
        ([node("")], r"\(f\) has no nodename"),
        ([node("a"), node("a")], "named 'a': give each"),
        ([node("a", "b"), node("c")], "Node 'a' depends on 'b', which the workflow does not have: a, c"),
        ([node("r"), node("a", "b"), node("b", "a")], "in a circle.*: 'a' after 'b' after 'a'"),
        ([node("a", "a")], "in a circle.*: 'a' after 'a'"),
        ([node("x", "a"), node("a", "b"), node("b", "a")], ": 'a' after 'b' after 'a'"),
        ([node("a", 3)], "not all texts"),
        ([FunctionSpec(nodename="a")], "function name is missing"),
        ([FunctionSpec(funcname="f", nodename="a", priority=60_000)], "priority is 60000"),
    ],
)
def test_a_workflow_that_would_ruin_lists_or_never_start_is_refused(nodes, words):
    with pytest.raises(InvalidSpec, match=words):
        check_workflow(WorkflowSpec(functionspecs=nodes))


def test_a_single_text_of_dependencies_is_named():
    spec = FunctionSpec(funcname="f", nodename="b", conditions=Conditions(dependencies="a"))
    with pytest.raises(InvalidSpec, match=r"use a list, dependencies=\['a'\]"):
        check_workflow(WorkflowSpec(functionspecs=[node("a"), spec]))


def test_a_workflow_in_any_order_is_fine():
    check_workflow(WorkflowSpec(functionspecs=[node("c", "a", "b"), node("b", "a"), node("a")]))


def test_a_dependency_that_is_named_twice_counts_once():
    spec = WorkflowSpec(functionspecs=[node("a"), node("b", "a", "a")])
    check_workflow(spec)
    assert spec.functionspecs[1].conditions.dependencies == ["a"]


def test_only_the_circle_is_named():
    assert cycle({"r": [], "x": ["c"], "a": ["b", "r"], "b": ["c"], "c": ["a"]}) == ["c", "a", "b"]
    assert cycle({"a": [], "b": ["a"]}) == []


def test_the_order_is_that_of_levels():
    assert order({"total": ["a", "b"], "a": ["gone"], "b": [], "x": ["y"], "y": ["x"]}) == ["a", "b", "total"]
