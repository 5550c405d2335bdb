"""A link to a far server: bytes arrive later, and as many at once as were sent. It runs as a process of its own.

python -m benchmarks.distance PORT SECONDS    prints its own port, and ends with its standard input
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 65536
_ON_ITS_WAY = 256  # pieces


@contextlib.contextmanager
def far(port: int, round_trip: float) -> Iterator[int]:
    """Return a port of this machine that leads to another one of it, with a round trip of so many seconds."""
    command = [sys.executable, "-m", "benchmarks.distance", str(port), str(round_trip / 2)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        yield int(child.stdout.readline())
    finally:
        child.communicate()


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, delay: float) -> None:
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_ON_ITS_WAY)

    async def take() -> None:
        data = b"."
        while data:
            data = await source.read(_PIECE)
            await pieces.put((loop.time() + delay, data))

    taking = asyncio.create_task(take())
    try:
        while True:
            due, data = await pieces.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not data:
                return
            sink.write(data)
            await sink.drain()
    finally:
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)


async def _serve(port: int, delay: float) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            back, onward = await asyncio.open_connection("127.0.0.1", port)
            both = [asyncio.create_task(_carry(*way, delay)) for way in ((reader, onward), (back, writer))]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            onward.transport.abort()
        writer.transport.abort()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
