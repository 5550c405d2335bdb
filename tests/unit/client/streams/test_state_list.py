"""The list of running processes that many watchers and log streams share, on a simulated server."""

from __future__ import annotations

import asyncio
import random
from typing import cast

import virtual_time
from simulated_processes import ProcessServer

from colony_jupyter.client.streams.state_list import StateList
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import FunctionSpec, ProcessRecord, ProcessState


async def submitted(server, count):
    """Submit processes; return their ids."""
    specs = [FunctionSpec(funcname="f", args=[number]) for number in range(count)]
    records = [await server.call(messages.SubmitFunctionSpec(spec=spec), ProcessRecord) for spec in specs]
    return [record.processid for record in records]


def lists(server):
    return sum(isinstance(call, messages.GetProcesses) for call in server.calls)


def test_it_holds_the_processes_that_run():
    async def scenario():
        server, running = ProcessServer(random.Random(0)), StateList(ProcessState.RUNNING)
        first, second = await submitted(server, 2)
        server.assign(1)
        assert await running.holds(server, "c", first)
        assert not await running.holds(server, "c", second)

    virtual_time.run(scenario())


def test_one_call_serves_all_for_a_second():
    async def scenario():
        server, running = ProcessServer(random.Random(0)), StateList(ProcessState.RUNNING)
        ids = await submitted(server, 50)
        server.assign(50)
        found = await asyncio.gather(*(running.holds(server, "c", processid) for processid in ids))
        assert found == [True] * 50
        assert lists(server) == 1
        server.close(50)
        await asyncio.sleep(1.1)
        assert not await running.holds(server, "c", ids[0])
        assert lists(server) == 2

    virtual_time.run(scenario())


def test_without_an_answer_the_earlier_list_is_used_and_the_next_call_comes_a_second_later():
    async def scenario():
        server, running = ProcessServer(random.Random(0)), StateList(ProcessState.RUNNING)
        (processid,) = await submitted(server, 1)
        server.assign(1)
        assert await running.holds(server, "c", processid)
        await asyncio.sleep(1.1)
        server.close(1)
        server.is_down = True
        assert await running.holds(server, "c", processid)
        server.is_down = False
        assert await running.holds(server, "c", processid)
        await asyncio.sleep(1.1)
        assert not await running.holds(server, "c", processid)

    virtual_time.run(scenario())


def test_a_record_is_that_of_the_latest_list_or_none():
    async def scenario():
        server, running = ProcessServer(random.Random(0)), StateList(ProcessState.RUNNING)
        first, second = await submitted(server, 2)
        server.assign(1)
        begun = asyncio.get_running_loop().time()
        record, asked = await running.find(server, "c", first)
        assert (record.state, asked) == (ProcessState.RUNNING, begun)
        assert await running.find(server, "c", second) is None
        assert lists(server) == 1
        await asyncio.sleep(0.6)
        server.is_down = True
        assert await running.find(server, "c", first) is None
        server.is_down = False
        await asyncio.sleep(0.6)
        assert await running.find(server, "c", first) is not None

    virtual_time.run(scenario())


def test_only_what_has_changed_is_read_again():
    async def scenario():
        server, running = ProcessServer(random.Random(0)), StateList(ProcessState.RUNNING)
        first, second = await submitted(server, 2)
        server.assign(2)
        before = {processid: (await running.find(server, "c", processid))[0] for processid in (first, second)}
        server.processes[second].output = ["half"]
        await asyncio.sleep(0.6)
        after = {processid: (await running.find(server, "c", processid))[0] for processid in (first, second)}
        assert lists(server) == 2
        assert after[first] is before[first]
        assert after[second].output == ["half"]

    virtual_time.run(scenario())


def test_a_list_that_cannot_be_read_counts_as_one_that_did_not_arrive(monkeypatch):
    async def scenario():
        server, running = ProcessServer(random.Random(0)), StateList(ProcessState.RUNNING)
        (processid,) = await submitted(server, 1)
        server.assign(1)
        assert await running.find(server, "c", processid) is not None
        server.processes[processid].state = cast("ProcessState", 9)
        monkeypatch.setattr(server, "in_state", lambda _: list(server.processes.values()))
        await asyncio.sleep(0.6)
        assert await running.find(server, "c", processid) is None
        server.processes[processid].state = ProcessState.RUNNING
        await asyncio.sleep(0.6)
        assert await running.find(server, "c", processid) is not None

    virtual_time.run(scenario())
