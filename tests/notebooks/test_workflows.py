"""Workflows in the cells of a live kernel, and in a run without a person."""

from __future__ import annotations

import json

WIDGET = "application/vnd.jupyter.widget-view+json"


def cell(*nodes, options=""):
    """Write a cell; a node is its name, its function and the names it depends on."""
    specs = [
        {"nodename": name, "funcname": function, "conditions": {"executortype": "magics-test", "dependencies": needs}}
        for name, function, *needs in nodes
    ]
    return f"%%colony workflow {options}\n{json.dumps(specs, indent=2)}"


GOOD = cell(("one", "gives-back"), ("two", "gives-back"), ("both", "gives-back", "one", "two"), options="-o run")
BAD = cell(("one", "breaks"), ("two", "gives-back", "one"), options="--wait -o run")


def test_a_live_pane_and_the_run(notebook):
    shown = notebook.run(GOOD)
    assert shown.status == "ok", shown.error
    assert shown.value is None
    assert WIDGET in shown.shown[0]
    notebook.until(lambda: "SUCCESS workflow" in shown.transcript)
    assert "both: SUCCESS on magics-test" in shown.transcript
    assert "3/3 " in shown.transcript
    assert "<svg" in shown.shown[-1]["text/html"]
    assert notebook.evaluate("run['both'].input") == [[], {}, [], {}]
    assert notebook.evaluate("list(run.to_pandas().nodename)") == ["one", "two", "both"]
    assert "<svg" in notebook.run("run").value["text/html"]


def test_attached_by_the_run_by_its_id_and_by_a_process(notebook):
    for word in ("run", "run['both'].processgraphid[:10]", "run['one']"):
        notebook.run(f"word = {word}")
        typed = "$word" if word == "run" else notebook.evaluate("str(word)") if "[:10]" in word else "word"
        shown = notebook.run(f"again = %colony workflow {typed}")
        assert shown.status == "ok", shown.error
        notebook.until(lambda shown=shown: "SUCCESS workflow" in shown.transcript)
        assert notebook.evaluate("again.nodes") == ["one", "two", "both"]


def test_a_failure_is_a_sentence(notebook):
    shown = notebook.run(BAD)
    assert shown.status == "error"
    assert "node 'one' (breaks) failed: ValueError: the disk is full" in shown.error
    assert "Traceback" not in shown.error
    assert "two: FAILED, failed along: node 'one' (breaks) failed: ValueError: the disk is full" in shown.transcript
    failed = notebook.run("run['two'].result()")
    assert "failed along with its workflow: node 'one' (breaks) failed" in failed.error


def test_without_a_person_the_cell_waits_and_has_a_transcript_alone(notebook):
    shown = notebook.run(GOOD, headless=True)
    assert shown.status == "ok", shown.error
    assert [WIDGET in data for data in shown.shown] == [False]
    assert shown.transcript.startswith("SUCCESS workflow ")


def test_a_member_is_not_cancelled_alone(notebook):
    waiting = GOOD.replace("magics-test", "absent-type").replace("-o run", "--quiet -o held")
    assert notebook.run(waiting).status == "ok"
    notebook.run("one = held['one']")
    shown = notebook.run("%colony cancel one")
    assert "ColonyOS cancels a workflow only as a whole. `%colony cancel " in shown.error
    shown = notebook.run("%colony cancel held")
    assert "is cancelled, with its 3 processes." in shown.text
    assert notebook.evaluate("held.refresh() and held.state.name") == "CANCELLED"


def test_a_list_for_submit_points_here(notebook):
    shown = notebook.run(GOOD.replace("%%colony workflow -o run", "%%colony submit"))
    assert "`%%colony workflow` submits a list of function specs" in shown.error


def test_what_could_never_end_is_refused(notebook):
    circular = cell(("a", "gives-back", "b"), ("b", "gives-back", "a"))
    assert "in a circle, so none of them would ever start: 'a' after 'b' after 'a'" in notebook.run(circular).error
