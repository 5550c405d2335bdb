"""A kernel that lacks anywidget: a person is there, and sees a transcript that is refreshed in its place."""

from __future__ import annotations

from feeding import FEED
from notebook_kernel import Notebook

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
