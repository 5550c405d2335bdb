"""Views of boards: what is sent to the page, what the page asks for, and the transcript."""

from __future__ import annotations

import msgspec
import pytest

from colony_jupyter.notebook.model.board import Action, Board
from colony_jupyter.notebook.views.base import PaneCallbacks
from colony_jupyter.notebook.views.board import BoardPane, BoardView


class Callbacks:
    def __init__(self) -> None:
        self.calls = []
        self.panes = []

    def call(self, name):
        self.calls.append(("call", name))
        if name == "breaks":
            raise ValueError("it cannot be done")

    def cancel(self, processid):
        self.calls.append(("cancel", processid))

    def follow(self, processid):
        self.calls.append(("follow", processid))
        return ("train", PaneCallbacks(), self.panes.append) if processid == "known" else None

    def on_visible(self):
        self.calls.append(("visible",))


class RefreshThread:
    def wake(self, sink, after=0.0):
        pass

    def forget(self, sink):
        pass


@pytest.fixture
def callbacks():
    return Callbacks()


@pytest.fixture
def pane(callbacks, monkeypatch):
    pane = BoardPane(Board("train", state="RUNNING", actions=[Action("cancel", "Cancel")]), callbacks)
    sent = []
    monkeypatch.setattr(pane.widget, "send", lambda _, buffers: sent.append(msgspec.json.decode(buffers[0])))
    pane.sent = sent  # type: ignore[attr-defined]
    yield pane
    pane.close()


def ask(pane, **content):
    pane._on_message(None, {"ref": "1", **content}, [])
    return pane.sent[-1]


def test_a_page_that_is_loaded_gets_the_board(pane):
    assert msgspec.json.decode(pane.snapshot())["board"]["title"] == "train"
    assert ask(pane, do="fresh")["board"]["state"] == "RUNNING"
    assert repr(pane) == "<live board of train>"


def test_buttons_call_back(pane, callbacks):
    for content in ({"do": "call", "name": "cancel"}, {"do": "cancel", "pid": "p"}, {"do": "visible"}):
        assert ask(pane, **content) == {"answer": "1"}
    assert callbacks.calls == [("call", "cancel"), ("cancel", "p"), ("visible",)]


def test_what_a_callback_raises_is_shown(pane):
    assert ask(pane, do="call", name="breaks") == {"answer": "1"}
    assert pane.sent[0]["board"]["trouble"] == "it cannot be done"


def test_one_process_is_followed_at_a_time(pane, callbacks):
    answer = ask(pane, do="follow", pid="known")
    (first,) = callbacks.panes
    assert answer["widget"] == first.widget.model_id
    assert ask(pane, do="follow", pid="unknown") == {"answer": "1"}
    assert first._closed
    ask(pane, do="follow", pid="known")
    assert ask(pane, do="follow", pid="") == {"answer": "1"}
    assert all(each._closed for each in callbacks.panes)


def test_closing_closes_the_pane_of_the_process(callbacks):
    pane = BoardPane(Board("train"), callbacks)
    pane._follow("known")
    closed = []
    pane.on_close = lambda: closed.append(True)
    pane.close()
    pane.close()
    assert callbacks.panes[0]._closed
    assert closed == [True]
    pane.update(Board("later"))
    assert pane.flush() is None


def test_the_transcript_is_replaced_in_its_place():
    published = []
    view = BoardView(
        Board("train", state="RUNNING"),
        refresh_thread=RefreshThread(),
        publish=lambda data, **how: published.append((data, how)),
    )
    view.show()
    view.update(Board("train", state="SUCCESS"))
    view.finish()
    assert [data["text/plain"].split()[0] for data, _ in published] == ["RUNNING", "SUCCESS"]
    assert published[1][1]["update"] is True
    assert published[0][1]["display_id"] == published[1][1]["display_id"]
    view.close()
