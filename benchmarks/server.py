"""How fast the embedded colony is, beside a bare application that only checks the signature, and beside a real server.

    python -m benchmarks.server [durability]

Appends to a channel over HTTP, by a signed pre-sealed request each, on 1, 4 and 16 kept-alive connections, in
interleaved rounds; then what an append costs in a long log, with many subscribers, with many channels and with idle
executors. The real server is the one that COLONIES_SERVER_HOST and its fellows name, if they do. Figures are of this
machine at this moment: compare the lines of one run.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "support")]

import websockets  # noqa: E402 - the helpers of the tests come first
from calling import CallRefused, Line, executor, new_key, running, user  # noqa: E402

from colony_jupyter.testing import ColonyServer  # noqa: E402
from colony_jupyter.wire.envelope import seal  # noqa: E402
from colony_jupyter.wire.identity import PrivateKey  # noqa: E402
from colony_jupyter.wire.messages import (  # noqa: E402
    AssignProcess,
    CancelProcess,
    ChannelAppend,
    SubscribeChannel,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

ROUNDS = 7
APPENDS = 1200
REAL_APPENDS = 400  # its limit is 500 at once and process
TEXT = b"Processing step 17/100: the quick brown fox jumps over the lazy dog"

BARE = """
import asyncio, socket, sys
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from colony_jupyter.server.bounds import Bounds
from colony_jupyter.server.listening import Listener
from colony_jupyter.server.serving import _loop_factory
from colony_jupyter.wire.envelope import Envelope, seal_reply
from colony_jupyter.wire.identity import recover
import msgspec

async def api(request):
    envelope = msgspec.json.decode(await request.body(), type=Envelope)
    recover(envelope.payload, envelope.signature)
    return Response(seal_reply(envelope.payloadtype, {}), media_type="text/plain; charset=utf-8")

async def main():
    bound = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/api", api, methods=["POST"])])
    listener = Listener(app, bound, secure=None, deaf=False, bounds=Bounds())
    await listener.start()
    print(bound.getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await listener.stop(0.1)

with asyncio.Runner(loop_factory=_loop_factory()) as runner:
    runner.run(main())
"""


@dataclass
class Place:
    """A server under measurement."""

    name: str
    host: str
    port: int
    variables: Mapping[str, str]
    appends: int = APPENDS

    @property
    def colonyname(self) -> str:
        return self.variables["COLONIES_COLONY_NAME"]

    def line(self) -> Line:
        return Line(self.host, self.port)


@contextlib.contextmanager
def bare() -> Iterator[Place]:
    child = subprocess.Popen([sys.executable, "-c", BARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        yield Place("bare", "127.0.0.1", int(child.stdout.readline()), {})
    finally:
        child.communicate()


@contextlib.contextmanager
def ours(name: str = "ours", *arguments: str, limits: bool = False) -> Iterator[Place]:
    with (
        tempfile.TemporaryDirectory() as folder,
        ColonyServer(Path(folder) / "data", limits=limits, arguments=arguments) as server,
    ):
        yield Place(name, server.host, server.port, server.environ())


def real() -> Place | None:
    host = os.environ.get("COLONIES_SERVER_HOST")
    if host is None:
        return None
    return Place("real", host, int(os.environ["COLONIES_SERVER_PORT"]), dict(os.environ), REAL_APPENDS)


@contextlib.asynccontextmanager
async def process(place: Place, *channels: str) -> AsyncIterator[tuple[str, PrivateKey]]:
    """Give a running process on a place, and its initiator's key."""
    async with place.line() as line:
        submitter = await user(line, place.variables)
        kind = f"bench-{new_key().id[:8]}-x"
        runner = await executor(line, place.variables, kind)
        found = await running(line, place.colonyname, submitter, runner, kind, channels=channels)
        yield found, submitter
        await line.call(CancelProcess(processid=found), submitter)


def sealed(processid: str, key: PrivateKey, count: int, channel: str = "c", start: int = 1) -> list[bytes]:
    return [
        seal(ChannelAppend(processid=processid, name=channel, sequence=number, payload=TEXT), key)
        for number in range(start, start + count)
    ]


async def send(place: Place, bodies: list[bytes], connections: int) -> tuple[float, list[float]]:
    """Send bodies by several connections; seconds of all, and of each."""
    times: list[float] = []

    async def work(line: Line, share: list[bytes]) -> None:
        for body in share:
            began = time.perf_counter()
            status, answer = await line.post(body)
            times.append(time.perf_counter() - began)
            if status != 200:
                raise AssertionError(answer)

    async with contextlib.AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(place.line()) for _ in range(connections)]
        for line in lines:
            await line.post(b"", "/nothing")  # connected
        began = time.perf_counter()
        await asyncio.gather(*(work(line, bodies[at::connections]) for at, line in enumerate(lines)))
        return time.perf_counter() - began, times


