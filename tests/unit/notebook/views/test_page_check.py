"""Whether a page shows a pane: what is stated for which sign of it."""

from __future__ import annotations

import pytest
from ipywidgets.widgets.widget import Widget

from colony_jupyter.notebook.views import page_check
from colony_jupyter.notebook.views.missing import NO_EXTENSION, NO_WIDGETS, NOTHING, Statements
from colony_jupyter.notebook.views.page_check import AFTER, PageCheck


class RefreshThread:
    """What waits to be called."""

    def __init__(self) -> None:
        self.due = {}

    def wake(self, sink, after=0.0):
        self.due[sink] = after

    def forget(self, sink):
        self.due.pop(sink, None)


@pytest.fixture
def displayed(monkeypatch):
    """What is shown, by display ids."""
    shown = {}
    monkeypatch.setattr("IPython.display.display", lambda data, *, display_id, **_: shown.update({display_id: data}))
    monkeypatch.setattr(page_check, "SHARED", Statements())
    return shown


@pytest.fixture
def widget():
    widget = Widget()
    yield widget
    widget.close()


@pytest.fixture
def check(widget, displayed):
    check = PageCheck(widget, "log", RefreshThread())
    check.show()
    assert list(displayed.values()) == [widget]
    return check


def helpers(check):
    """The names of the widgets that examine it."""
    return [type(helper).__name__ for helper in check._helpers]


def answer(check, view):
    """Answer as a page does."""
    [_, answer] = check._helpers
    answer.set_state({"view": view})


def texts(displayed):
    return [data["text/plain"] for data in displayed.values()]


def test_a_page_that_sends_a_message_shows_the_widget(check, widget, displayed):
    assert check._refresh_thread.due == {check: AFTER}
    widget._handle_custom_msg({"do": "fresh"}, [])
    assert check._refresh_thread.due == {}
    check.flush()  # it was about to be called
    assert helpers(check) == []
    widget.comm.handle_close({})  # as another page does that has no widgets
    assert list(displayed.values()) == [widget]


def test_a_page_that_closes_the_comm_has_no_widgets(check, widget, displayed):
    widget.comm.handle_close({})
    [text] = texts(displayed)
    assert text.startswith(NO_WIDGETS)
    assert widget.comm is None
    assert check._refresh_thread.due == {}


def test_a_page_whose_view_is_an_error_lacks_anywidget(check, widget, displayed):
    check.flush()
    assert helpers(check) == ["DirectionalLink", "_Answer"]
    examined = list(check._helpers)
    answer(check, "ErrorWidgetView")
    [text] = texts(displayed)
    assert text.startswith(NO_EXTENSION)
    assert all(each.comm is None for each in (widget, *examined))


def test_a_page_that_has_the_view_shows_the_widget(check, widget, displayed):
    check.flush()
    answer(check, "AnyView")
    assert helpers(check) == []
    assert list(displayed.values()) == [widget]
    assert widget.comm is not None


def test_without_an_answer_nothing_is_stated_and_nothing_is_left_at_the_end(check, widget, displayed):
    check.flush()
    examined = list(check._helpers)
    assert check.end()
    assert not check.end()
    assert all(each.comm is None for each in examined)
    assert list(displayed.values()) == [widget]


def test_what_was_stated_in_another_cell_is_not_stated_again(check, widget, displayed):
    widget.comm.handle_close({})
    second = Widget()
    PageCheck(second, "log", RefreshThread()).show()
    second.comm.handle_close({})
    assert list(displayed.values())[1] == NOTHING
