"""File descriptors of a client: how many it needs, and what happens where none is free."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import subprocess
import sys
import textwrap

import pytest

from colony_jupyter import AsyncColony
from colony_jupyter.wire.identity import PrivateKey

LIMITED = """
    import asyncio, os, resource, sys
    soft, hard = (int(text) for text in sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    from colony_jupyter import AsyncColony, Colony
    from colony_jupyter.errors import ServerUnreachable

    def take_all():
        taken = []
        while True:
            try:
                taken.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                return taken

    def release(taken):
        for descriptor in taken:
            os.close(descriptor)
        taken.clear()
"""


@pytest.fixture
def limited(server):
    """Return a function that runs a program with a limit of descriptors and returns what it prints."""

    def run(program, soft=256, hard=256, environ=None):
        environ = {**os.environ, **(server.environ() if environ is None else environ)}
        command = [sys.executable, "-c", textwrap.dedent(LIMITED) + textwrap.dedent(program), str(soft), str(hard)]
        done = subprocess.run(command, check=False, env=environ, capture_output=True, text=True, timeout=50)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    return run


def test_thirty_processes_run_and_are_followed_with_256_descriptors(limited):
    program = """
        from colony_jupyter import Executor
        executor = Executor("unit-descriptors-x", concurrency=30)

        @executor.function("steps")
        async def steps(context):
            for number in range(5):
                await context.channel("out").send(str(number))
                while not all_run:
                    await asyncio.sleep(0.02)
            return "done"

        async def follow(colony):
            global running, all_run
            process = await colony.submit("steps", channels=["out"], executortype="unit-descriptors-x")
            texts = []
            async for entry in process.channel("out").stream(timeout=40):
                texts.append(entry.text)
                if len(texts) == 1:
                    running += 1
                if running == 30 and not all_run:
                    print(len(os.listdir("/dev/fd")))
                    all_run = True
            assert texts == ["0", "1", "2", "3", "4"], texts
            return await process.result(timeout=40)

        async def main():
            async with AsyncColony() as colony:
                return await asyncio.gather(*(follow(colony) for _ in range(30)))

        running, all_run = 0, False
        executor.start()
        assert asyncio.run(main()) == ["done"] * 30
        executor.stop()
    """
    (used,) = limited(program)
    assert int(used) < 30 * 4


async def test_a_followed_process_takes_one_socket(settings, monkeypatch):
    """The stream, the result and the state share it. Calls share connections of their own."""
    key = PrivateKey.generate(random.randbytes)
    async with AsyncColony(settings) as user, AsyncColony(settings, prvkey=key) as executor:
        name = f"unit-{key.id[:12]}-x"
        await user.add_executor(name, key.id, name)
        await user.approve_executor(name)
        processes = [await user.submit("work", channels=["c"], executortype=name) for _ in range(8)]
        assert None not in [await executor.assign(5) for _ in processes]
        is_open: set[object] = set()
        opened = user.open_subscription

        @contextlib.asynccontextmanager
        async def counted(message, shape):
            async with opened(message, shape) as frames:
                is_open.add(frames)
                try:
                    yield frames
                finally:
                    is_open.discard(frames)

        monkeypatch.setattr(user, "open_subscription", counted)
        streams = [process.channel("c").stream() for process in processes]
        async with asyncio.TaskGroup() as group:
            results = [group.create_task(process.result()) for process in processes]
            for stream in streams:
                await stream.__aenter__()
                await stream.listening()
            assert len(is_open) == len(processes)
            for process in processes:
                await executor.close(process.processid)
            await asyncio.gather(*results)
        for stream in streams:
            await stream.aclose()


def test_a_client_raises_the_soft_limit(limited):
    program = """
        with Colony() as colony:
            colony.executors()
        print(*resource.getrlimit(resource.RLIMIT_NOFILE))
    """
    assert limited(program, 200, 1000) == ["1000", "1000"]
    assert limited(program, 200, 5000) == ["4096", "5000"]
    assert limited(program, 4500, 5000) == ["4500", "5000"]


WITHOUT_DESCRIPTORS = """
    async def main():
        async with AsyncColony() as colony:
            process = await colony.submit("work", channels=["c"], executortype="unit-descriptors-x")
            async with process.channel("c").stream(limit=1) as first:
                await process.channel("c").send("text")
                await anext(first)
            taken = take_all()
            stream = process.channel("c").stream(limit=1)
            other = AsyncColony()
            reading = asyncio.create_task(anext(stream))  # it may read the log over the connection that exists
            calls = [asyncio.create_task(other.executors()) for _ in range(2)]
            done, _ = await asyncio.wait(calls, timeout=1)
            release(taken)
            print(len(done))
            print((await reading).text)
            await asyncio.gather(*calls)
            await process.cancel()
            await other.aclose()

    asyncio.run(main())
"""


@pytest.mark.parametrize("is_embedded", [False, True], ids=["server", "embedded"])
def test_calls_and_streams_wait_for_a_free_descriptor(limited, is_embedded):
    assert limited(WITHOUT_DESCRIPTORS, environ={} if is_embedded else None) == ["0", "text"]


def test_a_call_that_gets_no_descriptor_in_time_names_the_limit(limited):
    program = """
        from colony_jupyter.client.transport import endpoint
        endpoint._DESCRIPTOR_SECONDS = 0.3

        async def main():
            async with AsyncColony() as colony:
                await colony.executors()
                taken = take_all()
                async with AsyncColony() as other:
                    try:
                        await other.executors()
                    except ServerUnreachable as error:
                        print("too many files and connections are open" in str(error), "ulimit -n" in str(error))
                    release(taken)
                    await other.executors()

        asyncio.run(main())
    """
    assert limited(program) == ["True", "True"]
