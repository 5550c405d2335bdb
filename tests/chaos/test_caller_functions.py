"""Functions of callers that crash, exit, fill the memory, hang and are cancelled, many at once."""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path

import psutil
import pytest

import colony_jupyter as cj
from colony_jupyter import settings as settings_module
from colony_jupyter.testing import ColonyServer

MEMORY = 2 << 30


def misbehave(kind, number):  # noqa: C901
    import ctypes
    import os
    import signal
    import subprocess
    import sys
    import time

    match kind:
        case "works":
            return number
        case "raises":
            raise ValueError(number)
        case "exits":
            os._exit(3)
        case "crashes":
            ctypes.string_at(0)
        case "is killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "fills the memory":
            return len(b"x" * (8 << 30))
        case "leaves a process":
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            return number
        case "prints much":
            for line in range(2000):
                print(line, "x" * 100)  # noqa: T201
            return number
        case "hangs":
            time.sleep(600)
    return None


FAILURES = {
    "raises": "ValueError",
    "exits": "exit code 3",
    "crashes": "SIGSEGV",
    "is killed": "SIGKILL",
    "fills the memory": "MemoryError",
}
KINDS = (*FAILURES, "works", "leaves a process", "prints much", "hangs")


@pytest.fixture
def settings(tmp_path):
    with ColonyServer(tmp_path) as running:
        yield settings_module.resolve(running.environ())


async def check(colony, kind, number):
    process = await colony.submit(misbehave, kind, number, executortype="python-executor")
    if kind == "hangs":
        await process.running(60)
        await process.cancel()
        with pytest.raises(cj.ProcessCancelled):
            await process.result(timeout=60)
    elif kind in FAILURES:
        with pytest.raises(cj.ProcessFailed, match=FAILURES[kind]):
            await process.result(timeout=60)
    else:
        assert await process.result(timeout=60) == number


def pipes():
    """Count the pipes that this process holds."""
    found = 0
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # that of the listing
            found += str(entry.readlink()).startswith("pipe:")
    return found


@pytest.mark.parametrize("count", [18, pytest.param(600, marks=pytest.mark.chaos)])
@pytest.mark.timeout(600)
async def test_each_ends_as_it_should_and_leaves_nothing(settings, count):
    executor = cj.Executor("python-executor", settings=settings, concurrency=8)
    executor.functions_from_callers(memory=MEMORY)
    serving = asyncio.create_task(executor.serve())
    here = psutil.Process()
    before = {each.pid for each in here.children(recursive=True)}
    kinds = [KINDS[number % len(KINDS)] for number in range(count)]
    random.Random(16).shuffle(kinds)
    async with cj.AsyncColony(settings) as colony:
        await check(colony, "works", 0)
        held = pipes()
        await asyncio.gather(*(check(colony, kind, number) for number, kind in enumerate(kinds)))
        await check(colony, "works", 0)
        left = [each for each in here.children(recursive=True) if each.pid not in before]
        await asyncio.to_thread(psutil.wait_procs, left, 10)
        assert {each.pid for each in here.children(recursive=True)} == before
        assert pipes() == held
    executor.stop()
    await serving
