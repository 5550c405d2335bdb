"""The board of a colony, of a client that answers from lists."""

from __future__ import annotations

import asyncio
import io
import itertools
from collections import Counter
from types import SimpleNamespace

import pytest
import virtual_time

from colony_jupyter.errors import ColonyError, ServerUnreachable
from colony_jupyter.notebook.actions import top
from colony_jupyter.notebook.actions.top import TopFeed, show
from colony_jupyter.wire.models import (
    ExecutorRecord,
    ExecutorState,
    Function,
    FunctionSpec,
    ProcessRecord,
    ProcessState,
    Statistics,
    Workflow,
)

WAITING, RUNNING, SUCCESS, FAILED, CANCELLED = ProcessState


class Colony:
    """A client whose calls are counted."""

    colonyname = "dev"

    def __init__(self) -> None:
        self.processes = {state: [] for state in ProcessState}
        self.flows = {WAITING: [], RUNNING: []}
        self.calls: Counter[str] = Counter()
        self.listed: list[tuple[ProcessState, int]] = []
        self.refusal: Exception | None = None
        self.cancelled: list[str] = []
        self._numbers = itertools.count(1)

    def add(self, state, count=1):
        for _ in range(count):
            number = f"{next(self._numbers):064}"
            spec = FunctionSpec(funcname=f"f-{state.name.lower()}")
            self.processes[state].append(ProcessRecord(processid=number, state=state, spec=spec))

    async def statistics(self):
        self._answer("statistics")
        counts = {state: len(self.processes[state]) for state in ProcessState}
        return Statistics(
            waitingprocesses=counts[WAITING],
            runningprocesses=counts[RUNNING],
            successfulprocesses=counts[SUCCESS],
            failedprocesses=counts[FAILED],
            cancelledprocesses=counts[CANCELLED],
            waitingworkflows=len(self.flows[WAITING]),
            runningworkflows=len(self.flows[RUNNING]),
        )

    async def executors(self):
        self._answer("executors")
        return [
            ExecutorRecord(
                executorid="e",
                executortype="cli",
                executorname="laptop",
                colonyname="dev",
                state=ExecutorState.APPROVED,
            )
        ]

    async def functions(self):
        self._answer("functions")
        return [Function(executorname="laptop", executortype="cli", funcname="train")]

    async def list_processes(self, state, count):
        self._answer("list_processes")
        self.listed.append((state, count))
        return self.processes[state][:count]

    async def workflows(self, state, count):
        self._answer("workflows")
        return self.flows[state][:count]

    async def cancel(self, processid):
        self._answer("cancel")
        self.cancelled.append(processid)

    def handle(self, processid):
        return SimpleNamespace(processid=processid, shared=SimpleNamespace(learn=lambda record: None))

    def _answer(self, name):
        self.calls[name] += 1
        if self.refusal is not None:
            raise self.refusal


class View:
    is_closed = False

    def __init__(self) -> None:
        self.boards = []

    def update(self, board):
        self.boards.append(board)


class Portal:
    def __init__(self) -> None:
        self.tasks: list[asyncio.Task] = []

    def spawn(self, function, *args):
        self.tasks.append(asyncio.create_task(function(*args)))


@pytest.fixture
def looking(monkeypatch):
    """Return a function that runs a scenario with a board that is shown, on virtual time."""
    monkeypatch.setattr(top, "PORTAL", Portal())

    def run(scenario):
        async def work():
            colony, view = Colony(), View()
            feed = TopFeed(colony)
            feed.show_in(view)
            await scenario(colony, feed, view)

        virtual_time.run(work())

    return run


async def refreshed(feed, after=1.5):
    await asyncio.sleep(after)
    feed.on_visible()
    await asyncio.sleep(0.01)


def counts(board):
    return {each.state: each.count for each in board.counts if each.count}


def test_it_shows_what_there_is(looking):
    async def scenario(colony, feed, view):
        colony.add(WAITING, 2)
        colony.add(RUNNING)
        colony.add(FAILED)
        colony.flows[RUNNING].append(Workflow(processgraphid="7" * 64, state=RUNNING))
        board = await feed.board()
        assert board.is_live
        assert counts(board) == {"WAITING": 2, "RUNNING": 1, "FAILED": 1}
        shown = repr(board.sections)
        for text in ("f-waiting", "f-running", "f-failed", "laptop", "train", "77777777"):
            assert text in shown

    looking(scenario)


