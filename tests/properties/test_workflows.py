"""Random graphs: what is refused, what the circle is, and the order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony_jupyter.client.workflows.checks import check_workflow, cycle, order
from colony_jupyter.client.workflows.failures import failed_along, failed_first
from colony_jupyter.errors import InvalidSpec
from colony_jupyter.wire.models import Conditions, FunctionSpec, ProcessRecord, ProcessState, WorkflowSpec

NAMES = st.integers(0, 7).map(lambda at: f"n{at}")
GRAPHS = st.dictionaries(NAMES, st.lists(NAMES, max_size=4), max_size=8)
"""The nodes that each node depends on, which may be unknown, circular and named twice."""


@st.composite
def acyclic(draw):
    """Draw a graph without a circle, in any order."""
    names = draw(st.lists(NAMES, unique=True, min_size=1, max_size=8))
    graph = {
        name: draw(st.lists(st.sampled_from(names[:at]), unique=True)) if at else [] for at, name in enumerate(names)
    }
    return dict(draw(st.permutations(list(graph.items()))))


def spec(graph):
    return WorkflowSpec(
        functionspecs=[
            FunctionSpec(funcname="f", nodename=name, conditions=Conditions(dependencies=list(needs)))
            for name, needs in graph.items()
        ]
    )


def reaches_itself(graph, name):
    seen, ahead = set(), list(graph[name])
    while ahead:
        at = ahead.pop()
        if at not in seen:
            seen.add(at)
            ahead += graph[at]
    return name in seen


@given(GRAPHS)
def test_a_workflow_is_refused_if_and_only_if_it_could_not_end(graph):
    unknown = any(need not in graph for needs in graph.values() for need in needs)
    circular = not unknown and any(reaches_itself(graph, name) for name in graph)
    if not graph or unknown or circular:
        with pytest.raises(InvalidSpec, match=r"no functions|does not have|in a circle"):
            check_workflow(spec(graph))
    else:
        check_workflow(spec(graph))


@given(GRAPHS)
def test_the_circle_that_is_named_is_one(graph):
    graph = {name: [need for need in needs if need in graph] for name, needs in graph.items()}
    found = cycle(graph)
    assert bool(found) == any(reaches_itself(graph, name) for name in graph)
    assert len(set(found)) == len(found)
    for name, after in zip(found, [*found[1:], *found[:1]], strict=True):
        assert after in graph[name]


@given(acyclic())
def test_each_node_comes_after_what_it_depends_on(graph):
    placed = order(graph)
    assert sorted(placed) == sorted(graph)
    for name, needs in graph.items():
        assert all(placed.index(need) < placed.index(name) for need in needs)


@given(GRAPHS)
def test_the_order_has_all_but_circles_and_what_depends_on_them(graph):
    known = {name: [need for need in needs if need in graph] for name, needs in graph.items()}
    placed = order(graph)

    def stuck(name):
        seen, ahead = set(), [name]
        while ahead:
            at = ahead.pop()
            if at not in seen:
                seen.add(at)
                ahead += known[at]
        return any(reaches_itself(known, at) for at in seen)

    assert set(placed) == {name for name in graph if not stuck(name)}


MEMBERS = st.lists(
    st.builds(
        ProcessRecord,
        processid=st.just("p"),
        processgraphid=st.just("w"),
        state=st.sampled_from(ProcessState),
        errors=st.one_of(st.none(), st.lists(st.text(), max_size=2)),
    )
)


@given(MEMBERS)
def test_a_failed_process_failed_by_itself_or_along(members):
    first = failed_first(members)
    for each in members:
        assert (each.state is ProcessState.FAILED) == (any(each is one for one in first) or failed_along(each))
        assert not (failed_along(each) and any(each is one for one in first))
