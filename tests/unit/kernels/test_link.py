"""The caller's side against the executor's, over a server that a test cuts and stops, on virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import virtual_time
from relay_scene import PROGRAM, FrontEnd, Scene

from colony_jupyter.kernels import carriers, names
from colony_jupyter.kernels.events import KernelGone, Target
from colony_jupyter.kernels.host import hosted
from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.layout import OUT
from colony_jupyter.kernels.relay.line import Delivery, Position
from colony_jupyter.wire.models import ProcessState


@pytest.fixture(autouse=True)
def program(monkeypatch):
    monkeypatch.setattr(hosted, "find_program", lambda name: PROGRAM)


def play(work, **about):
    """Play a scene, on virtual time."""

    async def scene():
        async with Scene(1, **about) as scene, asyncio.timeout(3_000):
            await work(scene)

    virtual_time.run(scene())


async def started(scene):
    async with asyncio.timeout(100):
        await scene.front.has_started.wait()


async def replies(scene, count, seconds):
    """Wait until so many requests were answered."""
    async with asyncio.timeout(seconds):
        while sum(text.endswith(b" reply") for text in scene.received) < count:  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.05)


def assign_anew(scene):
    """Let the server notice that the executor is gone, and start another program of it."""
    scene.server.set_state(scene.processid, ProcessState.WAITING)
    scene.server.restart()
    scene.start_executor()


@pytest.mark.parametrize("is_stored", [True, False])
def test_output_that_could_not_be_appended_is_sent_again_at_once(is_stored):
    async def work(scene):
        await started(scene)
        scene.server.refusals[scene.host_key.id] = [is_stored]
        scene.front.request(b"r0")
        await replies(scene, 1, 5)
        assert scene.received == scene.kernels[0].put_out

    play(work)


@pytest.mark.parametrize("is_stored", [True, False])
def test_a_welcome_that_could_not_be_appended_is_given_again(is_stored):
    async def work(scene):
        await started(scene)
        await scene.front.link.detach(6)  # else the end of the session is what is refused
        await asyncio.sleep(1)
        scene.server.refusals[scene.host_key.id] = [is_stored]
        scene.front.link.interrupted("the test wants it")
        await asyncio.sleep(0.2)
        assert scene.server.refusals[scene.host_key.id] == []
        scene.front.request(b"r0")
        await replies(scene, 1, 40)
        assert len(scene.kernels) == 1

    play(work)


def test_an_executor_that_is_started_anew_while_the_kernel_starts_is_asked_again():
    async def work(scene):
        await asyncio.sleep(4)
        scene.front.link.interrupted("so that the command counts as delivered")
        await asyncio.sleep(4)
        assert not scene.front.has_started.is_set()
        await scene.kill_executor()
        scene.start_seconds = 0.1
        assign_anew(scene)
        await started(scene)
        scene.front.request(b"r0")
        await replies(scene, 1, 10)

    play(work, start_seconds=20.0)


def test_an_executor_that_is_started_anew_has_lost_the_kernel():
    async def work(scene):
        await started(scene)
        await scene.kill_executor()
        assign_anew(scene)
        with pytest.raises(KernelGone, match="the kernel with its variables is gone"):
            await scene.front.running

    play(work)


def test_the_output_of_another_kernel_does_not_count_as_delivered_in_part():
    """A program that was killed in the middle of a batch is followed by one, whose executor has a kernel of its own."""

    async def work(scene):
        await started(scene)
        scene.front.request(b"r0")
        await replies(scene, 1, 10)
        await scene.front.kill()
        scene.positions["out"] = Position(scene.positions["out"].batch, 3)
        scene.received.clear()
        await scene.kill_executor()
        assign_anew(scene)
        scene.front = FrontEnd(scene)
        await started(scene)
        scene.front.request(b"r1")
        await replies(scene, 1, 20)
        assert scene.received == scene.kernels[-1].put_out

    play(work)


def test_leaving_is_reported_to_the_executor_after_what_was_asked_for():
    async def work(scene):
        await started(scene)
        [carrier] = scene.host._carriers.values()
        assert carrier._is_attached
        scene.front.request(b"r0")
        await scene.front.link.detach(6)
        await scene.front.kill()
        await asyncio.sleep(0.5)
        assert not carrier._is_attached
        assert any(text.startswith(b"r0") for text in scene.kernels[0].put_out)

    play(work)


def test_commands_that_could_not_be_sent_are_reported():
    async def work(scene):
        await started(scene)
        scene.server.cut.add(scene.caller_key.id)
        scene.front.link.command(names.RESTART)
        assert not await scene.front.link.sent(6)

    play(work)


def test_another_caller_takes_the_kernel_over_and_the_first_one_learns_it():
    async def work(scene):
        await started(scene)
        first = scene.front
        scene.positions = {}
        scene.front = FrontEnd(scene)
        await started(scene)
        with pytest.raises(KernelGone, match="attached from elsewhere") as caught:
            await first.running
        assert caught.value.is_elsewhere
        scene.front.request(b"r0")
        await replies(scene, 1, 10)
        assert [kernel.starts for kernel in scene.kernels] == [1]
        await first.kill()

    play(work)


def test_the_first_caller_learns_it_also_while_the_executor_sends_it_something_else():
    async def work(scene):
        await started(scene)
        first = scene.front
        [carrier] = scene.host._carriers.values()
        scene.server.slowness[scene.host_key.id] = 0.2
        scene.positions = {}
        scene.front = FrontEnd(scene)
        await asyncio.sleep(0.02)
        carrier.hosted.line.note(Item(names.PONG, [b"0"]))
        carrier._traffic.wake()
        async with asyncio.timeout(10):
            with pytest.raises(KernelGone, match="attached from elsewhere"):
                await first.running
        await first.kill()

    play(work)


async def check_nothing_is_lost_after_the_cut(scene, seconds):
    scene.server.cut.clear()
    scene.server.change()
    await replies(scene, 1, seconds)
    assert scene.received == scene.kernels[0].put_out
    assert [kernel.starts for kernel in scene.kernels] == [1]


def test_a_cut_of_the_executor_in_which_a_session_is_begun_anew_costs_nothing():
    async def work(scene):
        await started(scene)
        scene.server.cut.add(scene.host_key.id)
        scene.front.link.interrupted("the test wants it")
        scene.front.request(b"r0")
        await asyncio.sleep(20)
        await check_nothing_is_lost_after_the_cut(scene, 10)

    play(work)


CALLER, BOTH = ["caller_key"], ["caller_key", "host_key"]


@pytest.mark.parametrize(
    ("parties", "seconds", "slowness", "stream_lag"),
    [
        *((parties, 20 + step / 4, 0.5, 0.0) for parties in (CALLER, BOTH) for step in range(17)),
        *((parties, seconds, 3.0, 0.0) for parties in (CALLER, BOTH) for seconds in (15.0, 24.0, 30.0, 100.0)),
        (CALLER, 15.0, 0.5, 30.0),
    ],
)
def test_a_cut_right_after_a_hello_costs_nothing(parties, seconds, slowness, stream_lag):
    """The server has the hello, and its answer does not arrive."""

    async def work(scene):
        await started(scene)
        scene.server.slowness[scene.host_key.id] = slowness
        scene.server.stream_lags[scene.caller_key.id] = stream_lag
        scene.front.link.interrupted("the test wants it")
        await asyncio.sleep(0.1)
        assert not scene.front.link._wants_session  # the hello is there
        scene.server.cut |= {getattr(scene, party).id for party in parties}
        scene.front.request(b"r0")
        await asyncio.sleep(seconds)
        await check_nothing_is_lost_after_the_cut(scene, 60)

    play(work)


def test_an_executor_has_its_time_again_when_both_machines_were_asleep():
    """Its connections are back some seconds after it has woken up."""

    async def work(scene):
        await started(scene)
        scene.server.stream_lags[scene.host_key.id] = 10.0
        scene.server.cut.add(scene.host_key.id)
        scene.front.link.interrupted("the test wants it")
        await asyncio.sleep(0.1)
        loop: Any = asyncio.get_running_loop()
        loop.now += 60
        scene.server.cut.clear()
        scene.server.change()
        scene.front.request(b"r0")
        await replies(scene, 1, 60)
        assert [kernel.starts for kernel in scene.kernels] == [1]

    play(work)


def test_a_flood_of_messages_lets_others_have_their_turn():
    """An interrupt among them."""

    async def work(scene):
        await started(scene)
        turns = []

        async def deliver(item, note):
            note()

        async def count():
            while True:
                turns.append(True)
                await asyncio.sleep(0)

        scene.front.deliver = deliver
        counting = asyncio.create_task(count())
        await scene.front.link.deliver(Delivery(OUT, 99, [Item("iopub", [b"x"])] * 200))
        counting.cancel()
        assert len(turns) >= 10

    play(work)


@pytest.mark.parametrize("pause", [None, 0.0, 14.0, 26.0], ids=lambda each: f"new session: {each}")
def test_an_executor_that_is_killed_counts_as_lost_within_45_seconds(pause):
    async def work(scene):
        await started(scene)
        await scene.kill_executor()
        killed = asyncio.get_running_loop().time()
        if pause is not None:
            await asyncio.sleep(pause)
            scene.front.link.interrupted("the test wants it")
        with pytest.raises(KernelGone, match="does not answer any more"):
            await scene.front.running
        assert 22 < asyncio.get_running_loop().time() - killed < 45

    play(work)


def test_requests_for_a_kernel_that_has_died_are_not_run_by_the_next_one():
    async def work(scene):
        await started(scene)
        [kernel] = scene.kernels
        await kernel._stop()  # as when the program dies
        scene.front.request(b"r0")
        await asyncio.sleep(2)
        scene.front.link.command(names.START, b'{"key": "key"}')
        await asyncio.sleep(2)
        scene.front.request(b"r1")
        await replies(scene, 1, 10)
        assert kernel.executed == [b"r1"]

    play(work)


def test_a_successor_that_never_had_a_session_leads_to_the_process_that_it_was_to_succeed():
    async def work(scene):
        await started(scene)
        party = scene.front.party
        successor = await carriers.submit(party, Target("hpc"), adopt=scene.processid)
        found = await carriers.find(party, successor.processid)
        assert found is not None
        assert found.processid == successor.processid
        scene.server.set_state(successor.processid, ProcessState.FAILED, scene.host_key.id)
        found = await carriers.find(party, successor.processid)
        assert found is not None
        assert found.processid == scene.processid
        scene.server.set_state(scene.processid, ProcessState.SUCCESS, scene.host_key.id)
        assert await carriers.find(party, successor.processid) is None
        assert await carriers.find(party, "9" * 64) is None

    play(work)


def test_a_message_that_cannot_be_delivered_does_not_stop_those_behind_it(caplog):
    async def work(scene):
        await started(scene)
        deliver, failing = scene.front.deliver, [b"r0 reply"]

        async def fail(item, note):
            if item.frames[0] in failing:
                raise ValueError(item.frames[0])
            await deliver(item, note)

        scene.front.deliver = fail
        scene.front.request(b"r0")
        scene.front.request(b"r1")
        await replies(scene, 1, 10)
        assert scene.received == [text for text in scene.kernels[0].put_out if text != b"r0 reply"]
        assert "could not be delivered" in caplog.text

    play(work)


def test_a_request_that_is_sent_right_after_a_welcome_arrives():
    """The executor may see it before the server's reply to its welcome."""

    async def work(scene):
        await started(scene)
        for number in range(20):
            scene.front.link.interrupted("the test wants it")
            scene.front.request(b"r%d" % number)
            await replies(scene, number + 1, 5)

    play(work)
