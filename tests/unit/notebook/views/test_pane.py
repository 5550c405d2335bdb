"""What the pane's widget is in a notebook's file, where no widget manager shows it."""

from __future__ import annotations

import nbformat
import pytest
from nbconvert import HTMLExporter, MarkdownExporter

from colony_jupyter.notebook.formats.transcript_html import bundle
from colony_jupyter.notebook.views.pane import Pane
from colony_jupyter.wire.models import ProcessState

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def pane():
    pane = Pane("long-task")
    yield pane
    pane.close()


def output(data):
    return nbformat.v4.new_output("display_data", data=data)


@pytest.fixture
def book(pane, make, clock):
    """A notebook whose cell has the outputs that JupyterLab saves: the widget's and the transcript's."""
    pane.process(make.record(ProcessState.RUNNING), "laptop-7f3a")
    pane.entries("progress", [make.entry("Processing step 1/3")], make.names, make.me)
    pane.flush()
    widget, _ = pane.widget._repr_mimebundle_()
    assert VIEW in widget
    cell = nbformat.v4.new_code_cell("run()", outputs=[output(widget), output(bundle(pane.model, clock()))])
    # As it is after saving and opening.
    return nbformat.reads(nbformat.writes(nbformat.v4.new_notebook(cells=[cell])), 4)


@pytest.mark.parametrize("exporter", [HTMLExporter, MarkdownExporter])
def test_a_static_page_shows_the_transcript_alone(book, exporter):
    page, _ = exporter().from_notebook_node(book)
    assert "Processing step 1/3" in page
    assert "pane of" not in page
    assert "<pre></pre>" not in page
    assert "PaneWidget" not in page
