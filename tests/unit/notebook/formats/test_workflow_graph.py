"""Workflows drawn as graphs."""

from xml.etree import ElementTree as ET

import pytest

from colony_jupyter.notebook.formats.tables import COLOURS, workflows
from colony_jupyter.notebook.formats.workflow_graph import MOST, Graph, Workflows
from colony_jupyter.wire.models import FunctionSpec, ProcessState, Workflow

HOSTILE = "</text><script>x</script>\u202e\x1b[2J"
STATES = {"a": ProcessState.SUCCESS, "b": ProcessState.RUNNING, "c": ProcessState.FAILED, "d": ProcessState.WAITING}
CHILDREN = {"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}


@pytest.fixture
def diamond(make):
    records = [
        make.record(state, processid=one, children=CHILDREN[one], spec=FunctionSpec(nodename=f"node-{one}"))
        for one, state in STATES.items()
    ]
    return Graph(Workflow(processgraphid="f" * 64, processids=["d", "c", "b", "a"]), records)


def drawn(graph):
    return ET.fromstring(graph._repr_html_())


def test_each_stands_behind_all_it_depends_on(diamond):
    assert {node.processid: node.column for node in diamond.nodes} == {"a": 0, "b": 1, "c": 1, "d": 2}


def test_states_are_coloured_and_written(diamond):
    boxes = drawn(diamond).findall(".//g")
    assert {(box.find("rect").get("stroke"), box.findall("text")[1].text) for box in boxes} == {
        (COLOURS[state], state.name) for state in STATES.values()
    }
    assert len({(box.find("rect").get("x"), box.find("rect").get("y")) for box in boxes}) == len(boxes)


def test_as_text(diamond):
    head, *lines = repr(diamond).splitlines()
    assert head == "Workflow ffffffff: WAITING, processes: 4"
    assert lines[0] == "  node-a  SUCCESS"
    assert lines[-1] == "      node-d  WAITING  after node-c, node-b"


def test_a_workflow_without_members_is_drawn_by_its_record():
    nodes = [{"id": one, "data": {"label": one.upper() * 3}} for one in "ab"]
    graph = Graph(
        Workflow(processgraphid="f", processids=["a", "b"], nodes=nodes, edges=[{"source": "a", "target": "b"}])
    )
    assert [(node.label, node.column) for node in graph.nodes] == [("AAA", 0), ("BBB", 1)]


def test_a_cycle_is_drawn_too():
    edges = [{"source": "a", "target": "b"}, {"source": "b", "target": "a"}, {"source": "a", "target": "elsewhere"}]
    graph = Graph(Workflow(processgraphid="f", processids=["a", "b"], edges=edges))
    assert len(drawn(graph).findall(".//g")) == 2
    assert graph.edges == [("a", "b"), ("b", "a")]


def test_too_large_ones_are_summed_up_by_number():
    graph = Graph(Workflow(processgraphid="f", processids=[str(number) for number in range(MOST + 1)]))
    assert repr(graph) == f"Workflow f: WAITING, processes: {MOST + 1}"
    assert drawn(graph).find(".//svg") is None


def test_nothing_breaks_out(make):
    record = make.record(ProcessState.FAILED, processid=HOSTILE, spec=FunctionSpec(nodename=HOSTILE))
    found = Workflow(processgraphid=HOSTILE, processids=[HOSTILE, "x"], nodes=[{"id": "x", "data": {"label": HOSTILE}}])
    graph = Graph(found, [record])
    shown = Workflows(workflows([found]), [graph])
    assert "<script" not in shown._repr_html_()
    assert "\x1b" not in repr(shown)
    assert "\u202e" not in repr(shown) + shown._repr_html_()
    assert drawn(graph).find(".//script") is None
