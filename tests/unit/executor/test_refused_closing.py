"""Processes that the server refuses to close: too large, not storable, or not this run's any more; runs that notice."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import time

import msgspec
import pytest
from gateway import Gateway

import colony_jupyter as cj
from colony_jupyter import AsyncColony
from colony_jupyter.errors import RequestTooLarge, ServerRefused, ServerUnreachable
from colony_jupyter.executor import closing
from colony_jupyter.executor.closing import Outcome, close_process
from colony_jupyter.executor.functions import Definition, Functions
from colony_jupyter.executor.run import Run
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import ProcessRecord, ProcessState


class Refusing:
    """A colony that refuses calls to close until one passes a check."""

    def __init__(self, colony, accepts, failure=None) -> None:
        self._colony = colony
        self._failure = failure or ServerRefused(500, "pq: invalid byte sequence")
        self._accepts = accepts
        self.calls = []
        self.refused = asyncio.Event()

    def __getattr__(self, name) -> object:
        return getattr(self._colony, name)

    async def close(self, process, output):
        await self._call((process, list(output)), self._colony.close, process, output)

    async def fail(self, process, errors):
        await self._call((process, list(errors)), self._colony.fail, process, errors)

    async def set_output(self, process, output):
        await self._call((process, list(output)), self._colony.set_output, process, output)

    async def _call(self, call, function, *args):
        self.calls.append(call[1])
        if not self._accepts(call[1]):
            self.refused.set()
            raise self._failure
        await function(*args)


@pytest.fixture
async def assigned(settings):
    """Return a running process as its executor holds it."""
    key = PrivateKey.generate(random.randbytes)
    async with AsyncColony(settings) as user, AsyncColony(settings, prvkey=key) as executor:
        name = f"closing-{key.id[:12]}-x"
        await user.add_executor(name, key.id, name)
        await user.approve_executor(name)
        await user.submit("work", executortype=name)
        yield await executor.assign(5)


@pytest.mark.parametrize(
    ("outcome", "accepts", "expected"),
    [
        (
            Outcome(output=("bad",)),
            lambda texts: "bad" not in texts,
            "The function ended, but the server refused its output: The server refused (500): pq: invalid byte",
        ),
        (Outcome(errors=("bad",)), lambda texts: "bad" not in texts, "The function ended, but the server refused its "),
        (Outcome(errors=("bad",)), lambda texts: "pq" not in texts[0] and texts != ["bad"], "The function ended, but"),
    ],
)
async def test_a_refused_close_is_retried_with_a_plain_sentence(assigned, outcome, accepts, expected):
    colony = assigned.colony
    assigned.colony = refusing = Refusing(colony, accepts)
    async with asyncio.timeout(10):
        await close_process(assigned, outcome, assigned.starttime)
    record = await colony.get_record(assigned.processid)
    assert record.state is ProcessState.FAILED
    assert record.errors[0].startswith(expected)
    assert len(refusing.calls) in (4, 7)


MIB = 1 << 20


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (24 * MIB, r"The output is 25,165,82\d bytes, the limit is 25,165,\d\d\d bytes. Send less, or pass large data"),
        (26 * MIB, r"The output is 26\.0 MiB, the limit is 24\.0 MiB. Send less, or pass large data by a file."),
    ],
)
def test_an_output_over_the_embedded_colonys_limit_fails_the_process_at_once(make_executor, submit, size, expected):
    executor = make_executor()
    executor.function("make")(lambda context: "x" * size)
    executor.start()
    process = submit("make")
    begun = time.monotonic()
    with pytest.raises(cj.ProcessFailed, match=expected):
        process.result(timeout=20)
    assert time.monotonic() - begun < 10


async def test_an_output_over_a_gateways_limit_fails_the_process_at_once(server, settings, colony, make_executor):
    async with Gateway(server.port) as gateway:
        gateway.limit = MIB
        executor = make_executor("behind", settings=dataclasses.replace(settings, port=gateway.port))
        executor.function("make")(lambda context: "x" * (3 * MIB))
        await asyncio.to_thread(executor.start)
        process = await asyncio.to_thread(colony.submit, "make", executortype="behind")
        with pytest.raises(cj.ProcessFailed) as raised:
            await asyncio.to_thread(process.result, timeout=10)
        assert raised.value.errors[0].startswith("The output is 3.0 MiB, over the limit of the gateway in front of the")
        assert "client_max_body_size" in raised.value.errors[0]
        assert gateway.count("closesuccessfulmsg") == 1
        await asyncio.to_thread(executor.stop)


@pytest.mark.parametrize(
    ("outcome", "limit", "expected"),
    [
        (
            Outcome(output=("x" * 9000,), errors=("first",)),
            5000,
            ["first", "The output is 8.8 KiB, the limit is 4.9 KiB. Send less, or pass large data by a file."],
        ),
        (
            Outcome(errors=("x" * 9000,)),
            5000,
            ["The function ended, but the server refused what it returned and the reason why."],
        ),
        (Outcome(errors=("x" * 9000,)), 10, None),
    ],
    ids=["output of a failure", "errors", "everything"],
)
async def test_what_is_too_large_is_omitted(assigned, outcome, limit, expected):
    def check(texts):
        size = sum(map(len, texts))
        if size > limit:
            raise RequestTooLarge(size, limit)
        return True

    colony = assigned.colony
    assigned.colony = refusing = Refusing(colony, check)
    async with asyncio.timeout(5):
        await close_process(assigned, outcome, assigned.starttime)
    record = await colony.get_record(assigned.processid)
    assert record.state is (ProcessState.RUNNING if expected is None else ProcessState.FAILED)
    assert (record.errors or None) == expected
    assert len(refusing.calls) <= 3


async def test_a_transient_refusal_does_not_fail_the_process(assigned):
    colony = assigned.colony
    refusals = iter([False, True])
    assigned.colony = Refusing(colony, lambda _: next(refusals))
    async with asyncio.timeout(10):
        await close_process(assigned, Outcome(output=("fine",)), assigned.starttime)
    record = await colony.get_record(assigned.processid)
    assert (record.state, record.output) == (ProcessState.SUCCESS, ["fine"])


async def test_a_process_that_ended_otherwise_is_left_alone(assigned):
    colony = assigned.colony
    await colony.fail(assigned, ["first"])
    async with asyncio.timeout(5):
        await close_process(assigned, Outcome(output=("late",)), assigned.starttime)
    assert (await colony.get_record(assigned.processid)).errors == ["first"]


@pytest.mark.parametrize(
    ("is_asked", "failure"),
    [(True, None), (False, None), (True, ServerUnreachable("here", "no reply"))],
    ids=["asked", "not a member meanwhile", "no reply"],
)
async def test_a_process_that_is_assigned_again_to_the_same_executor_is_left_to_its_new_run(
    assigned, settings, monkeypatch, is_asked, failure
):
    """As when an executor was removed and has registered itself again: its old run must not end the new one."""
    colony = assigned.colony
    assigned.colony = refusing = Refusing(colony, lambda _: False, failure)
    name = f"closing-{colony.key.id[:12]}-x"
    started = assigned.starttime
    questions = []

    async def get_record(processid):
        questions.append(processid)
        if len(questions) > 1 or is_asked:
            return await colony.get_record(processid)
        raise ServerRefused(403, "Access denied")

    monkeypatch.setattr(refusing, "get_record", get_record, raising=False)
    async with AsyncColony(settings) as user:
        await user.remove_executor(name)
        await user.add_executor(name, colony.key.id, name)
        await user.approve_executor(name)
        again = await colony.assign(5)
        assert again.processid == assigned.processid
        async with asyncio.timeout(5):
            await close_process(assigned, Outcome(errors=("the old run",)), started)
        assert len(refusing.calls) == 1
        assert (await colony.get_record(assigned.processid)).state is ProcessState.RUNNING


async def test_a_run_whose_process_was_assigned_to_the_same_executor_again_stops_and_leaves_it_alone(assigned):
    """As when the time between the two assignments was too short to see the process wait."""
    functions, stopped = Functions(), []

    async def work(context):
        later = msgspec.structs.replace(assigned.record, starttime="2126-01-01T00:00:00Z")
        assigned.shared.watch.learn(later)
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(True)

    functions.add(Definition("work", work))
    async with asyncio.timeout(10):
        await Run(assigned, assigned.colony, functions, "any", capture_output=False).run()
    assert stopped == [True]
    assert (await assigned.colony.get_record(assigned.processid)).state is ProcessState.RUNNING


async def test_a_run_that_is_lost_while_it_reports_its_end_does_not_report_it_again(assigned):
    """The process may be assigned to the same executor again, and its end would then be the end of the new run."""
    colony, functions = assigned.colony, Functions()
    assigned.colony = refusing = Refusing(colony, lambda _: False)

    async def work(context):
        return "done"

    functions.add(Definition("work", work))
    run = Run(assigned, colony, functions, "any", capture_output=False)
    running = asyncio.create_task(run.run())
    async with asyncio.timeout(10):
        await refusing.refused.wait()
        count = len(refusing.calls)
        run.lose("as a test wants")
        await running
    assert len(refusing.calls) <= count + 1
    assert (await colony.get_record(assigned.processid)).state is ProcessState.RUNNING


@pytest.mark.parametrize(
    ("now", "is_it"),
    [
        ("2026-11-29T11:04:01.806994Z", True),  # a real server's database rounds to microseconds
        ("2026-11-29T12:04:01.806993903+01:00", True),
        ("2026-11-29T11:04:01.860140548Z", False),
        ("0001-01-01T00:00:00Z", False),
    ],
)
def test_the_same_assignment_is_known_by_its_time(now, is_it):
    record = ProcessRecord(processid="p" * 64, state=ProcessState.RUNNING, assignedexecutorid="a" * 64, starttime=now)
    assert closing.is_assignment(record, "a" * 64, "2026-11-29T11:04:01.806993903Z") is is_it
    assert not closing.is_assignment(record, "b" * 64, now)
