"""An executor at work: asking, heartbeats, conversations that give up their place."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import threading
import time

import pytest
from gateway import Gateway
from proxy import Proxy
from worker_times import set_times

import colony_jupyter as cj
from colony_jupyter import AsyncColony
from colony_jupyter.errors import AccessDenied
from colony_jupyter.executor.membership.member import MemberColony
from colony_jupyter.executor.membership.registration import Registration


def records(colony, executortype):
    return [each for each in colony.executors() if each.executortype == executortype]


def test_stopping_with_grace_lets_work_finish(make_executor, submit):
    executor = make_executor()
    running, go = threading.Event(), threading.Event()

    @executor.function("wait")
    def wait(context):
        running.set()
        go.wait(10)
        return "finished"

    executor.start()
    process = submit("wait")
    assert running.wait(10)
    threading.Timer(0.3, go.set).start()
    executor.stop(grace=10)
    assert process.result(timeout=5) == "finished"
    assert submit("wait").refresh().state is cj.ProcessState.WAITING


def test_two_of_a_type_with_names_share_the_work(make_executor, submit):
    executors = [make_executor("shared", name, concurrency=1) for name in ("left", "right")]
    barrier = threading.Barrier(2)
    for executor in executors:
        executor.function("meet")(lambda context: barrier.wait(15))
        executor.start()
    processes = [submit("meet", executortype="shared") for _ in executors]
    assert {process.result(timeout=20) for process in processes} == {0, 1}


def test_a_removed_executor_comes_back(make_executor, colony, submit, monkeypatch, caplog):
    set_times(monkeypatch, poll=1.0, heartbeat=180.0)
    executor = make_executor("removed")
    executor.function("give")(lambda context: "back")
    executor.start()
    colony.remove_executor(executor.name)
    assert submit("give", executortype="removed").result(timeout=30) == "back"
    assert [each.funcname for each in colony.functions(executor.name)] == ["give"]
    line = next(each for each in caplog.messages if "any more" in each)
    assert line.endswith("it was removed, rejected, or silent for 10 minutes; it asks to be a member again")


def test_an_executor_removed_while_all_its_slots_are_in_use(make_executor, colony, submit, until):
    """Its process waits again (as after 10 silent minutes, trap 3): the function stops, and runs anew.

    The next sign of life is far away: the request whether the process still runs is refused, too.
    """
    executor = make_executor("expelled", concurrency=1)
    runs, stopped = [], threading.Event()

    @executor.function("wait")
    async def wait(context):
        runs.append(1)
        if len(runs) == 1:
            try:
                await asyncio.Event().wait()
            finally:
                stopped.set()
        return "second time"

    executor.start()
    process = submit("wait", executortype="expelled")
    until(lambda: runs)
    colony.remove_executor(executor.name)
    assert process.result(timeout=20) == "second time"
    assert stopped.is_set()


def test_an_executor_that_was_no_member_before_it_started_is_one_while_its_slots_are_in_use(
    make_executor, submit, caplog
):
    """The refusals before it was approved mean nothing any more."""
    executor = make_executor("beginner", concurrency=1)
    executor.function("give")(lambda context: "given")
    executor.start()
    assert [submit("give", executortype="beginner").result(timeout=10) for _ in range(3)] == ["given"] * 3
    assert "no member" not in caplog.text


def test_a_process_that_the_server_left_with_a_removed_executor_is_begun_again(
    make_executor, submit, monkeypatch, until
):
    """As a real server does that assigns it in the moment of the removal."""
    set_times(monkeypatch, heartbeat=0.3)
    executor = make_executor("left", concurrency=1)
    runs = []

    @executor.function("wait")
    async def wait(context):
        runs.append(1)
        if len(runs) == 1:
            await asyncio.Event().wait()
        return "second time"

    async def is_member(registration):
        return False

    async def refuse_once(colony, seconds=60, **options):
        monkeypatch.setattr(MemberColony, "assign", AsyncColony.assign)
        raise AccessDenied(403, "Access denied, not a member of Colony with name <dev>")

    executor.start()
    process = submit("wait", executortype="left")
    until(lambda: runs)
    monkeypatch.setattr(Registration, "is_member", is_member)
    monkeypatch.setattr(MemberColony, "assign", refuse_once)
    assert process.result(timeout=10) == "second time"


def test_a_heartbeat_while_all_slots_are_in_use(make_executor, colony, submit, monkeypatch, until):
    set_times(monkeypatch, poll=10.0, heartbeat=0.2)
    executor = make_executor("busy", concurrency=1)
    running, go = threading.Event(), threading.Event()

    @executor.function("wait")
    def wait(context):
        running.set()
        go.wait(20)

    executor.start()
    process = submit("wait", executortype="busy")
    waiting = submit("wait", executortype="busy")
    assert running.wait(10)
    (first,) = records(colony, "busy")
    until(lambda: records(colony, "busy")[0].lastheardfromtime > first.lastheardfromtime)
    assert waiting.refresh().state is cj.ProcessState.WAITING
    go.set()
    process.result(timeout=10)
    waiting.result(timeout=10)


def bot_and_function(make_executor, executortype, concurrency):
    executor = make_executor(executortype, concurrency=concurrency)
    executor.function("give")(lambda context: "done")

    @executor.chat("chat")
    async def chat(context, message):
        if message.text == "think":
            await asyncio.sleep(3600)
        yield f"You said {message.text}"

    executor.start()
    return executor


def test_an_abandoned_conversation_gives_up_its_place(make_executor, submit, monkeypatch, colony):
    """The one that was quiet longest, and none that is at work; it has not failed."""
    set_times(monkeypatch, chat_idle=1.5)
    bot_and_function(make_executor, "crowded", 3)
    thinking, abandoned, lively = (submit("chat", executortype="crowded", channels=["chat"]) for _ in range(3))
    thinking.channel("chat").send("think")
    assert abandoned.channel("chat").ask("hello", timeout=10).text == "You said hello"
    said = iter(abandoned.channel("chat").stream(to_end=False))
    assert next(said).text == "hello"
    waiting = submit("give", executortype="crowded")
    deadline = time.monotonic() + 20
    while waiting.refresh().state is cj.ProcessState.WAITING:
        assert lively.channel("chat").ask("hello", timeout=10).text == "You said hello"
        assert time.monotonic() < deadline
    assert waiting.result(timeout=10) == "done"
    assert [entry.type for entry in said] == ["data", "turn", "end"]
    assert abandoned.result(timeout=10) is None
    assert thinking.refresh().state is lively.refresh().state is cj.ProcessState.RUNNING


def test_of_two_abandoned_conversations_the_one_that_was_quiet_longer_ends(make_executor, submit, monkeypatch):
    set_times(monkeypatch, chat_idle=1.0)
    bot_and_function(make_executor, "queueing", 2)
    longer, shorter = (submit("chat", executortype="queueing", channels=["chat"]) for _ in range(2))
    for process in (longer, shorter):
        assert process.channel("chat").ask("hello", timeout=10).text == "You said hello"
        time.sleep(0.5)
    assert submit("give", executortype="queueing").result(timeout=10) == "done"
    assert longer.result(timeout=10) is None
    assert shorter.refresh().state is cj.ProcessState.RUNNING


def test_a_quiet_conversation_goes_on_while_there_is_a_slot(make_executor, submit, monkeypatch):
    set_times(monkeypatch, chat_idle=0.3)
    bot_and_function(make_executor, "roomy", 3)
    process = submit("chat", executortype="roomy", channels=["chat"])
    assert process.channel("chat").ask("hello", timeout=10).text == "You said hello"
    time.sleep(1)
    assert submit("give", executortype="roomy").result(timeout=10) == "done"
    assert process.channel("chat").ask("still there?", timeout=10).text == "You said still there?"


async def test_a_process_whose_assignment_did_not_arrive_is_failed_by_the_stop(settings, make_executor, colony):
    async with Proxy(settings.port) as proxy:
        executor = make_executor("unaware", settings=dataclasses.replace(settings, port=proxy.port))
        executor.function("give")(lambda context: "never")
        await asyncio.to_thread(executor.start)
        proxy.swallowing = True
        process = await asyncio.to_thread(colony.submit, "give", executortype="unaware")
        await asyncio.to_thread(process.running, 10)
        proxy.swallowing = False
        await asyncio.to_thread(executor.stop)
        with pytest.raises(cj.ProcessFailed, match="was stopped while it ran this process"):
            await asyncio.to_thread(process.result, 10)


async def test_polls_that_are_answered_at_once_are_not_repeated_at_once(server, settings, make_executor, monkeypatch):
    set_times(monkeypatch, poll=-1)
    async with Gateway(server.port) as gateway:
        executor = make_executor("prompt", settings=dataclasses.replace(settings, port=gateway.port))
        await asyncio.to_thread(executor.start)
        async with asyncio.timeout(10):
            while gateway.count("assignprocessmsg") < 4:  # noqa: ASYNC110 - a gateway has no event for it
                await asyncio.sleep(0.05)
        await asyncio.to_thread(executor.stop)
    polls = [at for name, at in gateway.calls if name == "assignprocessmsg"]
    assert min(later - earlier for earlier, later in itertools.pairwise(polls)) > 0.15


def test_several_run_at_once_and_no_more_than_allowed(make_executor, submit, until):
    executor = make_executor("several", concurrency=2)
    go, running = threading.Event(), []

    @executor.function("wait")
    def wait(context):
        running.append(1)
        go.wait(20)
        return len(running)

    executor.start()
    processes = [submit("wait", executortype="several") for _ in range(3)]
    until(lambda: len(running) == 2)
    threading.Event().wait(0.3)
    assert len(running) == 2
    states = sorted(process.refresh().state for process in processes)
    assert states == [cj.ProcessState.WAITING, cj.ProcessState.RUNNING, cj.ProcessState.RUNNING]
    go.set()
    for process in processes:
        process.result(timeout=10)
