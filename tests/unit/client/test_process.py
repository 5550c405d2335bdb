"""Processes on the embedded colony: their results, and what is waited for."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
import virtual_time
from simulated_colony import ME, PID, SimulatedClient, SimulatedColony

from colony_jupyter import (
    AsyncColony,
    ProcessCancelled,
    ProcessFailed,
    ProcessRemoved,
    ProcessState,
    WaitTimeout,
)
from colony_jupyter.client.process import AsyncProcess
from colony_jupyter.errors import ColonyError, UsageError


class TestResults:
    @pytest.mark.parametrize(("output", "result"), [([], None), (["one"], "one"), ([1, [2]], [1, [2]]), ([None], None)])
    async def test_the_result_is_the_output(self, running, output, result):
        async with running() as (mine, theirs):
            waiting = asyncio.create_task(mine.result(10))
            await theirs.colony.close(theirs, output)
            assert await waiting == result
            assert mine.output == output

    async def test_a_failure_carries_the_executors_errors(self, running):
        async with running() as (mine, theirs):
            await theirs.colony.fail(theirs, ["disk full", "no space"])
            with pytest.raises(ProcessFailed, match=r"work \(.{8}\) failed: disk full; no space") as caught:
                await mine.result(10)
            assert caught.value.errors == ("disk full", "no space")

    async def test_a_cancellation_and_a_removal_are_distinguished(self, running):
        async with running() as (mine, _):
            await mine.cancel()
            with pytest.raises(ProcessCancelled):
                await mine.result(10)
        async with running() as (mine, _):
            waiting = asyncio.create_task(mine.result(20))
            await mine.running(10)
            await mine.colony.remove_all_processes()
            with pytest.raises(ProcessRemoved):
                await waiting

    async def test_running_returns_too_once_it_has_run(self, running, place):
        async with running() as (mine, theirs), AsyncColony(place) as another:
            assert (await mine.running(10)).state is ProcessState.RUNNING
            await theirs.colony.close(theirs)
            later = await another.get_process(mine.processid)
            assert (await later.running(1)).state is ProcessState.SUCCESS
            assert (await another.subscribe_process(later, "running", 1)).state is ProcessState.SUCCESS

    async def test_who_waits_in_vain_learns_for_what(self, place):
        async with AsyncColony(place) as colony:
            process = await colony.submit("f", executortype="absent-type")
            sentence = (
                rf"Waited 0\.3 s for f \({process.processid[:8]}\) to run\. "
                r"Waiting for an executor of type 'absent-type': none is registered\."
            )
            with pytest.raises(WaitTimeout, match=sentence):
                await process.running(0.3)
            with pytest.raises(WaitTimeout, match=r"to end\. Waiting for an executor"):
                await process.result(0.3)
            await process.cancel()
            with pytest.raises(ProcessCancelled):
                await process.running(5)

    async def test_who_waits_for_the_end_learns_how_far_it_is(self, running):
        async with running() as (mine, theirs):
            with pytest.raises(WaitTimeout, match=r"to end\. It is RUNNING\."):
                await mine.result(0.3)
            await theirs.colony.close(theirs)

    async def test_who_waits_for_certain_executors_learns_which(self, running, place):
        async with running() as (_, theirs), AsyncColony(place) as colony:
            executortype = theirs.spec.conditions.executortype
            process = await colony.submit("f", executortype=executortype, executornames=["a", "b"])
            with pytest.raises(WaitTimeout, match=rf"type '{executortype}' named 'a' or 'b': none is registered\."):
                await process.running(0.3)
            process = await colony.submit("f", executortype=executortype)
            with pytest.raises(WaitTimeout, match=rf"executor of type '{executortype}' to be free\."):
                await process.running(0.3)

    async def test_a_spec_without_maxexectime_does_not_die_of_it(self, running):
        async with running() as (mine, theirs):
            await asyncio.sleep(2.5)
            assert (await mine.refresh()).state is ProcessState.RUNNING
            assert mine.spec.maxexectime == -1
            await theirs.colony.close(theirs)


class TestWithoutANetwork:
    """On a simulated server, on virtual time."""

    def simulated(self, scenario):
        async def work():
            server = SimulatedColony()
            await scenario(server, AsyncProcess(Colony(server), PID))

        virtual_time.run(work())

    def test_nothing_is_known_before_the_first_call_and_a_wait_makes_it(self):
        async def scenario(server, process):
            with pytest.raises(UsageError, match=r"Nothing is known of process .* yet: call refresh\(\) first"):
                _ = process.record
            await process.running(5)
            assert process.state is ProcessState.RUNNING

        self.simulated(scenario)

    def test_a_result_is_waited_for_and_the_reader_need_not_know_the_process(self):
        async def scenario(server, process):
            asyncio.get_running_loop().call_later(5, lambda: server.close(output=[1, 2]))
            assert await process.result(20) == [1, 2]

        self.simulated(scenario)

    def test_closed_returns_however_it_ended(self):
        async def scenario(server, process):
            server.close(ProcessState.FAILED, errors=["text"])
            assert await process.closed(5) is process
            with pytest.raises(ProcessFailed):
                await process.result(5)

        self.simulated(scenario)

    def test_a_state_may_be_given_by_its_name_and_may_have_passed(self):
        async def scenario(server, process):
            with pytest.raises(UsageError, match="'runing' is not the state of a process"):
                await process.wait("runing", 5)
            assert await process.wait("waiting", 5) is process
            assert await process.wait("running", 5) is process
            assert await process.wait("waiting", 5) is process
            server.close()
            assert await process.wait("success", 5) is process

        self.simulated(scenario)

    def test_a_wait_for_a_failure_ends_with_an_error_when_it_succeeds(self):
        async def scenario(server, process):
            server.close()
            with pytest.raises(ColonyError, match=r"f \(aaaaaaaa\) ended with success, not FAILED\."):
                await process.wait(ProcessState.FAILED, 5)

        self.simulated(scenario)

    def test_a_failure_that_another_member_of_its_workflow_caused_names_that_one(self):
        async def scenario(server, process):
            process.colony.cause = "node 'a' (f) failed: no luck"
            server.close(ProcessState.FAILED, errors=[])
            with pytest.raises(ProcessFailed, match=r"node 'a' \(f\) failed: no luck"):
                await process.result(5)

        self.simulated(scenario)

    def test_a_member_of_a_workflow_is_cancelled_only_with_the_whole(self):
        async def scenario(server, process):
            server.record = msgspec.structs.replace(server.record, processgraphid="f" * 64)
            with pytest.raises(UsageError, match=r"is part of workflow ffffffff: .*only as a whole"):
                await process.cancel()

        self.simulated(scenario)


class Colony(SimulatedClient):
    """A client of the simulated server, with what a process asks it for."""

    def __init__(self, server) -> None:
        super().__init__(server, ME)
        self.cause = ""
        self._session = server.session()
        self._session.watch.record = None

    def shared(self, processid):
        assert processid == PID
        return self._session

    async def workflow_failure(self, record):
        return self.cause

    async def explain_waiting(self, record):
        return "It waits."
