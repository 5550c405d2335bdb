"""A group as the value of a cell: a board in a notebook, text in a terminal."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
import virtual_time
from IPython.core.formatters import DisplayFormatter
from simulated_groups import GroupServer, submit

from colony_jupyter.client.blocking.group import ProcessGroup
from colony_jupyter.notebook.actions import group_display
from colony_jupyter.notebook.views import choose
from colony_jupyter.notebook.views.board import BoardView


class Portal:
    """Runs everything on a loop with virtual time, which stands still between two calls."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=virtual_time.VirtualLoop)

    def run(self, function, *args):
        return self._runner.run(function(*args))

    def close(self):
        self._runner.close()


@pytest.fixture
def portal():
    portal = Portal()
    yield portal
    portal.close()


@pytest.fixture
def server():
    return GroupServer()


@pytest.fixture
def group(portal, server):
    return ProcessGroup(portal.run(submit, server, 3), portal)


@pytest.fixture
def formatter():
    formatter = DisplayFormatter()
    group_display.register(formatter, lambda: "dark")
    return formatter


@pytest.fixture
def opened(monkeypatch):
    """Record the boards that are opened in a kernel, and give whether a person is there."""
    opened = []
    kernel = SimpleNamespace(opened=opened, is_headless=False)

    def open_board(board, feed, *, theme):
        view = BoardView(board, publish=lambda *_, **__: None)
        opened.append((view, feed, theme))
        return view

    monkeypatch.setattr(choose, "open_board", open_board)
    monkeypatch.setattr(group_display, "kernel_shell", object)
    monkeypatch.setattr(group_display, "is_headless", lambda: kernel.is_headless)
    return kernel


def texts(formatter, shown):
    data, _ = formatter.format(shown)
    return data["text/plain"]


def test_in_a_terminal_it_is_text_as_of_now(formatter, group, server, portal):
    async def assign():
        server.assign(2)

    portal.run(assign)
    text = texts(formatter, group)
    assert "train" in text
    assert "RUNNING" in text
    assert not formatter.ipython_display_formatter(group)


def test_within_another_value_it_is_short(formatter, group):
    assert texts(formatter, [group]) == f"[{group!r}]"


def test_in_a_notebook_it_is_a_board_that_follows(formatter, opened, group, server, portal):
    assert formatter.ipython_display_formatter(group)
    ((view, feed, theme),) = opened.opened
    assert theme == "dark"
    assert [(each.state, each.count) for each in view.board.counts if each.count] == [("WAITING", 3)]

    async def later():
        server.assign(3)
        await asyncio.sleep(5)

    portal.run(later)
    assert [(each.state, each.count) for each in view.board.counts if each.count] == [("RUNNING", 3)]

    async def stop():
        feed.stop()
        await asyncio.sleep(1)

    portal.run(stop)
    view.close()


def test_in_a_headless_run_the_cell_waits_for_the_end(formatter, opened, group, server, portal):
    opened.is_headless = True

    async def close_later():
        async def close():
            await asyncio.sleep(20)
            server.assign(3)
            server.close(3)

        server.closing = asyncio.create_task(close())  # type: ignore[attr-defined]

    portal.run(close_later)
    formatter.ipython_display_formatter(group)
    ((view, _, _),) = opened.opened
    assert [(each.state, each.count) for each in view.board.counts if each.count] == [("SUCCESS", 3)]
    assert group.is_over
    view.close()


def test_unregistered_it_shows_as_any_object(formatter, group):
    for _ in range(2):
        group_display.unregister(formatter)
    assert texts(formatter, group) == repr(group)
