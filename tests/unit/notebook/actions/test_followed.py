"""Following a process that was clicked in a board."""

from __future__ import annotations

import asyncio

import pytest
import virtual_time
from simulated_chat import ChatUser, ChatView

from colony_jupyter.notebook.actions import followed, process_feed
from colony_jupyter.notebook.actions.followed import follow_in_board
from colony_jupyter.notebook.model.changes import NewEntries
from colony_jupyter.wire.models import FunctionSpec, ProcessState


class Portal:
    """Runs everything on a loop with virtual time, which stands still between two calls."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=virtual_time.VirtualLoop)

    def run(self, function, *args):
        return self._runner.run(function(*args))

    def call_soon(self, function, *args):
        self._runner.get_loop().call_soon(function, *args)

    def spawn(self, function, *args):
        self._runner.get_loop().create_task(function(*args))

    def close(self):
        self._runner.close()


@pytest.fixture
def portal(monkeypatch):
    portal = Portal()
    for module in (followed, process_feed):
        monkeypatch.setattr(module, "PORTAL", portal)
    yield portal
    portal.close()


def test_its_entries_are_shown_in_the_pane_until_that_is_closed(portal):
    made = []

    async def make():
        user = ChatUser()
        made.append((user, user.process(spec=FunctionSpec(funcname="train", channels=["loss"]))))

    portal.run(make)
    ((user, process),) = made
    title, callbacks, show_in = follow_in_board(lambda: process)
    assert title == "train"
    view = ChatView()
    show_in(view)
    server = user.server(process)

    async def append(text):
        server.append(server.record.assignedexecutorid, text, channel="loss")
        await asyncio.sleep(5)

    portal.run(append, "0.5")
    callbacks.on_send("loss", "faster")
    portal.run(append, "0.4")
    assert [(each.channel, [entry.text for entry in each.entries]) for each in entries(view)] == [
        ("loss", ["0.5"]),
        ("loss", ["0.4"]),
        ("loss", ["faster"]),
    ]
    view.on_close()
    portal.run(append, "0.3")
    assert len(entries(view)) == 3


def test_a_process_of_which_nothing_is_known_has_no_title_yet(portal):
    made = []

    async def make():
        user = ChatUser()
        process = user.process(state=ProcessState.CANCELLED)
        process.shared.watch.record = None
        made.append(process)

    portal.run(make)
    title, _, show_in = follow_in_board(lambda: made[0])
    show_in(ChatView())
    assert title == ""


def entries(view):
    return [change for change in view.changes if isinstance(change, NewEntries)]
