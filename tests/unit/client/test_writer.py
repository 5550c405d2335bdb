"""Sending over bad links and through gateways: every entry once, at a cost that does not grow with the log."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re

import msgspec
import pytest
import virtual_time
from gateway import Fault, Gateway
from proxy import Proxy
from simulated_colony import ME, THEM, SimulatedColony

from colony_jupyter import AsyncColony, settings
from colony_jupyter.errors import (
    AccessDenied,
    ChannelClosed,
    ChannelNotFound,
    ColonyError,
    ProcessNotFound,
    RequestTooLarge,
    UsageError,
)
from colony_jupyter.wire import messages
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import ProcessState


@pytest.fixture
def through(served, place):
    """Return a context in which a process runs whose submitter is connected by way of a port."""

    @contextlib.asynccontextmanager
    async def run(port):
        by_way = settings.resolve({**served.environ(), "COLONIES_SERVER_PORT": str(port)})
        key = PrivateKey.generate(random.randbytes)
        async with AsyncColony(by_way) as user, AsyncColony(place, prvkey=key) as executor:
            name = f"unit-{key.id[:12]}-x"
            async with AsyncColony(place) as owner:
                await owner.add_executor(name, key.id, name)
                await owner.approve_executor(name)
                submitted = await owner.submit("work", channels=["c"], executortype=name)
                assigned = await executor.assign(5)
            assert assigned is not None
            yield user.handle(submitted.processid), assigned

    return run


async def test_four_hundred_sends_over_a_link_that_is_cut_every_few_kilobytes_arrive_once(served, through):
    async with Proxy(served.port) as proxy:
        proxy.carries = (1_500, 12_000)
        async with through(proxy.port) as (mine, theirs):
            for number in range(400):
                await mine.channel("c").send(str(number))
            log = await theirs.channel("c").read()
            assert [entry.text for entry in log] == [str(number) for number in range(400)]
            assert [entry.sequence for entry in log] == list(range(1, 800, 2))
            assert proxy.cuts > 40


async def test_text_of_several_tasks_has_its_inreplyto(running):
    async with running() as (mine, theirs):
        channel = theirs.channel("c")

        async def answer(to):
            for _ in range(60):
                await channel.write(f"<{to}>", inreplyto=to)
                await asyncio.sleep(0)

        await asyncio.gather(answer(1), answer(3), answer(5))
        await channel.flush()
        log = await mine.channel("c").read()
        assert all(set(re.findall(r"\d", entry.text)) == {str(entry.inreplyto)} for entry in log)
        for to in (1, 3, 5):
            assert "".join(entry.text for entry in log if entry.inreplyto == to) == f"<{to}>" * 60


@pytest.mark.parametrize(
    "faults",
    [
        [Fault(502), Fault(502), Fault(503)],
        [Fault(504, forward=True)],
        [Fault(504, forward=True), Fault(429)],
        [Fault(200, forward=True, body=b"")],
        [Fault(200, forward=True, body=b'{"payloadtype":"channelappendmsg","payload":"' + b"x" * 99, cut=40)],
    ],
    ids=["down", "late", "late and limited", "empty", "truncated"],
)
async def test_a_send_through_a_gateway_that_answers_in_place_of_the_server_arrives_once(served, through, faults):
    async with Gateway(served.port) as gateway, through(gateway.port) as (mine, theirs):
        await mine.channel("c").send("one")
        gateway.plan("channelappendmsg", faults)
        await mine.channel("c").send("two")
        await mine.channel("c").write("three")
        await mine.channel("c").flush()
        assert [entry.text for entry in await theirs.channel("c").read()] == ["one", "two", "three"]


@pytest.mark.parametrize("value", [5, None, b"x", {"a": 1}], ids=str)
async def test_what_is_no_text_is_refused_at_once_and_the_stream_goes_on(served, through, value):
    async with Gateway(served.port) as gateway, through(gateway.port) as (mine, theirs):
        await mine.channel("c").write("before")
        with pytest.raises(
            UsageError, match=f"write.. takes text, and was given a value of type {type(value).__name__}"
        ):
            await mine.channel("c").write(value)
        await mine.channel("c").flush()
        assert [entry.text for entry in await theirs.channel("c").read()] == ["before"]


async def test_retry_after_is_honoured(served, through):
    async with Gateway(served.port) as gateway, through(gateway.port) as (mine, _):
        gateway.plan("channelappendmsg", [Fault(429, headers={"retry-after": "1"})])
        await mine.channel("c").send("one")
        calls = [(name, at) for name, at in gateway.calls if name.startswith("channel")]
        refused = [name for name, _ in calls].index("channelappendmsg")
        assert calls[refused + 1][1] - calls[refused][1] >= 0.99


async def test_a_request_over_the_gateways_limit_is_an_error_at_once(served, through):
    async with Gateway(served.port) as gateway, through(gateway.port) as (mine, theirs):
        gateway.limit = 20_000
        with pytest.raises(RequestTooLarge, match="over the limit of the gateway") as caught:
            await mine.channel("c").send("x" * 20_000)
        assert caught.value.size > 20_000
        assert gateway.count("channelappendmsg") == 1
        await mine.channel("c").send("small")
        assert [(entry.sequence, entry.text) for entry in await theirs.channel("c").read()] == [(1, "small")]


async def test_the_embedded_colonys_limit_is_an_error_at_once_that_names_both_sizes(running):
    async with running() as (_, theirs):
        with pytest.raises(RequestTooLarge, match=r"is 4\d\.\d MiB, the limit is 32\.0 MiB") as caught:
            await theirs.colony.close(theirs, ["x" * (35 << 20)])
        assert caught.value.limit == 32 << 20
        await theirs.colony.close(theirs, ["small"])


async def test_a_stream_goes_on_through_a_gateways_outage(served, through):
    async with Gateway(served.port) as gateway, through(gateway.port) as (mine, theirs):
        stream = mine.channel("c").stream(timeout=30)
        await theirs.channel("c").send("one")
        assert (await anext(stream)).text == "one"
        gateway.outage = Fault(503)
        await theirs.channel("c").send("two")
        assert (await anext(stream)).text == "two"
        await theirs.channel("c").end()
        gateway.outage = None
        assert [entry.text async for entry in stream] == []
        await theirs.colony.close(theirs, ["done"])
        assert await mine.result(20) == "done"


class TestWhyAnAppendIsRefused:
    """On a simulated server, on virtual time."""

    def refusal(self, refusal, change=lambda server: None, owner=ME):
        """Return the error of an append that the server refuses, after a change to its process."""

        class Server(SimulatedColony):
            def _reply(self, owner, message):
                if isinstance(message, messages.ChannelAppend):
                    change(self)
                    return refusal
                if isinstance(message, messages.GetProcess) and self.record.processid == "":
                    return ProcessNotFound(404, "process not found")
                return super()._reply(owner, message)

        async def scenario():
            with pytest.raises(ColonyError) as caught:
                await Server().session(owner).writer("c").send("text")
            return caught.value

        return virtual_time.run(scenario())

    def test_the_end_of_the_process_is_named_with_how_it_ended(self):
        missing = ChannelNotFound(404, "Channel not found")
        error = self.refusal(missing, lambda server: server.close(ProcessState.FAILED, errors=["disk full"]))
        assert isinstance(error, ChannelClosed)
        assert "process aaaaaaaa has ended (it failed: disk full)" in str(error)

    def test_a_removal_is_named(self):
        def remove(server):
            server.record = msgspec.structs.replace(server.record, processid="")

        error = self.refusal(ProcessNotFound(404, "process not found"), remove)
        assert isinstance(error, ChannelClosed)
        assert "the process was removed from the server" in str(error)

    def test_a_channel_that_was_not_declared_names_those_that_were(self):
        error = self.refusal(ChannelNotFound(404, "Channel not found"))
        assert isinstance(error, ChannelNotFound)
        assert error.declared == ("c",)

    def test_an_executor_that_is_refused_although_the_process_is_its_own_learns_what_to_do(self):
        error = self.refusal(AccessDenied(403, "Not authorized to append"), owner=THEM)
        assert isinstance(error, ChannelClosed)
        assert "submit the process again" in str(error)

    def test_a_stranger_learns_that_it_is_neither_party(self):
        stranger = "3" * 64

        def change(server):
            server.sequence[stranger] = 0

        error = self.refusal(AccessDenied(403, "Not authorized to append"), change, owner=stranger)
        assert isinstance(error, ChannelClosed)
        assert "submit the process again" not in str(error)

    def test_another_refusal_stays_what_it_is(self):
        error = self.refusal(AccessDenied(403, "Access denied"))
        assert isinstance(error, AccessDenied)

    def test_it_stays_too_where_nothing_can_be_learned_of_the_process(self):
        def refuse(server):
            server.refuses = AccessDenied(403, "Access denied")

        assert isinstance(self.refusal(ChannelNotFound(404, "Channel not found"), refuse), ChannelNotFound)
