"""The watcher of a process on a simulated server: how soon a change is known, and what that costs.

`tests/properties/test_process_watcher.py` plays changes at random.
"""

from __future__ import annotations

import asyncio
import random

import msgspec
import pytest
import virtual_time
from simulated_colony import ME, SimulatedColony
from simulated_processes import ProcessServer

from colony_jupyter.client.process_session import ProcessSession
from colony_jupyter.client.process_watcher import Followed
from colony_jupyter.errors import AccessDenied, ProcessNotFound, ProcessRemoved, ServerUnreachable
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import FunctionSpec, ProcessRecord, ProcessState


def simulated(scenario, **options):
    """Run a scenario with a simulated server and what its client knows of the process, on virtual time."""

    async def work():
        server = SimulatedColony(**options)
        await scenario(server, server.session())

    virtual_time.run(work())


def asked(server):
    return sum(isinstance(call, messages.GetProcess) for call in server.calls)


async def end(session):
    """Follow the process to its end; return the seconds that takes."""
    begun = asyncio.get_running_loop().time()
    async with session.watch.following():
        while not session.watch.is_over:
            await session.watch.change()
    return asyncio.get_running_loop().time() - begun


def test_an_announced_end_is_known_at_once():
    async def scenario(server, session):
        following = asyncio.create_task(end(session))
        await asyncio.sleep(10.0)
        server.close(output=[1])
        assert await following < 10.1
        assert session.watch.record.output == [1]

    simulated(scenario)


@pytest.mark.parametrize("after", [0.01, 0.06, 0.11])
def test_a_process_that_has_run_before_the_subscription_exists_is_known_at_once(after):
    async def work():
        server = SimulatedColony(latency=lambda: 0.05)
        server.record = msgspec.structs.replace(server.record, state=ProcessState.WAITING, assignedexecutorid="")
        following = asyncio.create_task(end(server.session()))
        await asyncio.sleep(after)
        server.close()
        assert await following < 0.3

    virtual_time.run(work())


@pytest.mark.parametrize("state", [ProcessState.FAILED, ProcessState.CANCELLED])
def test_an_end_that_is_not_announced_is_known_within_a_second(state):
    async def scenario(server, session):
        following = asyncio.create_task(end(session))
        await asyncio.sleep(10.0)
        server.close(state, errors=["text"])
        assert await following < 11.0
        assert session.watch.record.state is state

    simulated(scenario)


def test_nothing_is_asked_while_the_process_is_not_followed():
    async def scenario(server, session):
        async with session.watch.following():
            await asyncio.sleep(5.0)
        before = len(server.calls)
        await asyncio.sleep(60.0)
        assert len(server.calls) == before > 0
        assert server.sockets == set()

    simulated(scenario)


@pytest.mark.parametrize("state", [ProcessState.SUCCESS, ProcessState.FAILED])
def test_nothing_runs_on_once_the_end_is_known(state):
    async def scenario(server, session):
        tasks = asyncio.all_tasks()
        following = asyncio.create_task(end(session))
        await asyncio.sleep(10.0)
        server.close(state, errors=["text"])
        await following
        for _ in range(3):  # turns of the loop, in which the task that saw the end returns
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == tasks

    simulated(scenario)


def test_where_a_channel_is_read_no_other_socket_is_opened():
    async def scenario(server, session):
        async with session.watch.following(announced=False):
            await asyncio.sleep(30.0)
        assert server.opened == []

    simulated(scenario)


def test_the_executor_of_a_process_waits_for_no_announcement():
    async def scenario(server, session):
        server.record = msgspec.structs.replace(server.record, assignedexecutorid=ME)
        session.learn(server.record)
        async with session.watch.following():
            await asyncio.sleep(30.0)
        assert server.opened == []

    simulated(scenario)


def test_where_web_sockets_are_refused_requests_suffice():
    async def scenario(server, session):
        server.refuses_sockets = True
        following = asyncio.create_task(end(session))
        await asyncio.sleep(100.0)
        server.close()
        assert await following < 101.0

    simulated(scenario)


def test_an_outage_ends_nothing():
    async def scenario(server, session):
        following = asyncio.create_task(end(session))
        await asyncio.sleep(3.0)
        server.is_down = True
        server.cut()
        server.close(errors=["text"], state=ProcessState.FAILED)
        await asyncio.sleep(20.0)
        assert not following.done()
        server.is_down = False
        assert await following < 26.0

    simulated(scenario)


def test_what_a_gateway_asks_to_wait_is_waited():
    async def scenario(server, session):
        server.refuses = ServerUnreachable("simulated:1", "HTTP 429", sent=True, status=429, retry_after=20.0)
        async with session.watch.following(announced=False):
            await asyncio.sleep(60.0)
        assert asked(server) <= 4

    simulated(scenario)


