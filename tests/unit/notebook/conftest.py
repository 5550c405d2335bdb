"""What the tests of the notebook's face are fed with."""

from __future__ import annotations

import itertools

import pytest

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
    names = {EXECUTOR: "laptop-7f3a"}  # noqa: RUF012 - nobody changes it

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
