"""Interrupting what waits: the prompt is back at once, nothing is left, and the process goes on."""

from __future__ import annotations

import time

import pytest
from interrupting import at_rest, interrupted, nothing_is_left, prepare, soon


@pytest.fixture(autouse=True)
def warm(notebook):
    """The first pane brings what stays with the kernel: modules, threads of theirs, an HTTP connection."""
    prepare(notebook)
    notebook.run("%colony submit steps 1 --channel progress --type magics-test --wait")


@pytest.mark.parametrize(
    "line",
    [
        "%colony submit long-task --type absent-type --channel progress log --wait -o p",
        "%colony submit long-task --type absent-type --wait --quiet -o p",
    ],
)
def test_waiting_for_a_process(notebook, line):
    before = at_rest(notebook)

    def waits(cell):
        came = "begun" in cell.text and ("quiet" in line or "none is registered" in cell.transcript)
        if came:
            time.sleep(0.3)
        return came

    cell = soon(lambda: interrupted(notebook, lambda: notebook.start(f"print('begun', flush=True)\n{line}"), waits))
    assert cell.status == "error"
    assert cell.error.startswith("Interrupted. long-task (")
    assert "goes on: `%colony watch" in cell.error
    nothing_is_left(notebook, before)
    assert notebook.evaluate("p.refresh().state.name") == "WAITING"
    assert "is cancelled" in notebook.run("%colony cancel p").text


def test_a_pane_that_ended_leaves_nothing(notebook):
    before = at_rest(notebook)
    cell = notebook.run("%colony submit steps 2 --channel progress --type magics-test")
    notebook.until(lambda: "SUCCESS" in cell.transcript)
    nothing_is_left(notebook, before)


def test_running_a_cell_again_ends_what_its_pane_was_fed_by(notebook):
    before = at_rest(notebook)
    cell = notebook.run("%colony submit long-task --type absent-type --channel progress -o p", cell_id="one")
    notebook.until(lambda: "none is registered" in cell.transcript)
    notebook.run("%colony submit steps 1 --channel progress --type magics-test --wait", cell_id="one")
    nothing_is_left(notebook, before)
    assert notebook.evaluate("p.refresh().state.name") == "WAITING"
    assert "is cancelled" in notebook.run("%colony cancel p").text
