"""The operating-system process of one caller's function: started, listened to, ended."""

from __future__ import annotations

import asyncio
import errno
import os
import signal

import msgspec
import psutil
import pytest

from colony_jupyter.errors import ExecutorError
from colony_jupyter.executor.callers.child_process import ChildProcess
from colony_jupyter.executor.callers.protocol import LENGTH, Raised, Request, Returned, Start
from colony_jupyter.functions.packing import pack
from colony_jupyter.functions.receiving import receive
from colony_jupyter.wire.models import FunctionSpec, ProcessRecord


def start_of(function, *args):
    packed = pack(function)
    received = receive(packed.funcname, packed.env)
    spec = FunctionSpec(funcname=packed.funcname, args=list(args), channels=["out"])
    record = ProcessRecord(processid="a" * 64, spec=spec)
    return Start(received.funcname, received.text, list(received.segments), received.python, record, "e", "t")


def adds(a, b):
    print("from the process")  # noqa: T201
    return a + b


async def test_a_function_returns_and_what_it_prints_is_copied(capsys):
    async with ChildProcess() as child:
        await child.send(start_of(adds, 1, 2))
        last = await child.receive()
        assert await child.exited() == 0
        await child.finish()
        assert await child.receive() is None
    assert isinstance(last, Returned)
    assert msgspec.json.decode(last.output) == [3]
    assert "from the process\n" in capsys.readouterr().out


async def test_a_function_that_raises_reports_its_errors():
    def fails():
        raise ValueError("no luck")

    async with ChildProcess() as child:
        await child.send(start_of(fails))
        last = await child.receive()
    assert isinstance(last, Raised)
    assert last.errors[0] == "ValueError: no luck"


async def test_a_function_asks_its_executor_for_calls():
    def sends(context):
        context.channel("out").send("text")

    async with ChildProcess() as child:
        await child.send(start_of(sends))
        request = await child.receive()
    assert isinstance(request, Request)
    assert (request.verb, request.channel, request.payload) == ("send", "out", b"text")


@pytest.mark.parametrize(("code", "expected"), [(3, 3), (-signal.SIGTERM, -signal.SIGTERM)])
async def test_its_exit_code_is_known_and_that_of_a_signal_is_negative(code, expected):
    def leaves(code):
        import os

        if code < 0:
            os.kill(os.getpid(), -code)
        os._exit(code)

    async with ChildProcess() as child:
        await child.send(start_of(leaves, code))
        assert await child.receive() is None
        assert await child.exited() == expected


def waits():
    import os
    import subprocess
    import sys
    import time

    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print(os.getpid(), child.pid)  # noqa: T201
    time.sleep(600)


async def test_leaving_kills_the_function_and_all_that_it_started(capsys):
    printed = ""
    async with ChildProcess() as child, asyncio.timeout(20):
        await child.send(start_of(waits))
        while "\n" not in printed:
            await asyncio.sleep(0.05)
            printed += capsys.readouterr().out
    deadline = asyncio.get_running_loop().time() + 10
    while any(is_alive(int(pid)) for pid in printed.split()):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)


async def test_what_a_function_leaves_running_is_killed_when_it_has_finished():
    def leaves():
        import subprocess
        import sys

        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid

    async with ChildProcess() as child, asyncio.timeout(20):
        await child.send(start_of(leaves))
        last = await child.receive()
        assert isinstance(last, Returned)
        (pid,) = msgspec.json.decode(last.output)
        assert is_alive(pid)
        await child.finish()
        while is_alive(pid):  # noqa: ASYNC110 - the operating system has no event for it
            await asyncio.sleep(0.01)


def is_alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (LENGTH.pack(3) + b"abc", "The function wrote into the pipe that its executor reads."),
        (b"\xff\xff\xff\xff", r"The function sent 4,294,967,295 bytes at once; the limit is"),
    ],
)
async def test_bytes_that_are_no_message_are_an_error(data, sentence):
    def writes(data):
        import gc
        import time

        for found in gc.get_objects():
            if type(found).__name__ == "Link":
                found._outgoing.write(bytes(data))
                found._outgoing.flush()
        time.sleep(600)

    async with ChildProcess() as child:
        await child.send(start_of(writes, list(data)))
        with pytest.raises(ExecutorError, match=sentence):
            await child.receive()


async def test_a_message_to_a_process_that_has_ended_is_dropped():
    def leaves():
        import os

        os._exit(0)

    async with ChildProcess() as child:
        await child.send(start_of(leaves))
        await child.exited()
        for _ in range(3):
            await child.send(start_of(adds, "x" * 100_000, "y"))


async def test_a_process_that_cannot_be_started_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr("colony_jupyter.executor.callers.child_process.sys.executable", "/nowhere/python")
    before = descriptors()
    with pytest.raises(FileNotFoundError):
        async with ChildProcess():
            pass
    assert descriptors() == before


@pytest.mark.parametrize("successful", [0, 1, 2])
async def test_pipes_of_a_process_for_which_there_are_too_few_descriptors_are_closed(monkeypatch, successful):
    pipe, made = os.pipe, []

    def some():
        if len(made) == successful:
            raise OSError(errno.EMFILE, "Too many open files")
        made.append(pipe())
        return made[-1]

    before = descriptors()
    monkeypatch.setattr(os, "pipe", some)
    with pytest.raises(OSError, match="Too many open files"):
        async with ChildProcess():
            pass
    assert descriptors() == before


async def test_leaving_that_is_cancelled_closes_the_pipes_all_the_same():
    class Never(asyncio.Event):
        def set(self):
            """The operating system cannot end the process: it waits for a disk."""

    before = descriptors()
    child = await ChildProcess().__aenter__()
    child._output.exited = Never()
    leaving = asyncio.create_task(child.aclose())
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    async with asyncio.timeout(10):
        # Transports close in turns of the loop, and the process itself was killed.
        while descriptors() != before or child._process.get_returncode() is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def descriptors():
    return psutil.Process().num_fds()
