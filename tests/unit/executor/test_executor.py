"""An executor's life: starting, interrupts, stopping, serving on the caller's loop."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import signal
import sys
import threading
import time

import pytest

import colony_jupyter as cj
from colony_jupyter.errors import ExecutorError
from colony_jupyter.executor import executor as executor_module
from colony_jupyter.executor import worker as worker_module
from colony_jupyter.wire.models import ExecutorState


def records(colony, executortype):
    return [each for each in colony.executors() if each.executortype == executortype]


def failure(process, timeout=10):
    with pytest.raises(cj.ProcessFailed) as raised:
        process.result(timeout)
    return raised.value.errors


def test_stopping_fails_what_runs_and_states_why(make_executor, submit):
    executor = make_executor()
    running = [threading.Event(), threading.Event()]

    @executor.function("async")
    async def async_wait(context):
        running[0].set()
        await asyncio.Event().wait()

    @executor.function("plain")
    def plain_wait(context):
        running[1].set()
        while not context.cancelled:
            time.sleep(0.01)

    executor.start()
    processes = [submit("async", channels=["out", "sync"]), submit("plain")]
    for event in running:
        assert event.wait(10)
    streams = processes[0].channel("out").stream(errors="yield")
    started = time.monotonic()
    executor.stop()
    assert time.monotonic() - started < 5
    for process in processes:
        assert failure(process) == (f"Executor '{executor.name}' was stopped while it ran this process.",)
    streams.close()
    assert not executor.is_running
    executor.stop()


def test_a_function_that_heeds_nothing_does_not_hold_the_stop_up(make_executor, submit):
    executor = make_executor()
    running, go = threading.Event(), threading.Event()

    @executor.function("deaf")
    def deaf(context):
        running.set()
        go.wait(30)

    @executor.function("stubborn")
    async def stubborn(context):
        while not go.is_set():
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                running.clear()

    executor.start()
    processes = [submit("deaf"), submit("stubborn")]
    for process in processes:
        process.running(10)
    assert running.wait(10)
    started = time.monotonic()
    executor.stop()
    assert time.monotonic() - started < 6
    for process in processes:
        assert "was stopped" in failure(process)[0]
    go.set()


def test_an_async_function_that_blocks_delays_no_other(make_executor, submit, colony):
    executor = make_executor()
    running, go = threading.Event(), threading.Event()

    @executor.function("block")
    async def block(context):
        running.set()
        go.wait(20)

    executor.start()
    process = submit("block")
    assert running.wait(10)
    started = time.monotonic()
    colony.executors()
    assert time.monotonic() - started < 2
    go.set()
    process.result(timeout=10)


def test_a_loop_that_is_blocked_is_named_when_the_executor_should_stop(make_executor, submit, monkeypatch):
    monkeypatch.setattr(executor_module, "_STOP_SECONDS", 0.3)
    executor = make_executor()
    running, go = threading.Event(), threading.Event()

    @executor.function("block")
    async def block(context):
        running.set()
        go.wait(20)

    executor.start()
    submit("block")
    assert running.wait(10)
    with pytest.raises(ExecutorError, match="seems to block its loop"):
        executor.stop()
    go.set()
    monkeypatch.undo()
    executor.stop()
    assert not executor.is_running


def test_a_blocking_call_in_an_async_function_is_refused(make_executor, submit, colony):
    """It could wait for the very loop that it blocks."""
    executor = make_executor()

    @executor.function("outer")
    async def outer(context):
        colony.submit("inner", executortype="task").result()

    executor.function("inner")(lambda context: 1)
    executor.start()
    assert "use the async form" in failure(submit("outer"))[0]


def test_starting_twice_is_starting_once(make_executor, colony):
    executor = make_executor("twice")
    executor.start()
    executor.start()
    executor.stop()
    executor.start()
    (record,) = records(colony, "twice")
    assert record.state is ExecutorState.APPROVED


async def test_serving_on_the_callers_loop(make_executor, settings):
    executor = make_executor("served")
    loops = []

    @executor.function("where")
    async def where(context):
        loops.append(asyncio.get_running_loop())
        return "there"

    @executor.function("plain")
    def plain(context):
        context.channel("out").send("x")
        return "thread"

    serving = asyncio.create_task(executor.serve())
    async with cj.AsyncColony(settings) as colony:
        process = await colony.submit("where", executortype="served")
        assert await process.result(timeout=10) == "there"
        process = await colony.submit("plain", executortype="served", channels=["out", "sync"])
        assert [entry.text async for entry in process.channel("out")] == ["x"]
        assert await process.result(timeout=10) == "thread"
    assert loops == [asyncio.get_running_loop()]
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert not executor.is_running


def test_waiting_for_the_owner_can_be_interrupted(make_executor, settings, server):
    """As a person does it: SIGINT while the cell waits. Nothing is left, and the name is free again."""
    without = dataclasses.replace(settings, colony_prvkey=None)
    executor = make_executor("interrupted", "impatient", settings=without)
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        executor.start()
    assert not executor.is_running
    again = make_executor("interrupted", "impatient")
    again.start()
    assert again.is_running


@pytest.mark.parametrize("interrupted_after", [0.05, 0.35])
def test_an_interrupt_while_the_key_is_read_releases_the_executor(make_executor, monkeypatch, interrupted_after):
    """A slow disk: the interrupt arrives while a thread claims the identity, or while a slow join follows."""
    claim, join = executor_module.claim, worker_module.Worker.join

    def slow_claim(*args, **kwargs):
        time.sleep(0.2)
        return claim(*args, **kwargs)

    async def slow_join(self):
        await asyncio.sleep(0.5)
        return await join(self)

    monkeypatch.setattr(executor_module, "claim", slow_claim)
    monkeypatch.setattr(worker_module.Worker, "join", slow_join)
    # A name for each case: the server knows the executor of the other case by another key.
    executor = make_executor("hasty", f"hasty-{interrupted_after}")
    threading.Timer(interrupted_after, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        executor.start()
    assert not executor.is_running
    executor.start()
    assert executor.is_running


async def test_a_cancelled_serve_releases_the_executor(make_executor, monkeypatch):
    entered, go, claimed = threading.Event(), threading.Event(), threading.Event()
    claim = executor_module.claim

    def slow_claim(*args, **kwargs):
        entered.set()
        go.wait(10)
        try:
            return claim(*args, **kwargs)
        finally:
            claimed.set()

    monkeypatch.setattr(executor_module, "claim", slow_claim)
    executor = make_executor("cancelled", "cancelled")
    serving = asyncio.create_task(executor.serve())
    assert await asyncio.to_thread(entered.wait, 10)
    serving.cancel()
    threading.Timer(0.1, go.set).start()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert await asyncio.to_thread(claimed.wait, 10)
    await asyncio.to_thread(executor.start)
    assert executor.is_running


def test_stopping_can_be_interrupted(make_executor, submit):
    """The prompt is back, what runs has the time it was given, and a second stop does not wait for that."""
    executor = make_executor("unhurried")
    running = threading.Event()

    @executor.function("wait")
    async def wait(context):
        running.set()
        await asyncio.sleep(3600)

    executor.start()
    process = submit("wait", executortype="unhurried")
    assert running.wait(10)
    sent = []

    def send():
        time.sleep(0.3)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    interrupter = threading.Thread(target=send)
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - it is sent while that waits
        interrupter.start()
        executor.stop(grace=60)
    assert time.monotonic() - sent[0] < 0.5
    interrupter.join()
    assert process.refresh().state is cj.ProcessState.RUNNING
    begun = time.monotonic()
    executor.stop()
    assert time.monotonic() - begun < 5
    assert failure(process) == (f"Executor '{executor.name}' was stopped while it ran this process.",)


def test_no_server(settings, make_executor):
    executor = make_executor("lost", settings=dataclasses.replace(settings, port=1))
    with pytest.raises(cj.ServerUnreachable):
        executor.start()
    assert not executor.is_running


def test_the_key_appears_nowhere(make_executor, colony, submit, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    executor = make_executor("secretive", "keeper")

    @executor.function("tell")
    async def tell(context):
        raise ValueError(repr(vars(context)) + repr(context.colony) + repr(context.colony.key))

    executor.start()
    key = executor.worker.identity.key.reveal()
    process = submit("tell", executortype="secretive", channels=["out"]).closed(10)
    everything = [
        caplog.text,
        *capsys.readouterr(),
        repr(executor),
        repr(executor.worker.identity),
        repr(process.record),
        repr(colony.executors()),
    ]
    assert "ValueError" in everything[-2]
    for text in everything:
        assert key not in text
        assert key[:16] not in text


def test_modules_are_what_users_get():
    assert cj.Executor is sys.modules["colony_jupyter.executor.executor"].Executor
