"""What an executor does for its kernels, and when they end: over a simulated server, on virtual time."""

from __future__ import annotations

import asyncio

import pytest
import virtual_time
from relay_scene import PROGRAM, Scene, Sockets
from relay_server import Party

from colony_jupyter.kernels import carriers, names
from colony_jupyter.kernels.events import Target
from colony_jupyter.kernels.host import hosted
from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.handshake import HELLO, WELCOME
from colony_jupyter.kernels.relay.layout import CTL, IN
from colony_jupyter.kernels.relay.line import Delivery
from colony_jupyter.wire.models import ProcessState


@pytest.fixture(autouse=True)
def program(monkeypatch):
    monkeypatch.setattr(hosted, "find_program", lambda _: PROGRAM)


def has_ended(kernel):
    return all(task.done() for task in kernel._tasks)


def play(work):
    """Play a scene whose kernel has started; ``work`` gets the scene and the carrier of the kernel."""

    async def scene():
        async with Scene(1) as scene:
            await scene.front.has_started.wait()
            [carrier] = scene.host._carriers.values()
            await work(scene, carrier)

    virtual_time.run(scene())


def test_a_process_without_a_caller_fails_after_two_minutes():
    async def work():
        scene = Scene(1)
        scene.start_executor()
        process = await carriers.submit(Party(scene.server, scene.caller_key), Target("hpc"))
        await asyncio.sleep(110)
        [kernel] = scene.kernels
        assert not has_ended(kernel)
        await asyncio.sleep(20)
        assert has_ended(kernel)
        assert scene.failures == ["The caller of the kernel did not come back, so no kernel was started."]
        assert process.state is ProcessState.FAILED
        await scene.kill_executor()

    virtual_time.run(work())


def test_a_kernel_whose_caller_has_sent_no_hello_ends_with_the_executor():
    async def work():
        scene = Scene(1)
        scene.start_executor()
        await carriers.submit(Party(scene.server, scene.caller_key), Target("hpc"))
        await asyncio.sleep(1)
        await scene.kill_executor()
        [kernel] = scene.kernels
        assert has_ended(kernel)

    virtual_time.run(work())


@pytest.mark.parametrize(("seconds", "is_kept"), [(590, True), (620, False)])
def test_a_kernel_whose_process_was_put_back_to_waiting_is_kept_for_ten_minutes(seconds, is_kept):
    async def work(scene, carrier):
        await scene.requeue(seconds)
        assert has_ended(carrier.hosted) is not is_kept

    play(work)


@pytest.mark.parametrize("is_busy", [False, True])
def test_a_kernel_without_a_caller_ends_after_the_time_that_it_is_kept_if_no_cell_runs(monkeypatch, is_busy):
    async def work(scene, carrier):
        scene.host.keep = 3600.0
        await scene.front.link.detach(6)
        await scene.front.kill()
        monkeypatch.setattr(Sockets, "is_busy", is_busy)
        await asyncio.sleep(3590)
        assert not has_ended(carrier.hosted)
        await asyncio.sleep(20)
        assert has_ended(carrier.hosted) is not is_busy
        monkeypatch.setattr(Sockets, "is_busy", False)
        await asyncio.sleep(3610)
        assert has_ended(carrier.hosted)
        assert scene.failures == ["The kernel had no caller for 1 h, so it was ended."]

    play(work)


def test_a_caller_that_sends_nothing_counts_as_gone_after_200_seconds():
    async def work(scene, carrier):
        await asyncio.sleep(500)  # in which it pings
        assert carrier._is_attached
        await scene.front.kill()
        await asyncio.sleep(180)
        assert carrier._is_attached
        await asyncio.sleep(40)
        assert not carrier._is_attached

    play(work)


def test_a_caller_that_leaves_is_gone_once_all_that_it_has_sent_is_there():
    """The report that it leaves may overtake its last requests."""

    async def work(scene, carrier):
        last = carrier.hosted.line.resume()[IN]
        await carrier.deliver(Delivery(CTL, 0, [Item(names.DETACH, [b"%d" % (last + 1)])]))
        assert carrier._is_attached
        scene.front.request(b"r0")
        await asyncio.sleep(1)
        assert not carrier._is_attached

    play(work)


def test_a_hello_that_is_repeated_begins_no_session():
    async def work(scene, carrier):
        log = scene.server.logs[scene.processid][CTL]
        [hello] = [entry for entry in log if entry.type == HELLO]
        log.append(hello)
        scene.server.change()
        await asyncio.sleep(5)
        assert len([entry for entry in log if entry.type == WELCOME]) == 1

    play(work)


@pytest.mark.parametrize(("seconds", "is_kept"), [(580, True), (640, False)])
def test_a_kernel_whose_executor_gets_no_answers_is_kept_for_ten_minutes(seconds, is_kept):
    """It was removed from its colony, maybe for a moment only."""

    async def work(scene, carrier):
        scene.server.denied.add(scene.host_key.id)
        await asyncio.sleep(seconds)
        scene.server.denied.clear()
        await asyncio.sleep(30)
        assert has_ended(carrier.hosted) is not is_kept
        assert scene.failures == ([] if is_kept else ["It is no member."])

    play(work)


def test_what_a_kernel_does_is_reported_once_for_each_change():
    async def work(scene, carrier):
        await asyncio.sleep(600)
        assert [state["attached"] for [state] in scene.server.outputs] == [True]
        await scene.front.link.detach(6)
        await scene.front.kill()
        await asyncio.sleep(600)
        assert [state["attached"] for [state] in scene.server.outputs] == [True, False]

    play(work)
