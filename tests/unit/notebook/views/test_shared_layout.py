"""The layout that panes share: one message for the updates of all, in their order, and nothing left when they close."""

from __future__ import annotations

import json

import pytest

from colony_jupyter.notebook.model.changes import Finished, Note
from colony_jupyter.notebook.views.pane import Pane
from colony_jupyter.notebook.views.shared_layout import SHARED, SharedLayout


@pytest.fixture
def sent(monkeypatch):
    """Messages of the shared layout: pairs of a pane's number and its update."""
    messages = []

    def send(_layout, content, buffers):
        messages.append(list(zip(content["panes"], map(json.loads, buffers), strict=True)))

    monkeypatch.setattr("colony_jupyter.notebook.views.shared_layout.Layout.send", send)
    return messages


@pytest.fixture
def pair():
    panes = [Pane("one"), Pane("two")]
    yield panes
    for pane in panes:
        pane.close()


def texts(update):
    return [row[4] for row in update["rows"]["rows"]]


def test_the_updates_of_a_round_are_one_message(sent, pair):
    first, second = pair
    with first._refresh_thread._condition:  # no round begins between the two
        first.feed(Note("a"))
        second.feed(Note("b"))
        thread = first._refresh_thread._thread
    thread.join(5)
    assert [[(number, texts(update)) for number, update in message] for message in sent] == [
        [(first.widget.number, ["a"]), (second.widget.number, ["b"])]
    ]


def test_what_is_last_is_sent_at_once_after_what_waits(sent, pair):
    shared = SHARED
    pane, _ = pair
    shared.post(pane.widget.number, b'{"earlier":1}')
    pane.feed(Finished())
    pane.finish()
    [[(_, earlier), (_, last)]] = sent
    assert earlier == {"earlier": 1}
    assert last["head"]["finished"] is True


def test_panes_have_one_layout_which_closes_with_the_last():
    shared = SharedLayout()
    layout = shared.join()
    assert shared.join() is layout
    shared.leave()
    assert layout.comm is not None
    shared.leave()
    assert layout.comm is None
    assert shared.join() is not layout
    shared.leave()


def test_a_layout_that_was_closed_along_with_all_widgets_is_replaced():
    shared = SharedLayout()
    shared.join().close()
    assert shared.join().comm is not None
    shared.post(1, b"{}")
    shared.send()
    shared.leave()
    shared.leave()


def test_nothing_is_sent_where_nothing_waits_or_no_pane_is_left(sent):
    shared = SharedLayout()
    shared.send()
    shared.join()
    shared.post(1, b"{}")
    shared.leave()
    shared.send()
    assert sent == []
