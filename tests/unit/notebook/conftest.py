"""What the tests of the notebook's face are fed with."""

from __future__ import annotations

import itertools

import pytest

from colony_jupyter.notebook.model.changes import NewEntries, Note, ProcessChange
from colony_jupyter.wire.models import Entry, FunctionSpec, ProcessRecord, ProcessState

ME = "a" * 64
EXECUTOR = "e" * 64
PID = "424d6828" + "0" * 56


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: float = 1_795_000_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


class Maker:
    """Makes records and entries."""

    me = ME
    executor = EXECUTOR
    names = {EXECUTOR: "laptop-7f3a"}  # noqa: RUF012 - no test changes it

    def __init__(self) -> None:
        self._sequence = itertools.count(1)

    def record(self, state: ProcessState, **fields) -> ProcessRecord:
        fields = {"spec": FunctionSpec(funcname="long-task", channels=["progress"]), "processid": PID, **fields}
        if state is not ProcessState.WAITING:
            fields.setdefault("assignedexecutorid", EXECUTOR)
        return ProcessRecord(state=state, **fields)

    def entry(self, text, *, mine=False, **fields) -> Entry:
        payload = text if isinstance(text, bytes) else text.encode()
        return Entry(sequence=next(self._sequence), payload=payload, senderid=ME if mine else EXECUTOR, **fields)


@pytest.fixture
def make() -> Maker:
    return Maker()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def run_in(make):
    """Return a function that feeds a view with a process from its submission to its end."""

    def run(view):
        view.feed(ProcessChange(make.record(ProcessState.WAITING), waiting_for="waiting for an executor of type 'cli'"))
        view.flush()
        view.feed(ProcessChange(make.record(ProcessState.RUNNING), "laptop-7f3a"))
        view.feed(NewEntries("progress", [make.entry("hello \x1b]0;title\x07there")], make.names, make.me))
        view.feed(NewEntries("progress", [make.entry(f"step {at}/3") for at in (1, 2, 3)], make.names, make.me))
        view.feed(Note("resumed"))
        view.flush()
        view.feed(ProcessChange(make.record(ProcessState.SUCCESS, output=["ok"]), "laptop-7f3a"))
        view.finish()

    return run
