"""The live pane: what a page asks for and is sent, and what its widget is in a file, where no page shows it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from colony_jupyter.notebook.formats.transcript_html import bundle
from colony_jupyter.notebook.model.changes import NewEntries, ProcessChange, TextRefused
from colony_jupyter.notebook.views.base import PaneCallbacks
from colony_jupyter.notebook.views.pane import Pane
from colony_jupyter.wire.models import ProcessState

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def pane():
    pane = Pane("long-task")
    yield pane
    pane.close()


@pytest.fixture
def book(pane, make, clock):
    """A notebook whose cell has the outputs that JupyterLab saves: the widget's and the transcript's."""
    pane.feed(ProcessChange(make.record(ProcessState.RUNNING), "laptop-7f3a"))
    pane.feed(NewEntries("progress", [make.entry("Processing step 1/3")], make.names, make.me))
    pane.flush()
    widget, _ = pane.widget._repr_mimebundle_()
    assert VIEW in widget
    import nbformat  # takes 2 s, for which each worker would wait before the first test

    outputs = [nbformat.v4.new_output("display_data", data=data) for data in (widget, bundle(pane.model, clock()))]
    cell = nbformat.v4.new_code_cell("run()", outputs=outputs)
    # As it is after saving and opening.
    return nbformat.reads(nbformat.writes(nbformat.v4.new_notebook(cells=[cell])), 4)


@pytest.mark.parametrize("exporter", ["HTMLExporter", "MarkdownExporter"])
def test_a_static_page_shows_the_transcript_alone(book, exporter):
    import nbconvert  # likewise

    page, _ = getattr(nbconvert, exporter)().from_notebook_node(book)
    assert "Processing step 1/3" in page
    assert "pane of" not in page
    assert "<pre></pre>" not in page
    assert "PaneWidget" not in page


class Page:
    """A page that shows a pane: what it asks for, and what it is sent.

    Args:
        callbacks: what the pane's controls do.
    """

    def __init__(self, callbacks: PaneCallbacks | None = None) -> None:
        self.pane = Pane("long-task", callbacks=callbacks, now=lambda: 1_795_000_000.0)
        self.sent: list[dict[str, Any]] = []
        self.parts: list[bytes] = []
        self.pane.widget.send = self._receive

    def _receive(self, _content: Any, buffers: list[bytes]) -> None:
        self.sent.append(msgspec.json.decode(buffers[0]))
        self.parts = buffers[1:]

    def ask(self, do: str, **content: Any) -> dict[str, Any]:
        """Ask for something; return the answer."""
        self.pane._on_message(None, {"do": do, "ref": 7, **content}, [])
        return self.sent[-1]

    def faults(self) -> list[str]:
        with self.pane._reading() as model:
            return [row.text for row in model.store if row.kind == "fault"]


@pytest.fixture
def page_with(make):
    """Make a page whose pane has a running process, and entries with these texts."""
    made = []

    def page_with(*texts, callbacks=None):
        page = Page(callbacks)
        made.append(page)
        page.pane.feed(ProcessChange(make.record(ProcessState.RUNNING), "laptop-7f3a"))
        page.pane.feed(NewEntries("progress", [make.entry(text) for text in texts], make.names, make.me))
        return page

    yield page_with
    for page in made:
        page.pane.close()


def texts(answer):
    """The texts of the rows in an answer; the codec's own tests unpack the rest."""
    return [row[4] for row in answer["rows"]["rows"]]


def test_a_page_that_comes_late_gets_everything_from_a_row_on(page_with):
    page = page_with("one", "two", "three")
    answer = page.ask("fresh", next=1)
    assert answer["answer"] == 7
    assert texts(answer) == ["two", "three"]
    assert answer["head"]["state"] == "RUNNING"
    assert texts(msgspec.json.decode(page.pane.snapshot()))[-3:] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"first": 0, "end": 2}, ["one", "two"]),
        ({"before": 2, "count": 2}, ["one", "two"]),
        ({"after": 0, "count": 1}, ["two"]),
        ({"before": 4, "channel": "other"}, []),
    ],
)
def test_rows_are_sent_by_number_and_before_and_after_another(page_with, asked, expected):
    assert texts(page_with("one", "two", "three").ask("rows", **asked)) == expected


