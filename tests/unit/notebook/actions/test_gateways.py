"""What a pane shows of a process while a gateway answers in place of the server."""

from __future__ import annotations

import asyncio
import random

import pytest
from gateway import FAULTS, Fault, Gateway
from short_processes import RecordingView

from colony_jupyter import AsyncColony
from colony_jupyter import settings as settings_module
from colony_jupyter.notebook.actions.process_feed import ProcessFeed
from colony_jupyter.wire.identity import PrivateKey

CALLS = ("getprocessmsg", "channelreadmsg", "getexecutorbyidmsg", "getexecutorsmsg")


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_pane_shows_everything_although_each_of_its_queries_fails_several_times(server, fault):
    direct = settings_module.resolve(server.environ())
    key = PrivateKey.generate(random.randbytes)
    async with Gateway(server.port) as gateway, AsyncColony(direct) as owner:
        name = f"unit-{key.id[:12]}-x"
        await owner.add_executor(name, key.id, name)
        await owner.approve_executor(name)
        submitted = await owner.submit("work", channels=["out"], executortype=name)
        by_way = settings_module.resolve({**server.environ(), "COLONIES_SERVER_PORT": str(gateway.port)})
        async with AsyncColony(by_way) as user, AsyncColony(direct, prvkey=key) as executor, asyncio.timeout(40):
            for call in CALLS:
                gateway.plan(call, [FAULTS[fault]] * 3)
            follower = ProcessFeed(user.handle(submitted.processid), history=10)
            view = RecordingView()
            follower.start()
            follower.turn_to(view)
            assigned = await executor.assign(5)
            channel = assigned.channel("out")
            for text in ("one", "two"):
                await channel.send(text)
            while len(view.received) < 2:  # noqa: ASYNC110 - the view has no event
                await asyncio.sleep(0.02)
            await channel.end()
            await executor.close(assigned, ["done"])
            await follower.follow_to_success()
    assert view.received == [("out", "data", "one"), ("out", "data", "two"), ("out", "end", "")]
    assert view.faults == []
    assert not any(call in ("getprocessmsg", "channelreadmsg") for call, _ in gateway.planned)


@pytest.mark.parametrize("fault", [Fault(401), Fault(403), Fault(407), Fault(302, headers={"location": "http://h/x"})])
async def test_a_final_refusal_of_a_gateway_is_shown(server, fault):
    async with Gateway(server.port) as gateway:
        gateway.outage = fault
        by_way = settings_module.resolve({**server.environ(), "COLONIES_SERVER_PORT": str(gateway.port)})
        async with AsyncColony(by_way) as user, asyncio.timeout(20):
            follower = ProcessFeed(user.handle("0" * 64))
            view = RecordingView()
            follower.start()
            follower.turn_to(view)
            await follower.wait()
    (shown,) = view.faults
    assert f"127.0.0.1:{gateway.port} did not pass the request on to ColonyOS: HTTP {fault.status}" in shown