async def one_round(place: Place, connections: int) -> tuple[float, float]:
    """Appends a second, and the median's milliseconds."""
    if place.name == "bare":
        seconds, times = await send(place, sealed("0" * 64, PrivateKey("1" * 64), place.appends), connections)
    else:
        async with process(place, "c") as (processid, key):
            seconds, times = await send(place, sealed(processid, key, place.appends), connections)
    return place.appends / seconds, statistics.median(times) * 1e3


async def throughput(places: list[Place]) -> None:
    print(f"appends a second (median of {ROUNDS} interleaved rounds), p50 of one in ms, ratio to bare")
    for connections in (1, 4, 16):
        rounds: dict[str, list[tuple[float, float]]] = {place.name: [] for place in places}
        for _ in range(ROUNDS):
            for place in places:
                rounds[place.name].append(await one_round(place, connections))
        rates = {name: statistics.median(rate for rate, _ in found) for name, found in rounds.items()}
        for name, found in rounds.items():
            p50 = statistics.median(each for _, each in found)
            print(
                f"  {connections:3} connections  {name:12} {rates[name]:7.0f}/s  p50 {p50:6.2f} ms"
                f"  {rates[name] / rates['bare']:5.2f}"
            )
        if "real" in rates:
            print(f"  {connections:3} connections  ours is {rates['ours'] / rates['real']:.1f} times the real server")


async def growth(place: Place) -> None:
    """What an append costs as the log grows."""
    async with process(place, "c") as (processid, key):
        costs = []
        for start in range(1, 10_001, 1000):
            seconds, _ = await send(place, sealed(processid, key, 1000, start=start), 4)
            costs.append(seconds)
        print("us an append, thousand by thousand up to 10,000 entries: " + " ".join(f"{1e3 * c:.0f}" for c in costs))


async def subscribers(place: Place, count: int, entries: int) -> None:
    """One channel, many subscribers: until every one of them has every entry."""
    async with process(place, "c") as (processid, key), contextlib.AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(
                websockets.connect(f"ws://{place.host}:{place.port}/pubsub", ping_interval=None)
            )
            for _ in range(count)
        ]
        for socket in sockets:
            await socket.send(seal(SubscribeChannel(processid=processid, name="c", timeout=120), key).decode())

        async def drain(socket: websockets.ClientConnection) -> None:
            got = 0
            while got < entries:
                frame = json.loads(await socket.recv())
                got += len(json.loads(base64.b64decode(frame["payload"])))

        began = time.perf_counter()
        await asyncio.gather(send(place, sealed(processid, key, entries), 4), *(drain(each) for each in sockets))
        seconds = time.perf_counter() - began
        print(f"{count} subscribers, {entries} entries: {seconds:.2f} s, {count * entries / seconds:.0f} frames/s")


async def channels(place: Place) -> None:
    """A thousand channels, appended to in turn."""
    names = [f"c{number}" for number in range(100)]
    async with contextlib.AsyncExitStack() as stack:
        found = [await stack.enter_async_context(process(place, *names)) for _ in range(10)]
        bodies = [sealed(pid, key, 1, name)[0] for name in names for pid, key in found]
        one, _ = await send(place, bodies, 4)
        print(f"1,000 channels in turn: {1000 / one:.0f} appends/s")


async def idle(place: Place, pid: int | None, count: int) -> None:
    """Executors that wait for work, and what they cost."""
    async with place.line() as line, contextlib.AsyncExitStack() as stack:
        before = None
        waits = []
        for _ in range(count):
            key = await executor(line, place.variables, "idle-x")
            each = await stack.enter_async_context(place.line())
            waits.append(asyncio.create_task(each.call(AssignProcess(colonyname=place.colonyname, timeout=12), key)))
        await asyncio.sleep(1)
        before = _cpu(pid)
        await asyncio.sleep(8)
        spent = _cpu(pid) - before
        print(f"{count} idle executors: {100 * spent / 8:.2f} % of a processor")
        for wait in waits:
            with contextlib.suppress(CallRefused):
                await wait


def _cpu(pid: int | None) -> float:
    import psutil

    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


async def main(wanted: set[str]) -> None:
    with contextlib.ExitStack() as stack:
        bare_one, our_one = stack.enter_context(bare()), stack.enter_context(ours())
        if not wanted or "rate" in wanted:
            full = stack.enter_context(ours("ours full", "--durability", "full"))
            await throughput([bare_one, our_one, full, *filter(None, [real()])])
        if not wanted or "growth" in wanted:
            await growth(our_one)
        if not wanted or "subscribers" in wanted:
            await subscribers(our_one, 100, 500)
        if not wanted or "channels" in wanted:
            await channels(our_one)
    if not wanted or "idle" in wanted:
        with tempfile.TemporaryDirectory() as folder, ColonyServer(Path(folder) / "data") as server:
            place = Place("ours", server.host, server.port, server.environ())
            await idle(place, server.pid, 100)


if __name__ == "__main__":
    asyncio.run(main(set(sys.argv[1:])))
