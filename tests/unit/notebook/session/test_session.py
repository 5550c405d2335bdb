"""A session remembers processes; a notebook that runs for days submits thousands."""

from dataclasses import dataclass
from typing import Any

import pytest

from colony_jupyter.notebook.session.session import Session
from colony_jupyter.wire.models import ProcessState


@dataclass
class Remembered:
    processid: str
    state: ProcessState


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
