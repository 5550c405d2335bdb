"""The embedded colony's process with the real server inside: what was acknowledged outlives it; deafness; ending."""

from __future__ import annotations

import asyncio
import http.client
import threading
import time

import pytest
from kernels import Kernel
from websockets.asyncio.client import connect

from colony_jupyter import embedded
from colony_jupyter.datafolder import info
from colony_jupyter.wire import messages
from colony_jupyter.wire.envelope import open_reply, seal
from colony_jupyter.wire.models import Conditions, ExecutorRecord, FunctionSpec


def call(port, message, key):
    """One call on a connection of its own; the status and the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/api", seal(message, key))
        answer = connection.getresponse()
        return answer.status, open_reply(answer.read())[1]
    finally:
        connection.close()


def submit(port, keys):
    spec = FunctionSpec(
        funcname="f",
        conditions=Conditions(colonyname=keys.colonyname, executortype="t"),
        channels=["progress"],
    )
    status, process = call(port, messages.SubmitFunctionSpec(spec=spec), keys.prvkey)
    assert status == 200
    return process["processid"]


def test_the_user_is_a_member_and_owner_keys_own(colony_server):
    port, keys = colony_server.port, colony_server.keys
    status, users = call(port, messages.GetUsers(colonyname="dev"), keys.prvkey)
    assert status == 200
    assert [(user["userid"], user["name"]) for user in users] == [(keys.prvkey.id, keys.username)]
    assert call(port, messages.GetUsers(colonyname="dev"), keys.colony_prvkey)[0] == 403  # trap 11
    status, colonies = call(port, messages.GetColonies(), keys.server_prvkey)
    assert (status, [colony["name"] for colony in colonies]) == (200, ["dev"])


def test_what_was_acknowledged_is_there_for_the_next_owner(tmp_path):
    data = tmp_path / "data"
    with Kernel(data) as first, Kernel(data) as second:
        port = first.ensure()
        second.ensure()
        keys = embedded.keys(data)
        processid = submit(port, keys)
        entry = messages.ChannelAppend(processid=processid, name="progress", sequence=1, payload=b"kept")
        assert call(port, entry, keys.prvkey)[0] == 200
        first.kill()
        while True:  # the dying one may be found for an instant more
            try:
                answer = call(second.ensure(), messages.ChannelRead(processid=processid, name="progress"), keys.prvkey)
                break
            except (OSError, http.client.HTTPException):
                continue
        assert answer[0] == 200
        assert [found["sequence"] for found in answer[1]] == [1]
        second.end()


def test_killed_and_restarted_it_has_what_it_acknowledged(colony_server):
    processid = submit(colony_server.port, colony_server.keys)
    colony_server.kill()
    colony_server.restart()
    status, process = call(colony_server.port, messages.GetProcess(processid=processid), colony_server.prvkey)
    assert (status, process["processid"]) == (200, processid)


@pytest.mark.parametrize("deaf", [False, True])
async def test_pings_during_a_channel_subscription(make_colony_server, deaf):
    server = await asyncio.to_thread(make_colony_server, deaf=deaf)
    processid = await asyncio.to_thread(submit, server.port, server.keys)
    async with connect(f"ws://127.0.0.1:{server.port}/pubsub", ping_interval=None, close_timeout=0.1) as client:
        await asyncio.wait_for(await client.ping(), 1)
        subscription = messages.SubscribeChannel(processid=processid, name="progress", timeout=1)
        await client.send(seal(subscription, server.prvkey))
        pong = await client.ping()
        if deaf:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(pong), 0.5)
        else:
            await asyncio.wait_for(asyncio.shield(pong), 0.5)
        assert open_reply(await client.recv()) == ("subscribechannelmsg", [])
        await asyncio.wait_for(pong, 1)


def test_ending_waits_for_no_long_poll_and_answers_it(colony_server):
    keys, port = colony_server.keys, colony_server.port
    key = type(keys.prvkey)("11" * 32)
    executor = ExecutorRecord(executortype="t", executorname="e", executorid=key.id, colonyname="dev")
    assert call(port, messages.AddExecutor(executor=executor), keys.colony_prvkey)[0] == 200
    approve = messages.ApproveExecutor(colonyname="dev", executorname="e")
    assert call(port, approve, keys.colony_prvkey)[0] == 200
    answers = []
    poll = threading.Thread(
        target=lambda: answers.append(call(port, messages.AssignProcess(colonyname="dev", timeout=60), key))
    )
    poll.start()
    time.sleep(0.3)  # until the poll waits; nothing tells
    start = time.monotonic()
    colony_server.stop()
    assert time.monotonic() - start < 2
    poll.join()
    assert answers[0][0] == 404  # "nothing now" (trap 14), which clients take as such
    assert "Traceback" not in colony_server.log
    assert info.read(colony_server.data / "running.json") is None
