"""An executor in a notebook's kernel: cells, interrupts, restarts, the end."""

from __future__ import annotations

import contextlib
import os
import signal

import pytest
from jupyter_client.manager import KernelManager

import colony_jupyter as cj
from tools.kernel_sockets import kernel_sockets

CELL = """
import asyncio
import colony_jupyter as cj
executor = cj.Executor("notebook")

@executor.function("wait")
async def wait(context):
    await context.channel("out").send(executor.name)
    await asyncio.Event().wait()

@executor.function("give")
def give(context):
    return "given"

executor.start()
"""


class Kernel:
    def __init__(self, environ) -> None:
        self._folder = contextlib.ExitStack()
        self.manager = KernelManager(kernel_name="python3", **self._folder.enter_context(kernel_sockets()))
        self.manager.start_kernel(env={**os.environ, **environ})
        self.connect()

    def connect(self):
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=30)

    def run(self, code, on_output=lambda message: None):
        def hook(message):
            if message["msg_type"] == "stream":
                on_output(message)

        reply = self.client.execute_interactive(code, timeout=20, output_hook=hook)
        assert reply["content"]["status"] == "ok", reply["content"].get("evalue")

    def restart(self):
        self.client.stop_channels()
        self.manager.restart_kernel(now=False)
        self.connect()

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=False)
        self.manager.cleanup_resources()
        self._folder.close()


@pytest.fixture
def kernel(server):
    running = Kernel(server.environ())
    yield running
    if running.manager.has_kernel:
        running.end()


@pytest.fixture
def submit(colony):
    return colony.submit


def waiting(submit):
    """Have the executor run something endless; the process, and the executor's name."""
    process = submit("wait", executortype="notebook", channels=["out"])
    with process.channel("out").stream(timeout=20) as stream:
        return process, next(iter(stream)).text


def assert_stopped(process, name):
    process.closed(10)
    assert process.state is cj.ProcessState.FAILED
    assert process.errors == [f"Executor '{name}' was stopped while it ran this process."]


def test_the_end_of_the_kernel_fails_what_runs(kernel, submit):
    kernel.run(CELL)
    process, name = waiting(submit)
    kernel.end()
    assert_stopped(process, name)


def test_a_restart_fails_what_runs_and_is_the_same_executor_afterwards(kernel, submit):
    kernel.run(CELL)
    process, name = waiting(submit)
    kernel.restart()
    assert_stopped(process, name)
    kernel.run(CELL)
    process, again = waiting(submit)
    assert again == name
    kernel.run(CELL)
    assert_stopped(process, name)
    assert submit("give", executortype="notebook").result(timeout=10) == "given"


def test_an_interrupt_does_not_touch_it(kernel, submit):
    kernel.run(CELL)
    process, _ = waiting(submit)
    with pytest.raises(AssertionError):
        # Once output was seen the cell runs for certain.
        kernel.run(
            "import time; print('begun', flush=True); time.sleep(15)",
            lambda _: os.kill(kernel.manager.provisioner.pid, signal.SIGINT),
        )
    kernel.run("1")
    assert process.refresh().state is cj.ProcessState.RUNNING
    assert submit("give", executortype="notebook").result(timeout=10) == "given"
