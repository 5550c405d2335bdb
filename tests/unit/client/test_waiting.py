"""What a waiting process waits for, in a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from colony_jupyter.client.waiting import RECENT, age, waiting_sentence
from colony_jupyter.wire.models import Conditions, ExecutorRecord, ExecutorState, FunctionSpec, ProcessRecord

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def process(*names, **fields):
    spec = FunctionSpec(funcname="f", conditions=Conditions(executortype="x", executornames=list(names)))
    return ProcessRecord(processid="1" * 64, spec=spec, **fields)


def executor(name="a", *, kind="x", ago=None, state=ExecutorState.APPROVED):
    heard = {} if ago is None else {"lastheardfromtime": (NOW - ago).isoformat()}
    return ExecutorRecord(
        executorid="e" * 64, executortype=kind, executorname=name, colonyname="c", state=state, **heard
    )


FOUR = timedelta(minutes=4)
WANTED = "Waiting for an executor of type 'x'"


@pytest.mark.parametrize(
    ("executors", "sentence"),
    [
        (None, f"{WANTED}."),
        ([], f"{WANTED}: none is registered."),
        ([executor(kind="y", ago=RECENT)], f"{WANTED}: none is registered."),
        ([executor(state=ExecutorState.PENDING, ago=RECENT)], f"{WANTED}: none is approved."),
        ([executor(ago=RECENT)], f"{WANTED} to be free."),
        ([executor(ago=timedelta(seconds=-30))], f"{WANTED} to be free."),  # the server's clock is ahead of ours
        ([executor(ago=FOUR)], "Waiting for 1 executor of type 'x', last heard 4 min ago."),
        ([executor(ago=RECENT), executor("b", ago=FOUR)], f"{WANTED} to be free."),
        (
            [executor(ago=timedelta(hours=3)), executor("b", ago=FOUR), executor("c")],
            "Waiting for 3 executors of type 'x', last heard 4 min ago.",
        ),
        (
            [executor(ago=FOUR), executor("b", state=ExecutorState.REJECTED, ago=RECENT)],
            "Waiting for 1 executor of type 'x', last heard 4 min ago.",
        ),
        ([executor()], "Waiting for 1 executor of type 'x', never heard."),
    ],
)
def test_the_sentence_counts_the_executors_and_names_when_the_server_last_heard_them(executors, sentence):
    assert waiting_sentence(process(), executors, NOW) == sentence


def test_only_executors_with_the_wanted_names_count():
    executors = [executor("a", ago=FOUR), executor("c", ago=RECENT)]
    sentence = waiting_sentence(process("a", "b"), executors, NOW)
    assert sentence == "Waiting for 1 executor of type 'x' named 'a' or 'b', last heard 4 min ago."


def test_a_time_that_cannot_be_read_counts_as_never_heard():
    broken = ExecutorRecord(
        executorid="e" * 64,
        executortype="x",
        executorname="a",
        colonyname="c",
        state=ExecutorState.APPROVED,
        lastheardfromtime="yesterday",
    )
    assert waiting_sentence(process(), [broken], NOW) == "Waiting for 1 executor of type 'x', never heard."


def test_a_process_that_depends_on_others_waits_for_them():
    waiting = process(waitforparents=True)
    assert waiting_sentence(waiting, [executor(ago=RECENT)], NOW) == "Waiting for the processes it depends on."


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=95), "2 min"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(minutes=170), "3 h"),
        (timedelta(hours=25), "1 day"),
        (timedelta(days=12), "12 days"),
    ],
)
def test_a_time_span_is_written_in_its_largest_unit(span, text):
    assert age(span) == text
