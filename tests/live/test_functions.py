"""Functions of a notebook on an executor of a real server."""

from __future__ import annotations

import os
import time
import uuid

import pytest
import real_executors

import colony_jupyter as cj

pytestmark = pytest.mark.live

FACTOR = 3


def scale(value):
    return value * FACTOR


def work(context, steps):
    channel = context.channel("out")
    for step in context.progress(range(steps), channel="progress"):
        channel.send({"step": scale(step)})
    print("printed")  # noqa: T201
    answer = channel.ask("how many?", timeout=30)
    context.log("logged")
    return [answer.text, steps]


def leaves():
    os._exit(4)


def waits():
    time.sleep(600)


@pytest.fixture
def executor():
    executor = cj.Executor(f"functions-{uuid.uuid4().hex[:10]}-x")
    executor.functions_from_callers()
    with real_executors.running(executor):
        yield executor


def test_a_function_talks_fails_and_is_cancelled(executor):
    with cj.Colony() as colony:
        remote = {"executortype": executor.executortype, "colony": colony}
        process = cj.remote(**remote, channels=["out", "progress", "sync"])(work).submit(3)
        steps = []
        for entry in process.channel("out"):
            if entry.text == "how many?":
                process.channel("out").send("7", inreplyto=entry.sequence)
            elif entry.senderid != process.initiatorid:
                steps.append(entry.json()["step"])
        assert steps == [0, 3, 6]
        assert process.result(timeout=30) == ["7", 3]
        lines = "\n".join(line.message for line in colony.logs(process.processid)).splitlines()
        assert lines == ["printed", "logged"]
        with pytest.raises(cj.ProcessFailed, match="exit code 4"):
            cj.remote(**remote)(leaves)()
        process = cj.remote(**remote)(waits).submit()
        process.running(timeout=30)
        process.cancel()
        with pytest.raises(cj.ProcessCancelled):
            process.result(timeout=30)
        assert [each.result(timeout=30) for each in cj.remote(**remote)(scale).map([2, 1])] == [6, 3]
