"""Groups of processes, with calls that block."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time

import pytest

import colony_jupyter as cj
from colony_jupyter.client.blocking import group as blocking_group


@pytest.fixture
def colony(place):
    with cj.Colony(place) as colony:
        yield colony
    blocking_group._interrupted.clear()


@pytest.fixture
def executor(place, ready):
    """An executor of the type workers."""
    executor = cj.Executor("workers", settings=place, concurrency=8)

    @executor.function("scale")
    async def scale(context, value):
        return value * 10

    @executor.function("late")
    def late(context, value):
        ready.wait(60)
        return value

    executor.start()
    yield executor
    ready.set()
    executor.stop()


def test_its_processes_are_handles_that_block(executor, colony):
    group = colony.map("scale", [1, 2, 3], executortype="workers")
    assert (group.funcname, len(group)) == ("scale", 3)
    assert [process.result(30) for process in group] == [10, 20, 30]
    assert isinstance(group[-1], cj.Process)
    assert group[-1].spec.args == [3]
    group.refresh()
    assert group.is_over
    assert [row["output"] for row in group.to_dicts()] == [10, 20, 30]
    assert repr(group) == "<ProcessGroup scale: 3 processes, 3 SUCCESS>"
    with pytest.raises(IndexError):
        group[3]


def test_processes_come_as_they_complete(executor, colony, ready):
    group = colony.map("late", [1], executortype="workers")
    quick = colony.map("scale", [1, 2, 3], executortype="workers")
    assert sorted(process.result() for process in quick.as_completed(timeout=30)) == [10, 20, 30]
    with pytest.raises(cj.WaitTimeout, match=r"Waited 0.3 s for 1 process of late to end\. They are: 1 RUNNING"):
        next(iter(group.as_completed(timeout=0.3)))
    ready.set()
    assert [process.result() for process in group.as_completed(timeout=30)] == [1]


def test_what_was_submitted_is_reported_after_an_interrupt(colony):
    assert cj.interrupted_group() is None

    def interrupt():
        while colony.processes("waiting", label="long", count=50) == []:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt) as raised:
        colony.map("scale", range(5000), executortype="absent", label="long")
    thread.join()
    group = cj.interrupted_group()
    assert group is not None
    assert 0 < len(group) < 5000
    (note,) = raised.value.__notes__
    assert note == (
        f"{len(group)} of 5000 processes of scale were submitted: they go on, under the label '{group.label}'. "
        "colony_jupyter.interrupted_group() holds them."
    )
    assert colony.statistics().waitingprocesses >= len(group)
    group.cancel()
    assert group.counts() == {"CANCELLED": len(group)}


@pytest.fixture
def group(colony):
    group = colony.map("work", [1, 2, 3], executortype="absent", label="some")
    yield group
    group.cancel()


def test_it_is_a_sequence_of_processes(group):
    assert len(group) == 3
    assert isinstance(group[0], cj.Process)
    assert [process.spec.args for process in group] == [[1], [2], [3]]
    assert group[-1] == list(group)[2]
    with pytest.raises(IndexError):
        group[3]


def test_it_is_asked_for_when_it_is_counted_or_made_a_table(group, colony):
    assert group.counts() == {"WAITING": 3}
    colony.cancel(group[1])
    assert group.counts() == {"WAITING": 2, "CANCELLED": 1}
    assert (group.funcname, group.label, group.is_over) == ("work", "some", False)
    colony.cancel(group[2])
    assert [row["state"] for row in group.to_dicts()] == ["WAITING", "CANCELLED", "CANCELLED"]


def test_the_time_of_a_wait_is_that_of_the_whole_iteration(group, colony):
    colony.cancel(group[0])
    completed = group.as_completed(timeout=1.0)
    assert next(completed) == group[0]
    with pytest.raises(cj.WaitTimeout, match=r"Waited 1 s for 3 processes of work to end\."):
        next(completed)


def test_what_was_submitted_before_a_refusal_remains(colony, monkeypatch):
    assert cj.interrupted_group() is None
    call = colony.asynchronous.call
    submitted, answered, are_answered = [], [], asyncio.Event()

    async def refusing(message, *args, **how):
        if type(message).__name__ != "SubmitFunctionSpec":
            return await call(message, *args, **how)
        submitted.append(message)
        if len(submitted) > 20:
            await are_answered.wait()  # what is under way when the map ends may not be answered on a slow machine
            raise cj.AccessDenied(403, "Access denied, not a member of Colony with name <dev>")
        record = await call(message, *args, **how)
        answered.append(record)
        if len(answered) == 20:
            are_answered.set()
        return record

    monkeypatch.setattr(colony.asynchronous, "call", refusing)
    with pytest.raises(cj.AccessDenied) as raised:
        colony.map("work", range(100), executortype="absent")
    group = cj.interrupted_group()
    assert len(group) == 20
    (note,) = raised.value.__notes__
    assert note == (
        f"20 of 100 processes of work were submitted: they go on, under the label '{group.label}'. "
        "colony_jupyter.interrupted_group() holds them."
    )
    group.cancel()
