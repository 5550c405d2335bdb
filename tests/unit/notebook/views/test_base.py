"""What all views have in common: feeding and closing."""

from __future__ import annotations

import asyncio
import io

import pytest

from colony_jupyter.notebook.model.changes import Note, ReplyDue, TextRefused
from colony_jupyter.notebook.views.base import View, watch_to_end
from colony_jupyter.notebook.views.terminal import TextView


def test_after_closing_nothing_is_written(run_in):
    out = io.StringIO()
    view = TextView("long-task", stream=out)
    view.close()
    run_in(view)
    assert out.getvalue() == ""
    assert not view._fed  # nor kept for ever


def test_the_callback_of_the_close_runs_once():
    closed = []
    view = TextView("long-task", stream=io.StringIO())
    view.on_close = lambda: closed.append(1)
    view.close()
    view.close()
    assert closed == [1]


class Recorded(View):
    """A view that records what it writes."""

    def __init__(self, **options) -> None:
        super().__init__("long-task", **options)
        self.written = []

    def _write(self, *, final):
        with self._reading() as model:
            self.written.append((len(model.store), final))


class Awake:
    """In place of the thread: records what is woken."""

    def __init__(self) -> None:
        self.calls = []

    def wake(self, view, after=0.0):
        self.calls.append(("wake", view))

    def forget(self, view):
        self.calls.append(("forget", view))


def test_many_changes_wake_the_thread_once_until_they_are_read(make):
    thread = Awake()
    view = Recorded(refresh_thread=thread)
    for text in ("one", "two", "three"):
        view.feed(Note(text))
    assert thread.calls == [("wake", view)]
    assert view.written == []
    view.flush()
    assert view.written == [(3, False)]
    view.feed(Note("four"))
    assert thread.calls == [("wake", view)] * 2


def test_finishing_writes_everything_at_once():
    view = Recorded(refresh_thread=Awake())
    view.feed(Note("one"))
    view.finish()
    assert view.written == [(1, True)]


def test_a_closed_view_writes_nothing_and_is_forgotten_by_the_thread():
    thread = Awake()
    view = Recorded(refresh_thread=thread)
    view.close()
    view.feed(Note("one"))
    view.finish()
    assert view.flush() is None
    assert view.written == []
    assert thread.calls == [("forget", view)]


def test_a_refused_text_shows_why():
    view = Recorded(refresh_thread=Awake())
    view.feed(TextRefused("chat", "my text", "The channel is full."))
    with view._reading() as model:
        assert [(row.kind, row.text) for row in model.store] == [("fault", "The channel is full.")]


def test_a_reply_may_be_expected_and_given_up(make):
    view = Recorded(kind="chat", refresh_thread=Awake())
    for due in (True, False):
        view.feed(ReplyDue(due=due))
        with view._reading() as model:
            assert model.chat.reply_due is due


@pytest.mark.parametrize("is_shown", [True, False])
async def test_a_view_is_finished_when_its_feed_has_ended_or_is_no_longer_waited_for(is_shown):
    view = Recorded(refresh_thread=Awake()) if is_shown else None
    feed = asyncio.create_task(asyncio.sleep(3600))
    watching = asyncio.create_task(watch_to_end(feed, lambda: view, "process"))
    await asyncio.sleep(0)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert feed.cancelled()
    if view is not None:
        with view._reading() as model:
            assert model.finished
            assert [row.text for row in model.store] == ["Not watched here any longer; the process goes on."]

    other = Recorded(refresh_thread=Awake())
    await watch_to_end(asyncio.sleep(0), lambda: other, "process")
    with other._reading() as model:
        assert model.finished
        assert len(model.store) == 0
