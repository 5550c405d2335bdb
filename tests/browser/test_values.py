"""Values of cells: tables and graphs, as people see them."""

import pytest
from playwright.sync_api import expect

VALUES = """
from colony_jupyter.notebook.graph import Graph, Workflows
from colony_jupyter.notebook import tables
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
