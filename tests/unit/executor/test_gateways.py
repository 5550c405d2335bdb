"""Executors behind a gateway that answers in place of the server for a while."""

from __future__ import annotations

import asyncio

import pytest
from gateway import FAULTS, Fault, Gateway

import colony_jupyter as cj
from colony_jupyter import settings as settings_module


@pytest.fixture
async def gateway(server):
    async with Gateway(server.port) as gateway:
        yield gateway


@pytest.fixture
async def executor(server, gateway):
    """An executor whose calls pass the gateway."""
    by_way = settings_module.resolve({**server.environ(), "COLONIES_SERVER_PORT": str(gateway.port)})
    executor = cj.Executor("task", settings=by_way)

    @executor.function("talk")
    async def talk(context):
        await context.log("a line")
        await context.channel("out").send("one")
        await context.channel("out").write("text")
        return "done"

    @executor.function("broken")
    def broken(context):
        raise ValueError("no luck")

    await asyncio.to_thread(executor.start)
    yield executor
    await asyncio.to_thread(executor.stop)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("executor")
async def test_every_call_of_an_executor_is_repeated_until_the_server_answers_and_counts_once(gateway, settings, fault):
    for call in ("assignprocessmsg", "addlogmsg", "channelappendmsg", "closesuccessfulmsg"):
        gateway.plan(call, [FAULTS[fault]])
    async with cj.AsyncColony(settings) as user:
        process = await user.submit("talk", channels=["out", "sync"], executortype="task")
        async with process.channel("out").stream(timeout=20) as stream:
            assert [entry.text async for entry in stream] == ["one", "text"]
        assert await process.result(20) == "done"
        assert [line.message for line in await user.logs(process)].count("a line") == 1
    assert gateway.planned == []


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("executor")
async def test_a_failure_is_reported_when_the_server_answers_again(gateway, settings, fault):
    gateway.plan("closefailedmsg", [FAULTS[fault]])
    async with cj.AsyncColony(settings) as user:
        process = await user.submit("broken", executortype="task")
        with pytest.raises(cj.ProcessFailed, match="no luck"):
            await process.result(20)
    assert gateway.planned == []


@pytest.mark.usefixtures("executor")
@pytest.mark.parametrize(
    ("call", "repeated_by"),
    [
        ("addlogmsg", "getlogsmsg"),  # whether the line is there
        ("closesuccessfulmsg", "closesuccessfulmsg"),
        ("assignprocessmsg", "getprocessesmsg"),  # whether a process was assigned
    ],
)
async def test_retry_after_is_honoured(gateway, settings, call, repeated_by):
    gateway.plan(call, [Fault(503, headers={"retry-after": "1"})])
    async with cj.AsyncColony(settings) as user:
        for _ in range(2):  # the first may end the poll that began before the plan
            process = await user.submit("talk", channels=["out"], executortype="task")
            assert await process.result(20) == "done"
    assert gateway.planned == []
    repeated = next(at for name, at in gateway.calls if name == repeated_by and at > gateway.failed_at)
    assert repeated - gateway.failed_at >= 1.0
