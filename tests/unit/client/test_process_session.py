"""What the handles of one client to a process share."""

from __future__ import annotations

import asyncio
import gc

import pytest
import virtual_time
from simulated_colony import ME, THEM, SimulatedColony

from colony_jupyter.client.streams.acknowledgement import ACK
from colony_jupyter.errors import ChannelClosed, ProcessNotFound, ProcessRemoved, UsageError
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import SYNC, ProcessState


def simulated(scenario, *, owner=ME, channels=("c",)):
    """Run a scenario with a simulated server and the session of one party, on virtual time."""

    async def work():
        server = SimulatedColony(channels=channels)
        session = server.session(owner)
        try:
            await scenario(server, session)
        finally:
            await session.aclose()

    virtual_time.run(work())


def test_each_channel_has_one_writer_and_one_sender_of_questions():
    async def scenario(server, session):
        assert session.writer("c") is session.writer("c")
        assert session.writer("c") is not session.writer("d")
        assert session.request_reply("c") is session.request_reply("c")
        assert session.request_reply("c") is not session.request_reply("d")

    simulated(scenario, channels=("c", "d"))


def test_a_record_counts_as_fresh_from_then_on():
    async def scenario(server, session):
        assert not session.fresh
        session.learn(server.record, fresh=True)
        session.learn(server.record)
        assert session.fresh

    simulated(scenario)


def test_a_process_that_the_server_does_not_know_any_more_is_removed():
    async def scenario(server, session):
        assert (await session.refresh()).state is ProcessState.RUNNING
        server.refuses = ProcessNotFound(404, "process not found")
        with pytest.raises(ProcessRemoved):
            await session.refresh()

    simulated(scenario)


@pytest.mark.parametrize("kept", ["longer", "shorter"])
def test_a_question_uses_the_open_stream_and_then_resumes_behind_what_was_received_most(kept):
    async def scenario(server, session):
        stream = session.subscription("c", to_end=False)
        stream.start()
        await stream.listening()
        assert session._reading("c", None) == (stream, False)
        for number in range(3):
            server.append(THEM, str(number))
        await asyncio.sleep(1)
        await stream.aclose()
        earlier = session.subscription("c", to_end=False).inbox
        if kept == "longer":
            for number in range(5):
                earlier.add([server.append(THEM, str(number))])
        reading, is_new = session._reading("c", earlier)
        assert is_new
        assert reading.inbox is (earlier if kept == "longer" else stream.inbox)

    simulated(scenario)


@pytest.mark.parametrize(("owner", "channels", "sent"), [(ME, ("c", SYNC), 1), (ME, ("c",), 0), (THEM, ("c", SYNC), 0)])
def test_only_the_initiator_acknowledges_and_only_where_the_channel_for_it_is_declared(owner, channels, sent):
    async def scenario(server, session):
        await session._acknowledge()
        appends = [call for call in server.calls if isinstance(call, messages.ChannelAppend)]
        assert [(call.name, call.payload) for call in appends] == [(SYNC, ACK.encode())] * sent

    simulated(scenario, owner=owner, channels=channels)


def test_closing_ends_streams_questions_and_waits():
    async def scenario(server, session):
        stream = session.subscription("c", to_end=False)
        stream.start()
        await stream.listening()
        asking = asyncio.create_task(session.request_reply("c").ask("well?", 60))

        async def wait_for_a_change():
            async with session.watch.following():
                while True:
                    await session.watch.change()

        waiting = asyncio.create_task(wait_for_a_change())
        await asyncio.sleep(1)
        session.scope.is_closed = True  # as `Client.aclose` does before it closes the sessions
        await session.aclose()
        with pytest.raises((ChannelClosed, UsageError)):
            await asking
        with pytest.raises(UsageError, match="closed"):
            await waiting
        assert isinstance(stream.failure, UsageError)
        assert server.sockets == set()

    simulated(scenario)


async def test_what_is_stored_for_a_process_goes_with_its_last_handle(running):
    async with running() as (mine, theirs):
        colony = mine.colony
        process = await colony.submit("f", executortype="absent", channels=["c"])
        await process.channel("c").write("still on its way")
        processid = process.processid
        del process
        gc.collect()
        # The text that waits keeps its writer, so that no other writer numbers entries beside it.
        await colony.handle(processid).channel("c").send("after")
        assert [entry.text for entry in await colony.channel_read(processid, "c")] == ["still on its way", "after"]
        await asyncio.sleep(0.2)
        gc.collect()
        assert processid not in colony._shared
        await theirs.colony.close(theirs)
