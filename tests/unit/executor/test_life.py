"""An executor's life: joining, waiting for the owner, stopping, being replaced, and the end of its program."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

import colony_jupyter as cj
from colony_jupyter import embedded
from colony_jupyter.errors import ExecutorError
from colony_jupyter.executor import executor as executor_module
from colony_jupyter.executor import worker as service_module
from colony_jupyter.executor.command_line import run_until_signalled
from colony_jupyter.wire.models import ExecutorState


def set_times(monkeypatch, **seconds):
    """Have executors that are started go by other times."""
    usual = {"poll": service_module.POLL, "heartbeat": service_module.HEARTBEAT, "patience": service_module.PATIENCE}
    monkeypatch.setattr(service_module.Service.__init__, "__kwdefaults__", {**usual, **seconds})


def records(colony, executortype):
    return [each for each in colony.executors() if each.executortype == executortype]


def failure(process, timeout=10):
    with pytest.raises(cj.ProcessFailed) as raised:
        process.result(timeout)
    return raised.value.errors


def test_stopping_fails_what_runs_and_says_why(make_executor, submit):
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


def test_an_async_function_that_blocks_holds_nobody_else_up(make_executor, submit, colony):
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


def test_a_cell_that_is_run_again_replaces_its_executor(make_executor, submit, colony):
    def cell(answer):
        executor = make_executor("replaced")
        executor.function("give")(lambda context: answer)
        executor.start()
        return executor

    first = cell("one")
    assert submit("give", executortype="replaced").result(timeout=10) == "one"
    second = cell("two")
    assert (first.is_running, second.is_running) == (False, True)
    assert submit("give", executortype="replaced").result(timeout=10) == "two"
    (record,) = records(colony, "replaced")
    assert record.executorname == first.name == second.name


def test_making_it_again_stops_the_earlier_one_at_once(make_executor):
    first = make_executor("remade")
    first.start()
    make_executor("remade", "another")
    assert first.is_running
    make_executor("remade")
    assert not first.is_running


def test_starting_twice_is_starting_once(make_executor, colony):
    executor = make_executor("twice")
    executor.start()
    executor.start()
    executor.stop()
    executor.start()
    (record,) = records(colony, "twice")
    assert record.state is ExecutorState.APPROVED


def test_two_of_a_type_with_names_share_the_work(make_executor, submit):
    executors = [make_executor("shared", name, concurrency=1) for name in ("left", "right")]
    barrier = threading.Barrier(2)
    for executor in executors:
        executor.function("meet")(lambda context: barrier.wait(15))
        executor.start()
    processes = [submit("meet", executortype="shared") for _ in executors]
    assert {process.result(timeout=20) for process in processes} == {0, 1}


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


def test_the_owner_is_asked_and_waited_for(make_executor, colony, settings, capsys, until):
    without = dataclasses.replace(settings, colony_prvkey=None)
    executor = make_executor("asking", "applicant", settings=without)
    executor.function("give")(lambda context: "in")
    starting = threading.Thread(target=executor.start)
    starting.start()
    said = until(lambda: capsys.readouterr().out)
    assert said.count("\n") == 1
    words = said.replace(",", " ").split()
    assert {"applicant", "asking"} <= set(words)
    executorid = words[words.index("id") + 1].rstrip(".")
    colony.add_executor("applicant", executorid, "asking")
    threading.Event().wait(0.1)
    assert starting.is_alive()
    colony.approve_executor("applicant")
    starting.join(10)
    assert not starting.is_alive()
    assert colony.submit("give", executortype="asking").result(timeout=10) == "in"


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
    claim, join = executor_module.claim, service_module.Service.join

    def slow_claim(*args, **kwargs):
        time.sleep(0.2)
        return claim(*args, **kwargs)

    async def slow_join(self):
        await asyncio.sleep(0.5)
        return await join(self)

    monkeypatch.setattr(executor_module, "claim", slow_claim)
    monkeypatch.setattr(service_module.Service, "join", slow_join)
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


def test_a_rejected_executor_says_so(make_executor, colony):
    executor = make_executor("rejected", "unloved")
    executor.start()
    executor.stop()
    colony.reject_executor("unloved")
    with pytest.raises(ExecutorError, match="has rejected executor 'unloved'"):
        executor.start()
    assert not executor.is_running


def test_a_removed_executor_comes_back(make_executor, colony, submit, monkeypatch):
    set_times(monkeypatch, poll=1.0, heartbeat=180.0)
    executor = make_executor("removed")
    executor.function("give")(lambda context: "back")
    executor.start()
    colony.remove_executor(executor.name)
    assert submit("give", executortype="removed").result(timeout=30) == "back"
    assert [each.funcname for each in colony.functions(executor.name)] == ["give"]


def test_an_executor_removed_while_all_its_places_are_taken(make_executor, colony, submit, monkeypatch, until):
    """Its process waits again (as after 10 silent minutes, trap 3): the function stops, and runs anew."""
    set_times(monkeypatch, poll=10.0, heartbeat=0.3)
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


def test_a_name_under_which_another_runs_is_refused(make_executor, tmp_path, monkeypatch):
    make_executor("taken", "unique").start()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "another machine"))
    other = make_executor("taken else", "unique")
    with pytest.raises(ExecutorError, match="The name 'unique' is taken"):
        other.start()


def test_an_executor_that_is_one_already_is_not_added_again(make_executor, colony):
    """Adding it again would put what it runs back to waiting (trap 18)."""
    executor = make_executor("lasting")
    executor.start()
    before = records(colony, "lasting")
    executor.stop()
    executor.start()
    after = records(colony, "lasting")
    assert [each.commissiontime for each in before] == [each.commissiontime for each in after]


def test_no_server(settings, make_executor):
    executor = make_executor("lost", settings=dataclasses.replace(settings, port=1))
    with pytest.raises(cj.ServerUnreachable):
        executor.start()
    assert not executor.is_running


def test_a_heartbeat_while_all_places_are_taken(make_executor, colony, submit, monkeypatch, until):
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
    set_times(monkeypatch, patience=0.5)
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


def test_a_quiet_conversation_goes_on_while_there_is_a_place(make_executor, submit, monkeypatch):
    set_times(monkeypatch, patience=0.3)
    bot_and_function(make_executor, "roomy", 3)
    process = submit("chat", executortype="roomy", channels=["chat"])
    assert process.channel("chat").ask("hello", timeout=10).text == "You said hello"
    time.sleep(1)
    assert submit("give", executortype="roomy").result(timeout=10) == "done"
    assert process.channel("chat").ask("still there?", timeout=10).text == "You said still there?"


def test_the_key_appears_nowhere(make_executor, colony, submit, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    executor = make_executor("secretive", "keeper")

    @executor.function("tell")
    async def tell(context):
        raise ValueError(repr(vars(context)) + repr(context.colony) + repr(context.colony.key))

    executor.start()
    key = executor.service.identity.key.reveal()
    process = submit("tell", executortype="secretive", channels=["out"]).closed(10)
    everything = [
        caplog.text,
        *capsys.readouterr(),
        repr(executor),
        repr(executor.service.identity),
        repr(process.record),
        repr(colony.executors()),
    ]
    assert "ValueError" in everything[-2]
    for text in everything:
        assert key not in text
        assert key[:16] not in text


PROGRAM = """
import sys, time
import colony_jupyter as cj