def test_it_is_refreshed_when_looked_at_and_not_more_often_than_every_second(looking):
    async def scenario(colony, feed, view):
        for _ in range(10):
            await refreshed(feed, 0.1)
        assert len(view.boards) == 1
        await refreshed(feed)
        assert len(view.boards) == 2
        await asyncio.sleep(60)
        assert len(view.boards) == 2
        view.is_closed = True
        await refreshed(feed)
        assert len(view.boards) == 2

    looking(scenario)


def test_lists_that_cannot_have_changed_are_not_asked_for_again(looking):
    async def scenario(colony, feed, view):
        colony.add(SUCCESS, 3)
        for _ in range(3):
            await refreshed(feed)
        assert colony.calls["statistics"] == 3
        assert colony.calls["functions"] == 1
        assert colony.calls["list_processes"] == 3  # the closed ones, once
        assert colony.calls["workflows"] == 0
        colony.add(SUCCESS)
        await refreshed(feed)
        assert colony.calls["list_processes"] == 6
        await refreshed(feed, 5)
        assert colony.calls["functions"] == 2

    looking(scenario)


def test_lists_are_limited(looking):
    async def scenario(colony, feed, view):
        colony.add(WAITING, 200)
        colony.add(RUNNING, 200)
        await feed.board()
        assert dict(colony.listed)[WAITING] == 30
        assert dict(colony.listed)[RUNNING] == 100

    looking(scenario)


def test_while_no_server_answers_the_last_board_states_it(looking):
    async def scenario(colony, feed, view):
        colony.refusal = ServerUnreachable("server:1", "connection refused")
        await refreshed(feed)
        assert view.boards == []  # what was shown first stays
        colony.refusal = None
        colony.add(RUNNING)
        await refreshed(feed)
        colony.refusal = ServerUnreachable("server:1", "connection refused")
        await refreshed(feed)
        assert counts(view.boards[-1]) == {"RUNNING": 1}
        assert "server:1" in view.boards[-1].trouble
        colony.refusal = None
        await refreshed(feed)
        assert view.boards[-1].trouble == ""

    looking(scenario)


def test_a_process_is_cancelled_and_a_refusal_is_shown(looking):
    async def scenario(colony, feed, view):
        colony.add(RUNNING)
        await refreshed(feed)
        feed.call("none")
        feed.cancel("p")
        await asyncio.sleep(0.01)
        assert colony.cancelled == ["p"]
        assert len(view.boards) == 2  # at once

        async def refuse(processid):
            raise ColonyError("It has ended already.")

        cancel, colony.cancel = colony.cancel, refuse
        feed.cancel("p")
        await asyncio.sleep(0.01)
        assert view.boards[-1].trouble == "It has ended already."
        colony.cancel = cancel
        feed.cancel("q")
        await asyncio.sleep(0.01)
        assert view.boards[-1].trouble == ""

    looking(scenario)


def test_a_process_that_is_shown_can_be_followed(looking, monkeypatch):
    followed = []
    monkeypatch.setattr(top, "follow_in_board", lambda make: followed.append(make().processid) or "pane")

    async def scenario(colony, feed, view):
        colony.add(RUNNING)
        known = colony.processes[RUNNING][0].processid
        assert feed.follow(known) is None  # before the first refresh
        await feed.board()
        assert feed.follow("0" * 64) is None
        assert feed.follow(known) == "pane"
        assert followed == [known]

    looking(scenario)


def run(function):
    return virtual_time.run(function())


def test_in_a_terminal_it_is_written_once():
    colony, out = Colony(), io.StringIO()
    colony.add(RUNNING)
    show(run, colony, out, follow=False, theme="auto")
    assert "colony dev" in out.getvalue()
    assert out.getvalue().count("RUNNING") >= 1
    assert colony.calls["statistics"] == 1


@pytest.mark.parametrize("is_terminal", [True, False])
def test_it_is_written_again_until_an_interrupt(is_terminal):
    class Out(io.StringIO):
        def isatty(self):
            return is_terminal

    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    colony, out = Colony(), Out()
    show(run, colony, out, follow=True, theme="auto", sleep=sleep)
    assert slept == [2.0, 2.0, 2.0]
    assert colony.calls["statistics"] == 3
    assert out.getvalue().count("\x1b[2J") == (3 if is_terminal else 0)


def test_in_a_kernel_it_is_a_board_that_is_kept_up_to_date_while_it_is_looked_at(monkeypatch):
    opened = []
    monkeypatch.setattr(top, "kernel_shell", object)
    monkeypatch.setattr(top, "open_board", lambda board, feed, **how: opened.append((board, how)) or View())
    out = io.StringIO()
    show(run, Colony(), out, follow=False, theme="dark")
    ((board, how),) = opened
    assert board.title == "colony dev"
    assert how == {"while_visible": True, "theme": "dark"}
    assert out.getvalue() == ""
