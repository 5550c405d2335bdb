"""Values of cells: tables and graphs, as people see them."""

import re

import pytest
from playwright.sync_api import expect

VALUES = """
from colony_jupyter.notebook.formats.workflow_graph import Graph, Workflows
from colony_jupyter.notebook.formats import tables
from colony_jupyter.wire.models import Workflow
states = list(ProcessState)
children = {"a": ["b", "c"], "b": ["d"], "c": ["d", "e"], "d": [], "e": []}
records = [
    ProcessRecord(processid=one * 64, state=state, children=[child * 64 for child in children[one]],
                  spec=FunctionSpec(funcname="f", nodename=f"<b>step</b> {one}"))
    for one, state in zip("abcde", states)
]
found = Workflow(processgraphid="f" * 64, processids=[one * 64 for one in "abcde"], submissiontime=SUBMITTED)
Workflows(tables.workflows([found]), [Graph(found, records)])
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_workflow_is_drawn(notebook, theme):
    book = notebook(VALUES, theme=theme)
    book.run(1)
    cell = book.cell(1)
    expect(cell.locator("svg[role=img] rect")).to_have_count(5)
    for state in ("WAITING", "RUNNING", "SUCCESS", "FAILED", "CANCELLED"):
        expect(cell.locator("svg[role=img] text", has_text=state)).to_be_visible()
    expect(cell.locator("svg[role=img]")).to_contain_text("<b>step</b> a")
    book.shot(f"workflow-{theme}", 1)


TABLES = """
from IPython.display import display
from colony_jupyter.notebook.formats import tables
from colony_jupyter.wire.models import ExecutorRecord, Function, Log
records = [record(state, output=["<i>ok</i>"]) for state in ProcessState]
display(tables.processes(records, {"e" * 64: "laptop-7f3a"}), tables.process(records[2], "laptop-7f3a"))
display(tables.entries([entry("Processing step 1/10"), entry("<b>no</b>", kind="error")], {"e" * 64: "laptop-7f3a"}))
executor = ExecutorRecord(executorid="e" * 64, executortype="cli", executorname="laptop-7f3a", colonyname="dev")
display(tables.executors([executor]), tables.functions([Function(funcname="f", description="says <b>it</b>")]))
log = Log(processid="a" * 64, colonyname="dev", executorname="laptop-7f3a", message="begun", timestamp=1)
display(tables.logs([log]))
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lists_are_tables_with_times_of_the_place_and_the_exact_ones_on_hover(notebook, theme):
    book = notebook(TABLES, theme=theme)
    book.run(1)
    found = book.cell(1).locator("table")
    expect(found).to_have_count(6)
    assert "<b>no</b>" in found.nth(2).inner_text()
    times = book.cell(1).locator("table [title]").evaluate_all("cells => cells.map(cell => cell.title)")
    assert [title for title in times if re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$", title)]
    colours = found.first.locator("b, [style*=color]").evaluate_all(
        "cells => cells.map(cell => getComputedStyle(cell).color)"
    )
    assert len(set(colours)) >= 4  # each state has its own colour
    book.shot(f"tables-{theme}", 1)
