"""The view that fits where this runs."""

from __future__ import annotations

import sys

import pytest

from colony_jupyter.notebook.model.board import Board
from colony_jupyter.notebook.session.request import is_headless
from colony_jupyter.notebook.views import choose
from colony_jupyter.notebook.views.board import BoardView
from colony_jupyter.notebook.views.choose import open_board, open_text, open_view
from colony_jupyter.notebook.views.missing import NO_MODULE
from colony_jupyter.notebook.views.pane import Pane
from colony_jupyter.notebook.views.terminal import TextView
from colony_jupyter.notebook.views.transcript import TranscriptView


def test_without_a_kernel_it_is_text(capsys, run_in):
    view = open_view("long-task")
    assert is_headless()
    assert isinstance(view, TextView)
    run_in(view)
    assert capsys.readouterr().out.endswith('Output: "ok"\n')


def test_without_a_kernel_a_board_is_printed(capsys):
    view = open_board(Board("train", state="RUNNING"), None)
    view.update(Board("train", state="SUCCESS"))
    view.finish()
    assert "SUCCESS train" in capsys.readouterr().out


def test_text_can_be_asked_for_anywhere():
    assert isinstance(open_text("long-task"), TextView)
    assert open_text("long-task").model.kind == "chat"


@pytest.fixture
def in_kernel(monkeypatch):
    """Make this process look like a kernel, with a person or without."""

    def look(*, headless):
        monkeypatch.setattr(choose, "kernel_shell", object)
        monkeypatch.setattr(choose, "is_headless", lambda: headless)

    return look


def record_shows(monkeypatch, kind):
    """Record the views of a kind that are shown, in place of showing them."""
    shown = []

    def show(view):
        shown.append(view)

    monkeypatch.setattr(kind, "show", show)
    return shown


def test_a_person_in_a_notebook_gets_a_pane(in_kernel, monkeypatch):
    shown = record_shows(monkeypatch, Pane)
    in_kernel(headless=False)
    view = open_view("long-task", kind="log")
    assert shown == [view]
    assert isinstance(view, Pane)
    view.close()


@pytest.mark.parametrize("headless", [True, False])
def test_without_a_person_or_without_widgets_a_notebook_gets_a_transcript(in_kernel, monkeypatch, headless):
    shown = record_shows(monkeypatch, TranscriptView)
    in_kernel(headless=headless)
    if not headless:
        monkeypatch.setitem(sys.modules, "colony_jupyter.notebook.views.pane", None)
    view = open_view("long-task")
    assert shown == [view]
    assert isinstance(view, TranscriptView)
    view.close()


@pytest.fixture
def stated(in_kernel, monkeypatch):
    """Make this a kernel without widgets; return a function that opens a view in a cell and gives what is stated."""
    displayed = []
    in_kernel(headless=False)
    record_shows(monkeypatch, TranscriptView)
    record_shows(monkeypatch, BoardView)
    monkeypatch.setitem(sys.modules, "colony_jupyter.notebook.views.pane", None)
    monkeypatch.setattr("IPython.display.display", lambda data, **_: displayed.append(data["text/plain"]))
    monkeypatch.setattr(choose.missing, "SHARED", choose.missing.Statements())

    def stated(open_it, cell):
        monkeypatch.setattr(choose, "current_request", lambda: {"metadata": {"cellId": cell} if cell else {}})
        open_it().close()
        found, displayed[:] = list(displayed), []
        return found

    return stated


def test_a_kernel_without_widgets_states_it_in_a_notebook_once(stated):
    for open_it in (lambda: open_view("long-task"), lambda: open_board(Board("train", state="RUNNING"), None)):
        [text] = stated(open_it, "first")
        assert text.startswith(NO_MODULE)
        assert stated(open_it, "second") == []


def test_a_console_has_no_panes_and_gets_the_transcript_alone(stated):
    assert stated(lambda: open_view("long-task"), "") == []
