"""Building workflows in Python."""

from __future__ import annotations

import pytest

import colony_jupyter as cj
from colony_jupyter.errors import InvalidSpec
from colony_jupyter.wire.models import Conditions, FunctionSpec


def test_nodes_have_names_dependencies_and_conditions():
    workflow = cj.Workflow()
    first = workflow.add("gen", 3, executortype="cli")
    second = workflow.add("gen", nodename="more", kwargs={"a": 1}, executortype="cli", channels=["log"], label="x")
    workflow.add(
        "sum",
        after=[first, "more"],
        conditions=cj.Conditions(executortype="hpc", gpu=cj.Gpu(count=1), walltime=60),
        executornames=["one"],
        maxexectime=30,
    )
    gen, more, total = workflow.spec("dev").functionspecs
    assert (str(first), first.nodename, second.nodename) == ("gen", "gen", "more")
    assert (gen.nodename, gen.args, gen.conditions.dependencies) == ("gen", [3], [])
    assert (more.funcname, more.kwargs, more.channels, more.label) == ("gen", {"a": 1}, ["log"], "x")
    assert total.conditions.dependencies == ["gen", "more"]
    assert (total.conditions.executortype, total.conditions.gpu.count, total.conditions.walltime) == ("hpc", 1, 60)
    assert (total.conditions.executornames, total.maxexectime) == (["one"], 30)
    assert workflow["more"] is second
    assert repr(workflow) == "<Workflow of 3 functions>\n  gen\n  more (gen)\n  sum after gen, more"


def test_what_is_sent_is_a_copy():
    workflow = cj.Workflow()
    node = workflow.add("gen", [1], executortype="cli")
    workflow.spec("dev").functionspecs[0].args[0].append(2)
    assert node.spec.args == [[1]]
    conditions = Conditions(executortype="cli")
    workflow.add("sum", after=node, conditions=conditions)
    assert conditions.dependencies == []


def test_a_single_node_and_a_whole_spec_are_accepted():
    workflow = cj.Workflow()
    first = workflow.add(FunctionSpec(funcname="gen", nodename="first", conditions=Conditions(executortype="cli")))
    second = workflow.add("sum", executortype="cli", after=first)
    workflow.add("end", executortype="cli", after=second.nodename)
    assert [each.conditions.dependencies for each in workflow.spec("dev").functionspecs] == [[], ["first"], ["sum"]]


def test_a_python_function_is_sent_with_its_source():
    def double(value):
        return value * 2

    workflow = cj.Workflow()
    node = workflow.add(double, 4, executortype="python-executor")
    assert (node.nodename, node.spec.args) == ("double", [4])
    assert "code" in node.spec.env
    with pytest.raises(InvalidSpec, match="executortype is missing"):
        workflow.add(double, 4, nodename="again")
    workflow.add(double, 4, nodename="again", conditions=Conditions(executortype="python-executor"))


def test_a_second_node_of_a_name_is_refused_with_a_free_name():
    workflow = cj.Workflow()
    workflow.add("gen", executortype="cli")
    workflow.add("gen", executortype="cli", nodename="gen-2")
    with pytest.raises(InvalidSpec, match=r"a node 'gen' already.*nodename='gen-3'"):
        workflow.add("gen", executortype="cli")


def test_a_node_of_another_workflow_is_refused():
    other = cj.Workflow().add("gen", executortype="cli")
    with pytest.raises(InvalidSpec, match="'gen' belongs to another workflow"):
        cj.Workflow().add("sum", executortype="cli", after=[other])


@pytest.mark.parametrize("after", [5, None, [5], [None]])
def test_what_is_no_node_is_refused(after):
    with pytest.raises(InvalidSpec, match=r"after has (5|None): nodes or names of nodes are needed"):
        cj.Workflow().add("f", executortype="cli", after=after)


def test_a_dependency_that_is_given_twice_is_one():
    workflow = cj.Workflow()
    gen = workflow.add("gen", executortype="cli")
    assert workflow.add("sum", executortype="cli", after=[gen, "gen"]).spec.conditions.dependencies == ["gen"]
    assert repr(workflow).endswith("sum after gen")


def test_an_unknown_node_is_named_with_those_there_are():
    workflow = cj.Workflow()
    with pytest.raises(InvalidSpec, match=r"no node 'x'\. It has: none yet"):
        workflow["x"]
    workflow.add("gen", executortype="cli")
    with pytest.raises(InvalidSpec, match=r"no node 'x'\. It has: gen"):
        workflow["x"]


def test_specs_as_colonyos_has_them():
    specs = [
        FunctionSpec(funcname="gen", nodename="a"),
        FunctionSpec(funcname="gen", nodename="b", conditions=Conditions(dependencies=["a"])),
    ]
    assert cj.Workflow.of(specs).spec("").functionspecs == specs
    with pytest.raises(InvalidSpec, match="has no nodename"):
        cj.Workflow.of([FunctionSpec(funcname="gen")])
