"""The kernel's connection, and the processes that it remembers; a notebook that runs for days submits thousands."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pytest

from colony_jupyter import settings as settings_module
from colony_jupyter.client.portal import PORTAL
from colony_jupyter.errors import UsageError
from colony_jupyter.notebook.session.session import Session, Topic
from colony_jupyter.settings import Settings
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import ProcessState


@dataclass
class Remembered:
    processid: str
    state: ProcessState
    funcname: str = "train"


@dataclass
class Connection:
    """A client that only notes its end, and on which thread that was."""

    settings: Settings
    closed: list[threading.Thread] = field(default_factory=list)

    async def aclose(self) -> None:
        self.closed.append(threading.current_thread())


class Listener:
    """A chat or a feed that only notes that it is stopped."""

    def __init__(self, name: str, order: list[str]) -> None:
        self._name = name
        self._order = order

    def stop(self) -> None:
        self._order.append(self._name)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr("colony_jupyter.client.blocking.Process", lambda process: process)
    return Session()


def remember(session: Session, processid: str, state: ProcessState) -> Any:
    process: Any = Remembered(processid, state)
    return session.remember(process)


def test_the_latest_hundred_of_the_processes_that_have_ended_are_remembered(session: Session) -> None:
    for number in range(250):
        remember(session, str(number), ProcessState.SUCCESS)

    assert list(session.processes) == [str(number) for number in range(150, 250)]


def test_every_process_that_has_not_ended_is_remembered(session: Session) -> None:
    for number in range(300):
        remember(session, f"running {number}", ProcessState.RUNNING)
    for number in range(300):
        remember(session, f"failed {number}", ProcessState.FAILED)

    running = [process for process in session.processes.values() if process.state is ProcessState.RUNNING]
    assert len(running) == 300
    assert len(session.processes) == 400


def test_a_process_that_is_used_again_counts_as_the_latest(session: Session) -> None:
    for number in range(100):
        remember(session, str(number), ProcessState.SUCCESS)
    remember(session, "0", ProcessState.SUCCESS)
    remember(session, "100", ProcessState.SUCCESS)

    assert "0" in session.processes
    assert "1" not in session.processes


@pytest.fixture
def own_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the settings that calls without any use as they were."""
    yield
    settings_module.use(None)


def connection(port: int) -> Any:
    key = PrivateKey("01" * 32)
    return Connection(Settings(host="127.0.0.1", port=port, tls=False, colonyname="dev", prvkey=key))


@pytest.mark.usefixtures("own_settings")
def test_what_is_made_without_settings_follows_the_connection(session: Session) -> None:
    assert not session.is_connected
    first, second = connection(1), connection(2)
    for colony in (first, second):
        session.switch(colony)
        assert session.is_connected
        assert session.colony is colony
        assert session.settings.port == settings_module.current().port == colony.settings.port


@pytest.mark.usefixtures("own_settings")
def test_closing_ends_everything_that_listens_and_then_all_connections(session: Session) -> None:
    order: list[str] = []
    first, second = connection(1), connection(2)
    session.switch(first)
    session.switch(second)

    async def closer() -> None:
        order.append("closer")
        assert first.closed == second.closed == []

    session.closers.append(closer)
    chat: Any = Listener("chat", order)
    session.chat_sessions[Topic("server", "dev", "talk", "cli", "chat")] = chat
    feed: Any = Listener("feed", order)
    session.feeds.add(feed)
    session.close()

    assert order == ["closer", "chat", "feed"]
    assert [each.closed for each in (first, second)] == [[loop_thread()]] * 2
    assert settings_module.current().is_embedded  # what is made now does not follow the closed connection


def loop_thread() -> threading.Thread:
    async def current() -> threading.Thread:
        return threading.current_thread()

    return PORTAL.run(current)


def test_an_action_runs_on_the_loop_waited_for_or_not(session: Session) -> None:
    begun = threading.Event()

    async def action(number: int) -> tuple[int, threading.Thread]:
        begun.set()
        return number, threading.current_thread()

    assert session.run(action, 3) == (3, loop_thread())
    outcome: Future[tuple[int, threading.Thread]] = Future()
    session.begin(outcome, action, 4)
    assert outcome.result(5) == (4, loop_thread())
    begun.clear()
    session.start(action, 5)
    assert begun.wait(5)


def test_an_action_that_fails_is_an_error_of_its_future(session: Session) -> None:
    async def fail() -> None:
        raise UsageError("no")

    outcome: Future[None] = Future()
    session.begin(outcome, fail)
    with pytest.raises(UsageError):
        outcome.result(5)


@pytest.mark.parametrize("when", ["before it begins", "while it runs"])
def test_an_action_whose_future_is_cancelled_ends(session: Session, when: str) -> None:
    begun, ended = threading.Event(), threading.Event()

    async def wait() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    outcome: Future[None] = Future()
    if when == "before it begins":
        outcome.cancel()
    session.begin(outcome, wait)
    if when == "while it runs":
        assert begun.wait(5)
        outcome.cancel()
        assert ended.wait(5)

    async def tasks() -> list[str]:
        return [repr(task.get_coro()) for task in asyncio.all_tasks()]

    assert not any(".wait " in task for task in session.run(tasks))
    assert not begun.is_set() or when == "while it runs"


def test_the_description_names_what_has_not_ended(session: Session) -> None:
    remember(session, "a" * 64, ProcessState.SUCCESS)
    remember(session, "b" * 64, ProcessState.RUNNING)
    remember(session, "c" * 64, ProcessState.WAITING)
    assert session.describe() == "train (bbbbbbbb), train (cccccccc)"