def test_an_end_that_is_expected_is_known_sooner():
    async def scenario(server, session):
        following = asyncio.create_task(end(session))
        await asyncio.sleep(10.0)
        session.watch.expect_end()
        await asyncio.sleep(0.0)
        server.close(ProcessState.FAILED, errors=["text"])
        assert await following < 10.6

    simulated(scenario)


def test_a_failure_without_errors_is_asked_for_again():
    """The errors of a process may be stored after its state (docs/protocol.md, trap 30)."""

    async def scenario(server, session):
        server.close(ProcessState.FAILED, errors=[])
        asyncio.get_running_loop().call_later(0.03, lambda: server.record.errors.append("no luck"))
        await session.watch.refresh()
        assert session.watch.record.errors == ["no luck"]

    simulated(scenario)


def test_a_process_that_the_server_does_not_know_is_removed():
    async def scenario(server, session):
        server.refuses = ProcessNotFound(404, "process not found")
        following = asyncio.create_task(end(session))
        assert await following < 1.0
        assert session.watch.removed
        await session.watch.change()  # nothing is waited for any more
        with pytest.raises(ProcessRemoved):
            await session.refresh()
        server.refuses = None
        session.learn(server.record)
        assert session.watch.is_over, "an id is not used again"

    simulated(scenario)


def test_a_removal_of_a_process_that_has_closed_changes_nothing():
    async def scenario(server, session):
        server.close(output=[1])
        await session.watch.refresh()
        session.watch.learn(None)
        assert not session.watch.removed
        assert session.watch.record.output == [1]

    simulated(scenario)


def test_a_refusal_is_raised_by_a_request_and_ends_no_watch():
    async def scenario(server, session):
        server.refuses = AccessDenied(403, "Access denied")
        with pytest.raises(AccessDenied):
            await session.watch.refresh()
        following = asyncio.create_task(end(session))
        await asyncio.sleep(30.0)
        server.refuses = None
        server.close()
        await following

    simulated(scenario)


def test_the_announcement_of_success_does_not_replace_a_record_with_output():
    async def scenario(server, session):
        now = asyncio.get_running_loop().time
        server.close(output=[1])
        session.learn(server.record, asked=now())
        session.learn(msgspec.structs.replace(server.record, output=[]), asked=now() - 1)
        assert session.watch.record.output == [1]

    simulated(scenario)


def test_many_processes_are_asked_for_less_often_each():
    few, many = Followed(count=1), Followed(count=200)
    assert few.interval() == 0.5
    assert many.interval() == 2.0
    assert Followed(count=100_000).interval() == 4.0


def test_many_streams_read_their_idle_logs_less_often_each():
    assert Followed(streams=1).silence() < 5.0
    assert Followed(streams=1000).silence() == 50.0


def test_calls_for_lines_of_logs_take_turns():
    followed = Followed()
    assert [round(followed.log_turn(100.0), 2) for _ in range(3)] == [0.0, 0.04, 0.08]
    assert followed.log_turn(200.0) == 0.0


def test_the_interval_for_a_process_depends_on_how_many_are_followed():
    async def scenario(server, session):
        alone = session.watch.poll_interval()
        session.watch.followed.count = 300
        assert session.watch.poll_interval() > alone

    simulated(scenario)


class Quick(random.Random):
    """Makes every call of a simulated server take its shortest time."""

    def choice(self, seq):
        return seq[0]


async def follow_all(sessions, known):
    """Follow processes to their ends; record when each end is known."""

    async def follow(session):
        async with session.watch.following(announced=False):
            while not session.watch.is_over:
                await session.watch.change()
            known.append(asyncio.get_running_loop().time())

    await asyncio.gather(*(follow(session) for session in sessions))


@pytest.mark.parametrize("state", [ProcessState.SUCCESS, ProcessState.FAILED, ProcessState.CANCELLED])
def test_a_hundred_processes_are_followed_by_lists_and_each_end_is_known_within_a_second(state):
    async def scenario():
        server, followed, known = ProcessServer(Quick(1)), Followed(), []
        specs = [FunctionSpec(funcname="f", args=[number]) for number in range(100)]
        records = [await server.call(messages.SubmitFunctionSpec(spec=spec), ProcessRecord) for spec in specs]
        sessions = [ProcessSession(server, record.processid, followed) for record in records]
        for session, record in zip(sessions, records, strict=True):
            session.learn(msgspec.structs.replace(record))
        following = asyncio.create_task(follow_all(sessions, known))
        await asyncio.sleep(5)
        server.assign(100)
        await asyncio.sleep(5)
        assert {session.watch.record.state for session in sessions} == {ProcessState.RUNNING}
        server.calls.clear()
        await asyncio.sleep(20)
        assert len(server.calls) <= 2 * 20 + 1
        assert not known
        ended = asyncio.get_running_loop().time()
        server.close(100, state)
        await following
        assert len(known) == 100
        assert max(known) < ended + 1.1
        assert {session.watch.record.state for session in sessions} == {state}

    virtual_time.run(scenario())