executor = cj.Executor("program")

@executor.function("wait")
async def wait(context, seconds):
    import asyncio
    await context.channel("out").send("begun")
    await asyncio.sleep(seconds)
    return "finished"
"""


@pytest.fixture
def program(server, tmp_path):
    """Run a program with an executor in it, until the test is over."""
    started = []

    def run(text):
        (tmp_path / "program.py").write_text(PROGRAM)
        child = subprocess.Popen(
            [sys.executable, "-c", "from program import *\n" + textwrap.dedent(text)],
            cwd=tmp_path,
            env={**os.environ, **server.environ(), "PYTHONPATH": str(tmp_path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(child)
        return child

    yield run
    for child in started:
        child.kill()
        child.communicate()


def begun(submit, seconds, **options):
    process = submit("wait", seconds, executortype="program", channels=["out"], **options)
    assert next(iter(process.channel("out").stream(timeout=20))).text == "begun"
    return process


def test_the_end_of_the_program_fails_what_runs(program, submit):
    child = program("executor.start(); sys.stdin.read()")
    process = begun(submit, 60)
    started = time.monotonic()
    _, errors = child.communicate("")
    assert time.monotonic() - started < 5
    assert (child.returncode, errors) == (0, "")
    (error,) = failure(process)
    assert "was stopped while it ran this process" in error


def test_after_a_kill_the_next_start_clears_up(program, submit):
    child = program("executor.start(); sys.stdin.read()")
    process = begun(submit, 60)
    child.kill()
    child.wait()
    assert process.refresh().state is cj.ProcessState.RUNNING
    program("executor.start(); sys.stdin.read()")
    (error,) = failure(process)
    assert "ended while it ran this process" in error


def test_after_a_kill_the_servers_own_deadline_ends_it(program, submit):
    child = program("executor.start(); sys.stdin.read()")
    process = begun(submit, 60, maxexectime=3)
    child.kill()
    child.wait()
    assert process.refresh().state is cj.ProcessState.RUNNING
    assert failure(process, 20)


def test_the_end_of_a_program_that_owns_the_embedded_colony(tmp_path):
    """Its executors tell their end first, then the colony goes with it; the next owner reads what they told."""
    text = """
        executor.start()
        process = cj.Colony().submit("wait", 60, executortype="program", channels=["out"])
        next(iter(process.channel("out")))
        print(process)
    """
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-c", "from program import *\n" + textwrap.dedent(text)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=40,
        check=True,
    )
    assert done.stderr == ""
    try:
        with cj.Colony() as colony:
            process = colony.get_process(done.stdout.strip())
        assert process.state is cj.ProcessState.FAILED
        assert "was stopped while it ran this process" in process.errors[0]
    finally:
        embedded.stop()


SIGNALLED = """
from colony_jupyter.executor.command_line import run_until_signalled
run_until_signalled(executor, finish={finish})
print("over")
"""


def test_a_signal_lets_work_finish(program, submit):
    child = program(SIGNALLED.format(finish=20))
    process = begun(submit, 1.5)
    child.send_signal(signal.SIGTERM)
    assert process.result(timeout=10) == "finished"
    out, errors = child.communicate(timeout=10)
    assert (out, errors, child.returncode) == ("over\n", "", 0)


@pytest.mark.parametrize(("finish", "signals"), [(0.3, [signal.SIGTERM]), (60, [signal.SIGINT, signal.SIGTERM])])
def test_then_it_is_failed_at_the_time_or_at_a_second_signal(program, submit, finish, signals):
    child = program(SIGNALLED.format(finish=finish))
    process = begun(submit, 60)
    for number in signals:
        child.send_signal(number)
        time.sleep(0.2)
    (error,) = failure(process)
    assert "was stopped" in error
    out, errors = child.communicate(timeout=10)
    assert (out, errors, child.returncode) == ("over\n", "", 0)


def test_the_programs_entry_takes_over_an_executor_in_the_background(make_executor):
    executor = make_executor("taken over")
    executor.start()
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
    run_until_signalled(executor, finish=1)
    assert not executor.is_running
