"""Processes, and the colony's verbs, on the embedded colony."""

from __future__ import annotations

import asyncio
import gc

import pytest

from colony_jupyter import (
    AccessDenied,
    AsyncColony,
    FunctionSpec,
    ProcessCancelled,
    ProcessFailed,
    ProcessNotFound,
    ProcessRemoved,
    ProcessState,
    ServerUnreachable,
    SettingsError,
    WaitTimeout,
    settings,
)
from colony_jupyter.errors import UsageError


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

    async def test_a_cancellation_and_a_removal_are_told_apart(self, running):
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
            assert (await later.colony.subscribe_process(later, "running", 1)).state is ProcessState.SUCCESS

    async def test_who_waits_in_vain_learns_for_what(self, place):
        async with AsyncColony(place) as colony:
            process = await colony.submit("f", executortype="nobody-has-it")
            sentence = (
                rf"Waited 0\.3 s for f \({process.processid[:8]}\) to run\. "
                r"Waiting for an executor of type 'nobody-has-it': none is registered\."
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


class TestMistakes:
    async def test_nobody_at_the_address(self, place):
        there = settings.resolve({**_environ(place), "COLONIES_SERVER_PORT": "1"})
        async with AsyncColony(there) as colony:
            with pytest.raises(
                ServerUnreachable, match=r"No ColonyOS server answers at 127\.0\.0\.1:1: Connection refused"
            ):
                await colony.executors()

    async def test_a_key_that_is_no_members(self, place):
        async with AsyncColony(settings.resolve({**_environ(place), "COLONIES_PRVKEY": "1f" * 32})) as colony:
            with pytest.raises(AccessDenied, match="the key used is no user or approved executor") as caught:
                await colony.submit("f", executortype="t")
            assert "1f1f" not in str(caught.value)

    async def test_a_colony_that_does_not_exist(self, place):
        async with AsyncColony(settings.resolve({**_environ(place), "COLONIES_COLONY_NAME": "none"})) as colony:
            with pytest.raises(AccessDenied, match="does not exist: check COLONIES_COLONY_NAME"):
                await colony.executors()

    async def test_without_the_owners_key_executors_cannot_be_added(self, place):
        environ = {name: value for name, value in _environ(place).items() if name != "COLONIES_COLONY_PRVKEY"}
        async with AsyncColony(settings.resolve(environ)) as colony:
            with pytest.raises(SettingsError, match="COLONIES_COLONY_PRVKEY is not set"):
                await colony.add_executor("x", "0" * 64, "t")

    async def test_a_process_that_is_not_known(self, place):
        async with AsyncColony(place) as colony:
            with pytest.raises(ProcessNotFound, match="not known to the server"):
                await colony.get_process("0" * 64)

    async def test_a_function_that_nobody_offers(self, place):
        async with AsyncColony(place) as colony:
            with pytest.raises(UsageError, match="No executor offers a function 'none-such'"):
                await colony.submit("none-such")


class TestVerbs:
    async def test_the_one_type_that_offers_a_function_is_found(self, running):
        async with running() as (mine, theirs):
            executortype = mine.spec.conditions.executortype
            await theirs.colony.add_function(executortype, f"only-{executortype}")
            process = await mine.colony.submit(f"only-{executortype}")
            assert process.spec.conditions.executortype == executortype
            await process.cancel()

    async def test_lists_are_lists_even_when_empty(self, place):
        async with AsyncColony(place) as colony:
            assert await colony.workflows(ProcessState.RUNNING) == []
            process = await colony.submit("f", executortype="nobody")
            assert await colony.logs(process) == []
            await process.cancel()

    async def test_logs_attributes_statistics_workflows(self, running):
        async with running() as (mine, theirs):
            await theirs.colony.add_log(theirs, "a line")
            assert [line.message for line in await mine.colony.logs(mine)] == ["a line"]
            attribute = await theirs.colony.add_attribute(theirs, "key", "value")
            assert (await mine.colony.get_attribute(attribute.attributeid)).value == "value"
            assert (await mine.colony.statistics()).runningprocesses >= 1
            parent = FunctionSpec(funcname="f", nodename="a")
            parent.conditions.executortype = "nobody"
            workflow = await mine.colony.submit_workflow([parent])
            assert (await mine.colony.get_workflow(workflow.processgraphid)).processids == workflow.processids
            await mine.colony.cancel_workflow(workflow.processgraphid)
            assert await mine.colony.is_paused() is False


def _environ(place):
    return {
        "COLONIES_SERVER_HOST": place.host,
        "COLONIES_SERVER_PORT": str(place.port),
        "COLONIES_TLS": "false",
        "COLONIES_COLONY_NAME": place.colonyname,
        "COLONIES_PRVKEY": place.prvkey.reveal(),
        "COLONIES_COLONY_PRVKEY": place.colony_prvkey.reveal(),
    }


async def test_what_is_kept_for_a_process_goes_with_its_last_handle(running):
    async with running() as (mine, theirs):
        colony = mine.colony
        process = await colony.submit("f", executortype="nobody", channels=["c"])
        await process.channel("c").write("still on its way")
        processid = process.processid
        del process
        gc.collect()
        # The text that waits keeps its writer, so that nobody else numbers entries beside it.
        await colony.handle(processid).channel("c").send("after")
        assert [entry.text for entry in await colony.channel_read(processid, "c")] == ["still on its way", "after"]
        await asyncio.sleep(0.2)
        gc.collect()
        assert processid not in colony._shared
        await theirs.colony.close(theirs)
