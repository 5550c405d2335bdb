"""The official SDK on one side of a channel, ours on the other."""

from __future__ import annotations

import asyncio
import threading

import pytest

from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.errors import ProcessFailed
from colony_jupyter.settings import resolve
from colony_jupyter.wire.identity import PrivateKey


@pytest.fixture
async def as_member(world):
    """Make our client for a member of the colony."""
    made = []

    def make(member):
        settings = resolve(
            {
                "COLONIES_SERVER_HOST": world.sdk.host,
                "COLONIES_SERVER_PORT": str(world.sdk.port),
                "COLONIES_TLS": str(world.sdk.tls).lower(),
                "COLONIES_COLONY_NAME": world.colonyname,
                "COLONIES_PRVKEY": member.prvkey,
            }
        )
        made.append(AsyncColony(settings, prvkey=PrivateKey(member.prvkey)))
        return made[-1]

    yield make
    for colony in made:
        await colony.aclose()


async def test_our_reader_sees_the_whole_stream_of_an_sdk_executor(world, user, executor, as_member):
    reading = threading.Event()

    def run():
        process = world.assign(executor, timeout=10)
        for step in range(1, 11):
            text = f"step {step}/{process.spec.args[0]}"
            world.sdk.channel_append(process.processid, "progress", 2 * step, text, executor.prvkey)
            assert reading.wait(20)
        world.sdk.channel_append(process.processid, "progress", 22, "", executor.prvkey, payload_type="end")
        world.sdk.close(process.processid, ["done"], executor.prvkey)

    running = asyncio.create_task(asyncio.to_thread(run))
    colony = as_member(user)
    process = await colony.submit("work", 10, channels=["progress"], executortype=executor.executortype)
    texts = []
    async for entry in process.channel("progress"):
        texts.append(entry.text)
        reading.set()
    assert texts == [f"step {n}/10" for n in range(1, 11)]
    assert await process.result(timeout=10) == "done"
    await running


async def test_our_reader_ends_though_an_sdk_executor_sends_no_end(world, user, executor, as_member):
    loop, came = asyncio.get_running_loop(), asyncio.Event()

    def run():
        process = world.assign(executor, timeout=10)
        world.sdk.channel_append(process.processid, "progress", 2, "only", executor.prvkey)
        # Closing before the entry was read is the race of the tutorial's part 6, and not what is tried here.
        asyncio.run_coroutine_threadsafe(came.wait(), loop).result(20)
        world.sdk.fail(process.processid, ["it broke"], executor.prvkey)

    running = asyncio.create_task(asyncio.to_thread(run))
    colony = as_member(user)
    process = await colony.submit("work", channels=["progress"], executortype=executor.executortype)
    texts = []
    async for entry in process.channel("progress"):
        texts.append(entry.text)
        came.set()
    assert texts == ["only"]
    with pytest.raises(ProcessFailed, match="it broke"):
        await process.result(timeout=10)
    await running


async def test_an_sdk_reader_sees_the_whole_stream_of_our_executor(world, user, executor, as_member):
    submitted = await asyncio.to_thread(world.submit, user, executor, "work", (3,), channels=["progress"])
    ours = as_member(executor)
    process = await ours.assign(timeout=5)
    assert process is not None
    assert (process.processid, process.spec.args) == (submitted.processid, [3])

    def read():
        came = []

        def callback(entries):
            came.extend(entries)
            return not any(entry["type"] == "end" for entry in entries)

        world.sdk.subscribe_channel(submitted.processid, "progress", user.prvkey, timeout=20, callback=callback)
        return came

    reading = asyncio.create_task(asyncio.to_thread(read))
    for step in range(1, 4):
        await process.channel("progress").send(f"step {step}/3")
    await process.channel("progress").end()
    came = await reading
    assert [entry["payload"] for entry in came if entry["type"] == "data"] == [b"step 1/3", b"step 2/3", b"step 3/3"]
    assert [entry["sequence"] for entry in came] == [2, 4, 6, 8]
    await ours.close(process, ["done"])
    finished = await asyncio.to_thread(world.sdk.get_process, submitted.processid, user.prvkey)
    assert (finished.state, finished.output) == (world.sdk.SUCCESSFUL, ["done"])


async def test_a_question_of_ours_is_answered_by_an_sdk_executor(world, user, executor, as_member):
    def run():
        process = world.assign(executor, timeout=10)

        def callback(entries):
            for entry in entries:
                if entry["senderid"] != world.crypto.id(executor.prvkey):
                    text = f"You said {entry['payload'].decode()}"
                    world.sdk.channel_append(
                        process.processid, "chat", 2, text, executor.prvkey, in_reply_to=entry["sequence"]
                    )
                    return False
            return True

        world.sdk.subscribe_channel(process.processid, "chat", executor.prvkey, timeout=20, callback=callback)
        return process.processid

    answering = asyncio.create_task(asyncio.to_thread(run))
    process = await as_member(user).submit("chat", channels=["chat"], executortype=executor.executortype)
    reply = await process.channel("chat").ask("hello", timeout=15)
    assert (reply.text, reply.inreplyto) == ("You said hello", 1)
    await asyncio.to_thread(world.sdk.close, await answering, ["bye"], executor.prvkey)
