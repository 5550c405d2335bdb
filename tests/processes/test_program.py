"""A program with a client or an executor in it: what its end does, and what a signal does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

import colony_jupyter as cj
from colony_jupyter import embedded


@pytest.fixture
def submit(colony):
    return colony.submit


def failure(process, timeout=10):
    with pytest.raises(cj.ProcessFailed) as raised:
        process.result(timeout)
    return raised.value.errors


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
    """Its executors report their end first, then the colony ends with it; the next owner reads their reports."""
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


WORKER = """
import colony_jupyter as cj

executor = cj.Executor("loaded-x", "loaded")


@executor.function("double")
def double(context, number):
    return 2 * number
"""


def test_an_executor_works_from_the_shell_until_a_signal(server, colony, tmp_path):
    (tmp_path / "loaded_worker.py").write_text(WORKER)
    environment = {**os.environ, **server.environ()}
    command = [sys.executable, "-m", "colony_jupyter", "executor", "loaded_worker:executor", "--finish", "5"]
    process = colony.submit("double", 21, executortype="loaded-x")
    worker = subprocess.Popen(command, cwd=tmp_path, env=environment)
    try:
        assert process.result(20) == 42
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0


BLOCKING = "import colony_jupyter as cj; cj.Colony().statistics()"
ASYNCHRONOUS = """
import asyncio
import colony_jupyter as cj

async def main():
    await cj.AsyncColony().statistics()

asyncio.run(main())
"""


@pytest.mark.parametrize("program", [BLOCKING, ASYNCHRONOUS], ids=["blocking", "asynchronous"])
def test_a_program_that_ends_without_closing_its_client_writes_nothing_about_it(server, program):
    environ = {**os.environ, **server.environ()}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True, timeout=30
    )
    assert (done.stdout, done.stderr) == ("", "")