def test_a_search_gives_the_rows_and_their_number(page_with):
    answer = page_with("one", "two", "three").ask("search", words="tw")
    assert (answer["count"], texts(answer)) == (1, ["two"])


def test_a_long_text_is_sent_whole_and_bytes_as_they_are(page_with):
    page = page_with("x" * 50_000, b"\xff\x00")
    answer = page.ask("whole", row=0)
    assert (answer["text"], answer["all"]) == ("x" * 50_000, 50_000)
    page.ask("payload", row=1)
    assert page.parts == [b"\xff\x00"]
    page.ask("payload", row=0)
    assert page.parts == [b"x" * 50_000]


def test_the_log_is_given_as_json_lines_and_as_text(page_with):
    page = page_with("one", "two")
    page.ask("lines", form="json")
    (lines,) = page.parts
    assert [msgspec.json.decode(line)["text"] for line in lines.splitlines()] == ["one", "two"]
    page.ask("lines", form="text")
    (text,) = page.parts
    assert text.decode().splitlines()[-1] == "laptop-7f3a\ttwo"


def test_the_points_of_a_plot_are_sent(page_with):
    page = page_with('{"loss": 4}', '{"loss": 2}')
    answer = page.ask("plot", channel="progress", x="")
    assert [line["key"] for line in answer["plot"]["lines"]] == ["loss"]
    assert len(page.parts) == 1


def test_a_typed_text_is_given_to_the_callback_and_confirmed(page_with):
    typed = []
    page = page_with(callbacks=PaneCallbacks(on_send=lambda *text: typed.append(text)))
    assert page.ask("send", channel="chat", text="hello") == {"received": 7}
    assert typed == [("chat", "hello")]
    assert page.faults() == []


def refuse(channel, text):
    raise ValueError("the kernel shuts down")


@pytest.mark.parametrize(
    ("callbacks", "is_finished", "why"),
    [
        (PaneCallbacks(on_send=refuse), False, "the kernel shuts down"),
        (PaneCallbacks(on_send=lambda channel, text: None), True, "This pane accepts no more input."),
        (None, False, "This pane accepts no more input."),
    ],
)
def test_a_typed_text_that_is_refused_goes_back_to_the_page(page_with, callbacks, is_finished, why):
    page = page_with(callbacks=callbacks)
    if is_finished:
        page.pane.finish()
    assert page.ask("send", channel="chat", text="hello") == {"received": 7}
    assert {"refused": "hello", "channel": "chat"} in page.sent
    assert page.faults() == [why]


def test_controls_call_what_they_are_for_and_nothing_else(page_with):
    called = []
    callbacks = PaneCallbacks(on_cancel=lambda: called.append("cancel"), on_open=called.append)
    page = page_with(callbacks=callbacks)
    assert page.pane.widget.controls == ["on_cancel", "on_open"]
    for name in ("on_cancel", "on_end_chat", "on_send", "close"):
        assert page.ask("call", name=name) == {"received": 7}
    assert page.ask("open", pid="a" * 64) == {"received": 7}
    assert called == ["cancel", "a" * 64]


@pytest.mark.parametrize("content", [{"do": "nothing we know"}, {"do": "whole", "row": 99}, {"do": "send"}])
def test_a_message_that_cannot_be_carried_out_shows_an_error_in_the_pane(page_with, content):
    page = page_with("one")
    page.pane._on_message(None, {"ref": 7, **content}, [])
    assert len(page.faults()) == 1


def test_a_closed_pane_sends_nothing(page_with):
    page = page_with("one")
    page.pane.close()
    page.pane._on_message(None, {"do": "whole", "row": 1, "ref": 7}, [])
    page.pane.feed(TextRefused("chat", "hello", "too late"))
    assert page.sent == []
