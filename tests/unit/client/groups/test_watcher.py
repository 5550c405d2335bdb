"""Following a group by lists, on a simulated server. `tests/properties/test_groups.py` plays ends at random."""

from __future__ import annotations

import asyncio
import random

import pytest
import virtual_time
from simulated_processes import ProcessServer

from colony_jupyter.client.groups.group import AsyncProcessGroup
from colony_jupyter.errors import AccessDenied, ServerUnreachable, UsageError
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import FunctionSpec


def simulated(scenario, count=3):
    """Run a scenario with a simulated server and a group of processes on it, on virtual time."""

    async def work():
        server = ProcessServer(random.Random(0))
        specs = [FunctionSpec(funcname="f", args=[number], label="sweep") for number in range(count)]
        group = AsyncProcessGroup(server, specs, [{"x": number} for number in range(count)])
        await group.submit()
        await scenario(server, group)

    virtual_time.run(work())


def refuse(server, kind, error):
    """Have the server refuse all calls of a class."""
    call = server.call

    async def refusing(message, shape):
        if isinstance(message, kind):
            raise error
        return await call(message, shape)

    server.call = refusing


def test_changes_are_known_within_a_second_and_a_quiet_group_costs_little():
    async def scenario(server, group):
        async with group.watch.following():
            server.assign(2)
            await asyncio.sleep(1.5)
            assert group.counts() == {"WAITING": 1, "RUNNING": 2}
            await asyncio.sleep(30)
            before = len(server.calls)
            await asyncio.sleep(60)
            assert len(server.calls) - before <= 150

    simulated(scenario)


def test_nothing_is_asked_once_nothing_waits():
    async def scenario(server, group):
        async with group.watch.following(), group.watch.following():
            await asyncio.sleep(2)
        before = len(server.calls)
        await asyncio.sleep(60)
        assert len(server.calls) == before

    simulated(scenario)


def test_it_is_followed_until_nothing_waits_any_more():
    async def scenario(server, group):
        async with group.watch.following():
            async with group.watch.following():
                await asyncio.sleep(2)
            server.assign(1)
            async with asyncio.timeout(5):
                await group.watch.change()
            assert group.counts()["RUNNING"] == 1

    simulated(scenario)


def test_a_change_wakes_what_waits():
    async def scenario(server, group):
        async with group.watch.following():
            await asyncio.sleep(5)
            asyncio.get_running_loop().call_later(1.0, server.assign, 1)
            async with asyncio.timeout(5):
                await group.watch.change()
            assert group.counts()["RUNNING"] == 1

    simulated(scenario)


def test_a_server_that_does_not_answer_is_trouble_until_it_does():
    async def scenario(server, group):
        async with group.watch.following():
            await asyncio.sleep(1)
            server.is_down = True
            async with asyncio.timeout(10):
                await group.watch.change()
            assert "No ColonyOS server answers" in group.watch.trouble
            server.is_down = False
            async with asyncio.timeout(10):
                await group.watch.change()
            assert group.watch.trouble == ""

    simulated(scenario)


def test_a_refusal_is_raised_by_each_wait_and_the_next_following_begins_anew():
    async def scenario(server, group):
        original = server.call
        refuse(server, messages.GetProcesses, AccessDenied(403, "Access denied"))
        async with group.watch.following():
            for _ in range(2):
                with pytest.raises(AccessDenied):
                    await _refusal(group)
        server.call = original
        async with group.watch.following():
            server.assign(1)
            async with asyncio.timeout(10):
                await group.watch.change()
            assert group.counts()["RUNNING"] == 1

    simulated(scenario)


async def _refusal(group):
    """Wait for changes until one is a refusal."""
    async with asyncio.timeout(10):
        while True:
            await group.watch.change()


def test_a_process_that_no_list_shows_is_asked_for_and_may_have_been_removed():
    async def scenario(server, group):
        server.remove(1)
        async with group.watch.following():
            await asyncio.sleep(20)
        assert group.counts() == {"WAITING": 2, "REMOVED": 1}

    simulated(scenario)


def test_one_that_is_asked_for_without_an_answer_is_asked_for_again():
    async def scenario(server, group):
        original = server.call
        server.remove(1)
        refuse(server, messages.GetProcess, ServerUnreachable("simulated:1", "connection refused"))
        async with group.watch.following():
            await asyncio.sleep(20)
            assert group.counts() == {"WAITING": 3}
            server.call = original
            await asyncio.sleep(20)
        assert group.counts() == {"WAITING": 2, "REMOVED": 1}

    simulated(scenario)


def test_a_refresh_asks_now_and_not_at_all_once_all_are_over():
    async def scenario(server, group):
        server.assign(3)
        server.close(3)
        await group.refresh()
        assert group.counts() == {"SUCCESS": 3}
        before = len(server.calls)
        await group.refresh()
        assert len(server.calls) == before

    simulated(scenario)


def test_a_closed_client_is_not_waited_on():
    async def scenario(server, group):
        async with group.watch.following():
            server.scope.is_closed = True
            with pytest.raises(UsageError, match="closed"):
                await group.watch.change()

    simulated(scenario)
