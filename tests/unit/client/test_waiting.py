"""What a waiting process waits for, in a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from colony_jupyter.client.waiting import RECENT, age, clause, waiting_sentence
from colony_jupyter.wire.models import (
    Capabilities,
    Conditions,
    ExecutorRecord,
    ExecutorState,
    FunctionSpec,
    Gpu,
    Hardware,
    ProcessRecord,
)

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
        ([executor()], "Waiting for 1 executor of type 'x', not heard from yet."),
    ],
)
def test_the_sentence_counts_the_executors_and_names_when_the_server_last_heard_them(executors, sentence):
    assert waiting_sentence(process(), executors, NOW) == sentence


def test_only_executors_with_the_wanted_names_count():
    executors = [executor("a", ago=FOUR), executor("c", ago=RECENT)]
    sentence = waiting_sentence(process("a", "b"), executors, NOW)
    assert sentence == "Waiting for 1 executor of type 'x' named 'a' or 'b', last heard 4 min ago."


def test_a_time_that_cannot_be_read_counts_as_none():
    broken = ExecutorRecord(
        executorid="e" * 64,
        executortype="x",
        executorname="a",
        colonyname="c",
        state=ExecutorState.APPROVED,
        lastheardfromtime="yesterday",
    )
    assert waiting_sentence(process(), [broken], NOW) == "Waiting for 1 executor of type 'x', not heard from yet."


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


def test_what_no_approved_executor_offers_is_named():
    waiting = process()
    waiting.spec.conditions.gpu = Gpu(count=2)
    one = executor(ago=RECENT)
    one.capabilities = Capabilities(hardware=[Hardware(gpu=Gpu(count=1))])
    pending = executor("b", state=ExecutorState.PENDING)
    sentence = "Waiting: no executor of type 'x' offers 2 GPUs; a has 1."
    assert waiting_sentence(waiting, [one, pending], NOW) == sentence
    # One that does not run is not listed, but it may have what is asked for.
    stopped = executor("c", ago=FOUR)
    stopped.capabilities = Capabilities(hardware=[Hardware(gpu=Gpu(count=0))])
    assert waiting_sentence(waiting, [stopped, one], NOW) == sentence
    stopped.capabilities = Capabilities(hardware=[Hardware(gpu=Gpu(count=4))])
    assert waiting_sentence(waiting, [stopped, one], NOW) == f"{WANTED} to be free."


def test_a_sentence_as_a_clause():
    assert clause("Waiting for an executor of type 'CLI'.") == "waiting for an executor of type 'CLI'"
    assert clause("") == ""
