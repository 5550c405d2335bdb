"""From an append to the entry in the consumer's hands, and reading what a channel holds already."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import threading
import time
from typing import TYPE_CHECKING

import msgspec
import pycolonies
import websockets

from benchmarks.places import Place, Running, places, running_process
from benchmarks.tables import Table, percentile
from colony_jupyter import AsyncColony, Colony
from colony_jupyter.wire.envelope import seal
from colony_jupyter.wire.messages import ChannelAppend, SubscribeChannel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from benchmarks.effort import Effort

_ENTRIES = 100
_APART = 0.02  # seconds between two entries
_WINDOW = 60

_EXISTING = 10_000  # of which a real server takes a hundred a second
_EXISTING_LIMITED = 400
_TURNS = 5  # each reads the same entries

OURS, BLOCKING, SDK, RAW = "ours, async", "ours, blocking", "pycolonies.subscribe_channel", "bare websockets loop"


@contextlib.asynccontextmanager
async def _async(place: Place, running: Running, arrived: Callable[[int], None]) -> AsyncIterator[None]:
    async with AsyncColony(place.settings(), prvkey=running.initiator) as colony:
        stream = (await colony.get_process(running.processid)).channel("c").stream()
        await stream.listening()

        async def consume() -> None:
            async for entry in stream:
                arrived(entry.sequence)

        task = asyncio.create_task(consume())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await stream.aclose()


@contextlib.asynccontextmanager
async def _blocking(place: Place, running: Running, arrived: Callable[[int], None]) -> AsyncIterator[None]:
    def consume() -> None:
        with Colony(place.settings(), prvkey=running.initiator) as colony:
            for entry in colony.get_process(running.processid).channel("c"):
                arrived(entry.sequence)

    async with _in_thread(consume):
        yield


@contextlib.asynccontextmanager
async def _sdk(place: Place, running: Running, arrived: Callable[[int], None]) -> AsyncIterator[None]:
    def callback(entries: list[dict[str, object]]) -> bool:
        for entry in entries:
            arrived(int(str(entry["sequence"])))
        return not any(entry.get("type") == "end" for entry in entries)

    def consume() -> None:
        sdk = pycolonies.Colonies(place.host, place.port, False)  # noqa: FBT003 - the SDK's parameter for TLS
        sdk.subscribe_channel(running.processid, "c", running.initiator.reveal(), timeout=_WINDOW, callback=callback)

    async with _in_thread(consume):
        yield


@contextlib.asynccontextmanager
async def _raw(place: Place, running: Running, arrived: Callable[[int], None]) -> AsyncIterator[None]:
    async with websockets.connect(f"ws://{place.host}:{place.port}/pubsub", ping_interval=None) as socket:
        message = SubscribeChannel(processid=running.processid, name="c", timeout=_WINDOW)
        await socket.send(seal(message, running.initiator).decode())

        async def consume() -> None:
            async for frame in socket:
                envelope = msgspec.json.decode(frame)
                for entry in msgspec.json.decode(base64.b64decode(envelope["payload"])):
                    arrived(entry["sequence"])

        task = asyncio.create_task(consume())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def _in_thread(consume: Callable[[], None]) -> AsyncIterator[None]:
    thread = threading.Thread(target=consume)
    thread.start()
    yield
    await asyncio.to_thread(thread.join)


WAYS = {OURS: _async, BLOCKING: _blocking, SDK: _sdk, RAW: _raw}


async def _lags(place: Place, name: str, count: int) -> list[float]:
    """Seconds of each entry from just before its append to its arrival."""
    came: dict[int, float] = {}
    first, everything = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def arrived(sequence: int) -> None:
        came.setdefault(sequence, time.perf_counter())
        loop.call_soon_threadsafe(first.set)
        if len(came) > count:  # one more than is counted: the first shows that the consumer listens
            loop.call_soon_threadsafe(everything.set)

    async with running_process(place, "c") as running, place.line() as line:

        async def append(sequence: int, kind: str = "data") -> None:
            message = ChannelAppend(
                processid=running.processid, name="c", sequence=sequence, payload=b"x" * 80, payloadtype=kind
            )
            await line.call(message, running.executor)

        async with WAYS[name](place, running, arrived):
            await append(2)
            await first.wait()
            sent = {}
            for number in range(2, count + 2):
                await asyncio.sleep(_APART)
                sent[2 * number] = time.perf_counter()
                await append(2 * number)
            async with asyncio.timeout(30):
                await everything.wait()
            await append(2 * count + 4, "end")  # ends what runs in a thread
    return [came[sequence] - at for sequence, at in sent.items()]


async def _read_ours(place: Place, running: Running, count: int) -> float:
    async with AsyncColony(place.settings(), prvkey=running.initiator) as colony:
        process = await colony.get_process(running.processid)
        began = time.perf_counter()
        texts = [entry.text async for entry in process.channel("c").stream(limit=count)]
        took = time.perf_counter() - began
    assert len(texts) == count
    return took


async def _read_raw(place: Place, running: Running, count: int) -> float:
    began = time.perf_counter()
    texts: list[str] = []
    async with websockets.connect(
        f"ws://{place.host}:{place.port}/pubsub", ping_interval=None, compression=None, max_size=None
    ) as socket:
        message = SubscribeChannel(processid=running.processid, name="c", timeout=_WINDOW)
        await socket.send(seal(message, running.initiator).decode())
        while len(texts) < count:
            envelope = msgspec.json.decode(await socket.recv())
            entries = msgspec.json.decode(base64.b64decode(envelope["payload"]))
            texts += [base64.b64decode(entry["payload"]).decode() for entry in entries]
        took = time.perf_counter() - began
        socket.transport.abort()  # the server reads nothing during a subscription, a close included
    return took


async def _existing(effort: Effort) -> Table:
    table = Table("Reading the entries that a channel holds", {"time": "ms"})
    with places() as found:
        for place in found:
            count = effort.of(_EXISTING_LIMITED if place.limited else _EXISTING, 100)
            async with running_process(place, "c") as running, place.line() as line:
                for number in range(1, count + 1):
                    message = ChannelAppend(
                        processid=running.processid, name="c", sequence=2 * number, payload=b"x" * 80
                    )
                    await line.call(message, running.executor)
                for _ in range(effort.rounds * _TURNS):
                    for name, way in ((OURS, _read_ours), (RAW, _read_raw)):
                        label = f"{name} ({place.name}, {count:,} entries)"
                        table.add(label, time=await way(place, running, count) * 1e3)
            if not place.limited:  # of few entries most of the time is that of the connection
                ours, raw = (f"{name} ({place.name}, {count:,} entries)" for name in (OURS, RAW))
                table.claim_ratio(f"{count:,} entries, beside the bare loop, {place.name}", (ours, raw), "time", 1.5)
    return table


async def measure(effort: Effort) -> list[Table]:
    """Measure."""
    table = Table("Append to entry in the consumer", {"p50": "ms", "p99": "ms"})
    with places() as found:
        for _ in range(effort.rounds):
            for place in found:
                for name in WAYS:
                    lags = await _lags(place, name, effort.of(_ENTRIES, 5))
                    table.add(f"{name} ({place.name})", p50=percentile(lags, 50) * 1e3, p99=percentile(lags, 99) * 1e3)
    for place in found:
        pair = (f"{OURS} ({place.name})", f"{RAW} ({place.name})")
        table.claim_ratio(f"ours, beside the bare loop, {place.name}, p50", pair, "p50", 1.1)
    return [table, await _existing(effort)]
