"""Notebooks that a program runs hold readable transcripts and no widgets."""

from __future__ import annotations

import asyncio

import nbformat
import pytest
from feeding import FEED
from nbconvert import HTMLExporter

from tools.transcripts import run

STREAM = """
view = opened(title="long-task")
running(view)
for step in range(1, 4):
    feed(view, "progress", f"Processing step {step}/3")
view.feed(ProcessChange(record(ProcessState.SUCCESS, output=["Task completed!"]), "laptop-7f3a"))
view.finish()
"""

LATER = """
late = opened(title="later")
running(late)
"""

AFTER = """
feed(late, "progress", "after its cell had finished")
late.finish()
"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    cells = [nbformat.v4.new_code_cell(source) for source in (FEED, STREAM, LATER, AFTER)]
    book = nbformat.v4.new_notebook(cells=cells)
    asyncio.run(run(book, seconds=60, folder=tmp_path_factory.mktemp("notebook")))
    return book


def test_a_cell_holds_its_transcript_alone(executed):
    [output] = executed.cells[1].outputs
    assert sorted(output.data) == ["text/html", "text/plain"]
    lines = output.data["text/plain"].splitlines()
    assert lines[0] == "SUCCESS long-task 424d6828 on laptop-7f3a"
    assert lines[1] == f"3/3 ▕{'█' * 30}▏ 100 %"
    assert [line.split("  ", 1)[1] for line in lines[2:5]] == [
        f"laptop-7f3a  Processing step {step}/3" for step in (1, 2, 3)
    ]
    assert lines[5] == 'Output: "Task completed!"'


def test_it_is_written_also_after_its_cell_has_finished(executed):
    assert "after its cell had finished" in executed.cells[2].outputs[0].data["text/plain"]
    assert executed.cells[3].outputs == []


def test_no_widgets_are_in_the_file(executed):
    assert "widgets" not in executed.metadata
    assert "widget-view" not in nbformat.writes(executed)


def test_converted_it_can_be_read(executed):
    page, _ = HTMLExporter().from_notebook_node(executed)
    assert "Processing step 3/3" in page
    assert "<script>view" not in page
