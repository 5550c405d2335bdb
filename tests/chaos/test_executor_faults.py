"""Executors while replies get lost, connections are cut and the server dies."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random

import pytest

import colony_jupyter as cj
from colony_jupyter import settings as settings_module


class Proxy:
    """Stands between an executor and its server. It can swallow the reply to a call, and cut connections."""

    def __init__(self, port) -> None:
        self._target = port
        self._pipes = set()
        self._swallowing = b""
        self._closing = True
        self.swallowed = asyncio.Event()

    @contextlib.asynccontextmanager
    async def running(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in list(self._pipes):
                task.cancel()
            await asyncio.gather(*self._pipes, return_exceptions=True)
            await server.wait_closed()

    def swallow(self, msgtype, *, close=True):
        """Let the next such call reach the server, and lose its reply; then the connection is closed or left."""
        self._swallowing, self._closing = f'"{msgtype}"'.encode(), close

    def cut(self):
        for task in list(self._pipes):
            task.cancel()

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._pipes.add(task)
        far_writer = None
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            swallowing = asyncio.Event()
            back = asyncio.create_task(self._back(far_reader, writer, swallowing))
            try:
                while data := await reader.read(65536):
                    if self._swallowing and self._swallowing in data:
                        self._swallowing = b""
                        swallowing.set()
                    far_writer.write(data)
                    await far_writer.drain()
            finally:
                back.cancel()
                await asyncio.gather(back, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._pipes.discard(task)
            for each in (writer, far_writer):
                if each is not None:
                    each.transport.abort()

    async def _back(self, far_reader, writer, swallowing):
        while data := await far_reader.read(65536):
            if swallowing.is_set():
                self.swallowed.set()
                if self._closing:
                    writer.transport.abort()
                    return
                await asyncio.Event().wait()
            writer.write(data)
            await writer.drain()
        writer.transport.abort()


@pytest.fixture
def settings(colony_server):
    return settings_module.resolve(colony_server.environ())


@contextlib.asynccontextmanager
async def serving(executor):
    task = asyncio.create_task(executor.serve())
    try:
        while not executor.is_running or not executor.worker.is_serving:
            await asyncio.sleep(0.01)
            if task.done():
                await task
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def proxy(colony_server):
    async with Proxy(colony_server.port).running() as between:
        yield between


def through(settings, proxy):
    return dataclasses.replace(settings, port=proxy.port)


async def test_a_process_whose_assignment_was_not_heard_of_is_run_all_the_same(settings, proxy):
    executor = cj.Executor("task", settings=through(settings, proxy))
    executor.function("give")(lambda context: "run")
    async with serving(executor), cj.AsyncColony(settings) as colony:
        assert await (await colony.submit("give", executortype="task")).result(timeout=10) == "run"
        proxy.swallow("assignprocessmsg")
        process = await colony.submit("give", executortype="task")
        second = await colony.submit("give", executortype="task")
        assert await process.result(timeout=25) == "run"
        assert await second.result(timeout=25) == "run"
        assert proxy.swallowed.is_set()


async def test_a_process_assigned_while_the_executor_stops_does_not_run_for_ever(settings, proxy):
    executor = cj.Executor("task", settings=through(settings, proxy))
    executor.function("give")(lambda context: "run")
    async with cj.AsyncColony(settings) as colony:
        async with serving(executor):
            await (await colony.submit("give", executortype="task")).result(timeout=10)
            # The poll under way may have gone out before: it takes the first, the next poll the second.
            proxy.swallow("assignprocessmsg", close=False)
            processes = [await colony.submit("give", executortype="task") for _ in range(2)]
            await asyncio.wait_for(proxy.swallowed.wait(), 15)
        for process in processes:
            await process.closed(timeout=10)
        (failed,) = [process for process in processes if process.state is cj.ProcessState.FAILED]
        assert "was stopped" in failed.errors[0]


async def test_a_close_whose_reply_got_lost_is_made_again(settings, proxy):
    executor = cj.Executor("task", settings=through(settings, proxy))
    executor.function("give")(lambda context: "run")
    async with serving(executor), cj.AsyncColony(settings) as colony:
        proxy.swallow("closesuccessfulmsg")
        process = await colony.submit("give", executortype="task")
        assert await process.result(timeout=15) == "run"
        assert proxy.swallowed.is_set()
        assert await (await colony.submit("give", executortype="task")).result(timeout=15) == "run"


@contextlib.asynccontextmanager
async def cutting(proxy):
    """Cut all connections now and then; returns a list that grows by one each time."""
    chance = random.Random(7)
    cuts = []

    async def cut():
        while True:
            await asyncio.sleep(chance.uniform(0.05, 0.25))
            proxy.cut()
            cuts.append(1)

    task = asyncio.create_task(cut())
    try:
        yield cuts
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_cuts_at_any_time_lose_and_repeat_nothing(settings, proxy):
    executor = cj.Executor("task", settings=through(settings, proxy))

    @executor.function("count")
    async def count(context, upto):
        for number in range(upto):
            await context.channel("out").send(str(number))
            await asyncio.sleep(0.01)
        return upto

    async def heard(process):
        return [entry.text async for entry in process.channel("out")]

    async with serving(executor), cj.AsyncColony(settings) as colony, cutting(proxy) as cuts:
        processes = [await colony.submit("count", 60, executortype="task", channels=["out", "sync"]) for _ in range(5)]
        for entries in await asyncio.gather(*(heard(process) for process in processes)):
            assert entries == [str(number) for number in range(60)]
        for process in processes:
            assert await process.result(timeout=30) == 60
    assert len(cuts) >= 5


async def test_a_chat_goes_on_through_cuts(settings, proxy):
    executor = cj.Executor("task", settings=through(settings, proxy))

    @executor.chat("chat")
    async def bot(context, message):
        for word in message.text.split():
            yield f"{word} "
            await asyncio.sleep(0.01)

    async with serving(executor), cj.AsyncColony(settings) as colony, cutting(proxy) as cuts:
        process = await colony.submit("chat", executortype="task", channels=["chat", "sync"])
        channel = process.channel("chat")
        texts = [" ".join(str(number) for number in range(start, start + 50)) for start in (0, 100, 200)]
        sequences = [await channel.send(text) for text in texts]
        await channel.end()
        entries = [entry async for entry in channel]
        await process.result(timeout=30)
    for sequence, text in zip(sequences, texts, strict=True):
        answers = [entry.text for entry in entries if entry.inreplyto == sequence]
        assert "".join(answers).split() == text.split()
    assert [entry.inreplyto for entry in entries if entry.type == "turn"] == sequences
    assert len(cuts) >= 5


def test_the_server_is_killed_while_work_goes_on(colony_server, settings):
    executor = cj.Executor("task", settings=settings)

    @executor.function("count")
    async def count(context, upto):
        async for number in context.progress(upto):
            await context.channel("out").send(str(number))
            await asyncio.sleep(0.02)
        return upto

    executor.start()
    try:
        with cj.Colony(settings) as colony:
            process = colony.submit("count", 100, executortype="task", channels=["out", "progress"])
            got = []
            for entry in process.channel("out"):
                got.append(entry.text)
                if got[-1] in ("20", "60"):
                    colony_server.kill()
                    colony_server.start()
            assert got == [str(number) for number in range(100)]
            assert process.result(timeout=20) == 100
            assert colony.submit("count", 1, executortype="task", channels=["out", "progress"]).result(timeout=20) == 1
    finally:
        executor.stop()


def test_the_server_is_away_when_the_executor_stops(colony_server, settings):
    executor = cj.Executor("task", settings=settings)

    @executor.function("wait")
    async def wait(context):
        await context.channel("out").send("x")
        await asyncio.Event().wait()

    executor.start()
    try:
        with cj.Colony(settings) as colony:
            process = colony.submit("wait", executortype="task", channels=["out"])
            stream = process.channel("out").stream(timeout=20)
            assert next(iter(stream)).text == "x"
            stream.close()
            colony_server.kill()
            executor.stop()
            assert not executor.is_running
            colony_server.start()
            assert process.refresh().state is cj.ProcessState.RUNNING
            executor.start()
            process.closed(15)
            assert "ended while it ran this process" in process.errors[0]
    finally:
        executor.stop()
