"""Groups of processes: each value is submitted once and each end is learned, whatever server and network do."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter

import pytest
import virtual_time
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_processes import CANCELLED, FAILED, RUNNING, SUCCESS, WAITING, ProcessServer

from colony_jupyter.client.groups.group import AsyncProcessGroup
from colony_jupyter.errors import AccessDenied, ProcessCancelled, ProcessFailed, ProcessRemoved, ServerUnreachable
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import FunctionSpec

LABEL = "sweep"


def make_group(server, values):
    specs = [FunctionSpec(funcname="f", args=[value], label=LABEL) for value in values]
    return AsyncProcessGroup(server, specs, [{"x": value} for value in values])


def arguments(server):
    return Counter(record.spec.args[0] for record in server.processes.values())


async def work(server):
    """Let executors take and close processes all the time."""
    while True:
        server.assign(5)
        await asyncio.sleep(0.3)
        server.close(5)


@settings(max_examples=examples(100))
@given(st.lists(st.integers(0, 5), max_size=60), st.integers(0, 2**32), st.sampled_from((0.0, 0.1, 0.4)))
def test_each_value_is_submitted_once(values, seed, faults):
    async def scenario():
        server = ProcessServer(random.Random(seed), faults)
        group = make_group(server, values)
        working = asyncio.create_task(work(server))
        await group.submit()
        assert arguments(server) == Counter(values)
        assert [server.processes[member.record.processid].spec.args for member in group.tracker.members] == [
            [value] for value in values
        ]
        assert len({member.record.processid for member in group.tracker.members}) == len(values)
        server.faults = 0.0
        assert await group.results(timeout=60) == [value * 10 for value in values]
        working.cancel()

    virtual_time.run(scenario())


@settings(max_examples=examples(50))
@given(st.integers(0, 2**32), st.sampled_from((0.0, 0.2)), st.floats(0.0, 2.0))
def test_what_was_submitted_is_known_after_an_interrupt(seed, faults, seconds):
    async def scenario():
        server = ProcessServer(random.Random(seed), faults)
        group = make_group(server, range(50))
        submission = asyncio.create_task(group.submit())
        await asyncio.sleep(seconds)
        submission.cancel()
        before = asyncio.get_running_loop().time()
        with contextlib.suppress(asyncio.CancelledError):
            await submission
        assert asyncio.get_running_loop().time() - before < 0.5
        known = {member.record.processid for member in group.tracker.members}
        assert known <= server.processes.keys()
        assert len(server.processes) - len(known) <= group.unsure
        assert group.report().startswith(f"{len(known)} of 50 processes of f were submitted")

    virtual_time.run(scenario())


events = st.lists(
    st.tuples(
        st.sampled_from((0.0, 0.01, 0.3, 0.7, 3.0)),
        st.sampled_from(
            ("assign", "assign", "succeed", "succeed", "fail", "put back", "cancel", "remove", "others", "down")
        ),
        st.sampled_from((1, 7, 150, 1000)),
    ),
    max_size=25,
)


def happen(server, what, count):
    match what:
        case "assign":
            server.assign(count)
        case "succeed":
            server.close(count)
        case "fail":
            server.close(count, FAILED)
        case "put back":
            server.put_back(count)
        case "cancel":
            server.cancel_some(min(count, 20))
        case "remove":
            server.remove(min(count, 5))
        case "others":
            server.add_strangers(LABEL, min(count, 150))
        case "down":
            server.is_down = not server.is_down


OUTCOMES = {SUCCESS: int, FAILED: ProcessFailed, CANCELLED: ProcessCancelled}


@settings(max_examples=examples(100))
@given(st.sampled_from((1, 30, 120, 300)), events, st.integers(0, 2**32), st.sampled_from((0.0, 0.0, 0.15)))
def test_every_end_is_learned(count, story, seed, faults):
    async def scenario():
        server = ProcessServer(random.Random(seed))
        group = make_group(server, range(count))
        await group.submit()
        server.faults = faults
        results = asyncio.create_task(group.results(errors="return"))
        order = asyncio.create_task(_collect(group))
        for seconds, what, number in story:
            await asyncio.sleep(seconds)
            happen(server, what, number)
        server.is_down, server.faults = False, 0.0
        while open_processes := server.in_state(WAITING) + server.in_state(RUNNING):
            server.assign(40)
            await asyncio.sleep(0.2)
            server.close(40)
            assert open_processes
        ended = asyncio.get_running_loop().time()
        found = await results
        assert asyncio.get_running_loop().time() - ended < 20, "the end is learned soon: a call takes up to 0.45 s here"
        assert len(found) == count
        for index, (member, outcome) in enumerate(zip(group.tracker.members, found, strict=True)):
            record = server.processes.get(member.record.processid)
            expected = ProcessRemoved if record is None else OUTCOMES[record.state]
            assert isinstance(outcome, expected)
            if expected is int:
                assert outcome == index * 10
            if expected is ProcessFailed:
                assert outcome.errors == (f"no luck with {index}",)
        completed = await order
        assert len(completed) == len(set(completed)) == count
        assert group.is_over

    virtual_time.run(scenario())


async def _collect(group):
    return [process.processid async for process in group.as_completed()]


@pytest.mark.parametrize("rate", [5, 30, 150])
def test_a_thousand_processes_need_few_calls(rate):
    """Executors close so many processes in each half second."""

    async def scenario():
        server = ProcessServer(random.Random(1))
        group = make_group(server, range(1000))
        await group.submit()
        server.calls.clear()
        results = asyncio.create_task(group.results())
        begun = asyncio.get_running_loop().time()
        while server.in_state(WAITING) or server.in_state(RUNNING):
            server.assign(rate)
            await asyncio.sleep(0.5)
            server.close(rate)
        assert await results == [value * 10 for value in range(1000)]
        seconds = asyncio.get_running_loop().time() - begun
        lists = sum(isinstance(each, messages.GetProcesses) for each in server.calls)
        assert lists / seconds < (20 if rate > 100 else 10)
        # Where more close between two lists than a list holds, some are asked for one by one.
        assert len(server.calls) - lists <= (900 if rate > 100 else 50)

    virtual_time.run(scenario())


def test_a_refusal_ends_the_submission_and_what_was_submitted_remains():
    async def scenario():
        server = ProcessServer(random.Random(1))
        group = make_group(server, range(100))
        submission = asyncio.create_task(group.submit())
        await asyncio.sleep(0.5)
        server.refusal = AccessDenied(403, "Access denied, not a member")
        with pytest.raises(AccessDenied) as raised:
            await submission
        assert len(group) == len(server.processes) < 100
        assert raised.value.__notes__ == [group.report()]
        server.assign(100)
        server.close(100)
        assert len(await group.results()) == len(group)

    virtual_time.run(scenario())


def test_a_server_that_stays_away_ends_the_submission():
    async def scenario():
        server = ProcessServer(random.Random(1))
        server.is_down = True
        with pytest.raises(ServerUnreachable):
            await make_group(server, range(10)).submit()

    virtual_time.run(scenario())


def test_failed_processes_are_submitted_again_in_their_places():
    async def scenario():
        server = ProcessServer(random.Random(1))
        group = make_group(server, range(20))
        await group.submit()
        server.assign(20)
        server.close(8)
        server.close(5, FAILED)
        server.close(7)
        failed = [each for each in await group.results(errors="return") if isinstance(each, ProcessFailed)]
        assert len(failed) == 5
        assert await group.retry_failed() is group
        assert group.counts() == {"WAITING": 5, "SUCCESS": 15}
        server.assign(5)
        server.close(5)
        assert await group.results() == [value * 10 for value in range(20)]

    virtual_time.run(scenario())


@pytest.mark.parametrize("running", [0, 3, 300])
def test_cancelling_ends_all_that_have_not_ended(running):
    async def scenario():
        server = ProcessServer(random.Random(1), 0.05)
        group = make_group(server, range(400))
        await group.submit()
        server.assign(running)
        server.close(2)
        server.faults = 0.0
        await group.cancel()
        closed = min(running, 2)
        assert group.counts() == {**({"SUCCESS": closed} if closed else {}), "CANCELLED": 400 - closed}

    virtual_time.run(scenario())
