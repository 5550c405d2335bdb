"""A kernel that lacks anywidget: a person is there, and sees what is missing and a transcript that is refreshed."""

from __future__ import annotations

from feeding import FEED
from notebook_kernel import Notebook

from colony_jupyter.notebook.views.missing import NO_MODULE

WITHOUT = "import sys; sys.modules['anywidget'] = None"
STREAM = """
view = opened()
running(view)
def work():
    for step in range(1, 301):
        feed(view, "log", f"entry {step}.")
        time.sleep(0.01)
    view.feed(ProcessChange(record(ProcessState.SUCCESS, output=["Task completed!"]), "laptop-7f3a"))
    view.finish()
threading.Thread(target=work).start()
"""


def test_the_output_is_changed_in_place_and_bounded():
    with Notebook() as notebook:
        notebook.run(WITHOUT)
        assert notebook.run(FEED).status == "ok"
        cell = notebook.run(STREAM)
        assert cell.status == "ok", cell.error
        notebook.until(lambda: "Task completed!" in cell.transcript)
        [shown] = cell.shown
        assert sorted(shown) == ["text/html", "text/plain"]
        assert "entry 300." in cell.transcript
        assert "100 earlier rows are not in this transcript" in cell.transcript
        # Shown, refreshed every two seconds at most, and at the end.
        updates = [each for each in notebook.heard if '"update_display_data"' in each]
        assert 1 <= len(updates) <= 4


def test_a_notebook_is_informed_once_and_a_console_and_a_program_are_not():
    with Notebook() as notebook:
        notebook.run(WITHOUT)
        assert notebook.run(FEED).status == "ok"
        for how in ({}, {"cell_id": "program", "headless": True}):
            [shown] = notebook.run("view = opened(); view.close()", **how).shown
            assert NO_MODULE not in shown["text/plain"]
        statement, transcript = notebook.run("view = opened(); view.close()", cell_id="first").shown
        assert statement["text/plain"].startswith(NO_MODULE)
        assert NO_MODULE not in transcript["text/plain"]
        assert len(notebook.run("view = opened(); view.close()", cell_id="second").shown) == 1
