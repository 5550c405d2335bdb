"""The colony's verbs on the embedded colony, and mistakes in using them."""

from __future__ import annotations

import pytest

from colony_jupyter import (
    AccessDenied,
    AsyncColony,
    FunctionSpec,
    ProcessNotFound,
    ProcessState,
    ServerUnreachable,
    SettingsError,
    settings,
)
from colony_jupyter.errors import UsageError
from colony_jupyter.settings import resolve


class TestMistakes:
    async def test_no_server_at_the_address(self, place):
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

    async def test_a_function_that_no_executor_offers(self, place):
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
            assert await colony.workflows("running") == []
            with pytest.raises(UsageError, match="'runing' is not the state of a process"):
                await colony.workflows("runing")
            process = await colony.submit("f", executortype="absent")
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
            parent.conditions.executortype = "absent"
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


@pytest.mark.parametrize("state", ["runing", 9, "", None])
async def test_an_unknown_state_is_refused_with_the_known_ones(state, tmp_path):
    colony = AsyncColony(resolve({}, data=tmp_path))
    for call in (colony.processes(state), colony.subscribe_process("0" * 64, state, 1)):
        with pytest.raises(UsageError, match=r"is not the state of a process\. The states are: waiting \(0\), run"):
            await call
