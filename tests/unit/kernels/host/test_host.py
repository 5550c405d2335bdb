"""When the kernels of an executor end, over a simulated server on virtual time."""

from __future__ import annotations

import asyncio

import pytest
import virtual_time
from relay_scene import PROGRAM, Scene
from relay_server import Party

from colony_jupyter.kernels import carriers
from colony_jupyter.kernels.events import Target
from colony_jupyter.kernels.host import hosted
from colony_jupyter.wire.models import ProcessState


@pytest.fixture(autouse=True)
def program(monkeypatch):
    monkeypatch.setattr(hosted, "find_program", lambda _: PROGRAM)


def has_ended(kernel):
    return all(task.done() for task in kernel._tasks)


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
    async def work():
        async with Scene(1) as scene:
            await scene.front.has_started.wait()
            await scene.requeue(seconds)
            [kernel, *_] = scene.kernels
            assert has_ended(kernel) is not is_kept

    virtual_time.run(work())


def test_a_kernel_without_a_caller_ends_after_the_time_that_it_is_kept():
    async def work():
        async with Scene(1) as scene:
            scene.host.keep = 3600.0
            await scene.front.has_started.wait()
            await scene.front.link.detach(6)
            await scene.front.kill()
            await asyncio.sleep(3590)
            [kernel] = scene.kernels
            assert not has_ended(kernel)
            await asyncio.sleep(20)
            assert has_ended(kernel)
            assert scene.failures == ["The kernel had no caller for 1 h, so it was ended."]

    virtual_time.run(work())
