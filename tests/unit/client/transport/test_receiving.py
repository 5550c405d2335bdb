"""A WebSocket connection that passes messages on in the step in which they are read."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from functools import partial

import pytest
import uvloop
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.frames import Frame, Opcode

from colony_jupyter.client.transport import receiving
from colony_jupyter.client.transport.receiving import ReceivingConnection


class Reads:
    """What a connection has passed on, read by read, and its end."""

    def __init__(self, gather=0.0) -> None:
        self.reads = []
        self.lost = asyncio.Event()
        self.seconds = gather
        self.changed = asyncio.Event()

    def receive(self, messages):
        self.reads.append(messages)
        self.changed.set()

    @property
    def messages(self):
        return [message for messages in self.reads for message in messages]

    async def until(self, count):
        while len(self.messages) < count:
            self.changed.clear()
            await self.changed.wait()


@contextlib.asynccontextmanager
async def connected(handler, gather=0.0, issued=None):
    """Connect to a server whose connections this handler serves, by TLS with a certificate; gives what it passes on."""
    at_server, at_client = None, None
    if issued is not None:
        at_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        at_server.load_cert_chain(issued.server)
        at_client = ssl.create_default_context(cafile=str(issued.authority))
    reads = Reads(gather)
    factory = partial(ReceivingConnection, receive=reads.receive, lost=reads.lost.set, gather=lambda: reads.seconds)
    async with serve(handler, "127.0.0.1", 0, compression=None, ssl=at_server) as server:
        (socket,) = server.sockets
        connection = await connect(
            f"ws{'s' if issued else ''}://127.0.0.1:{socket.getsockname()[1]}",
            ssl=at_client,
            create_connection=factory,
            compression=None,
            max_size=None,
            proxy=None,
        )
        try:
            async with asyncio.timeout(20):
                yield connection, reads
        finally:
            connection.transport.abort()
            await connection.wait_closed()


async def idle(connection):
    await connection.wait_closed()


def encoded(text, opcode=Opcode.TEXT, *, fin=True):
    return Frame(opcode, text.encode(), fin).serialize(mask=False)


async def test_messages_of_one_read_are_passed_on_together_before_the_read_returns():
    async with connected(idle) as (connection, reads):
        connection.data_received(encoded("one") + encoded("two") + encoded("three")[:-1])
        assert reads.reads == [[b"one", b"two"]]
        connection.data_received(b"e")
        assert reads.reads == [[b"one", b"two"], [b"three"]]


async def test_a_message_in_several_frames_is_joined_also_around_a_ping():
    async with connected(idle) as (connection, reads):
        parts = [encoded("o", fin=False), encoded("", Opcode.PING), encoded("n", Opcode.CONT, fin=False)]
        connection.data_received(b"".join(parts))
        assert reads.reads == []
        connection.data_received(encoded("e", Opcode.CONT) + encoded("two"))
        assert reads.reads == [[b"one", b"two"]]


async def send_many(connection):
    for number in range(300):
        size = (10, 16 * 1024, 70_000, 300_000)[number % 4]
        await connection.send(f"{number} ".ljust(size, "x"))
    await connection.wait_closed()


async def receive_many(gather, issued):
    async with connected(send_many, gather, issued) as (_, reads):
        await reads.until(300)
        assert [int(message.split()[0]) for message in reads.messages] == list(range(300))
        assert {len(message) for message in reads.messages} == {10, 16 * 1024, 70_000, 300_000}


@pytest.mark.parametrize("gather", [0.0, 0.001])
@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("has_tls", [False, True])
def test_messages_of_every_size_arrive_whole_and_in_order(gather, loop_factory, has_tls, issued):
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(receive_many(gather, issued if has_tls else None))


async def test_asyncio_reads_into_the_buffer_of_the_connection(monkeypatch):
    """Where it is not, asyncio makes a buffer of 256 KiB at each read."""
    into = []
    updated = ReceivingConnection.buffer_updated
    monkeypatch.setattr(
        ReceivingConnection, "buffer_updated", lambda self, nbytes: into.append(nbytes) or updated(self, nbytes)
    )

    async def send(connection):
        await connection.send("one")
        await connection.wait_closed()

    async with connected(send) as (_, reads):
        await reads.until(1)
        assert into


async def test_what_comes_within_the_time_is_gathered():
    first = asyncio.Event()

    async def send(connection):
        await connection.send("one")
        await first.wait()
        for text in ("two", "three"):
            await connection.send(text)
        await connection.wait_closed()

    async with connected(send, gather=0.5) as (connection, reads):
        await reads.until(1)
        assert not connection.transport.is_reading()
        first.set()
        await reads.until(3)
        assert reads.reads == [[b"one"], [b"two", b"three"]]


async def test_the_socket_is_read_on_at_once_after_a_read_of_much():
    async with connected(idle, gather=60.0) as (connection, reads):
        connection.data_received(encoded("x" * receiving.LITTLE))
        assert len(reads.reads) == 1
        assert connection.transport.is_reading()


async def test_the_socket_is_read_on_at_once_while_a_message_is_incomplete():
    async with connected(idle, gather=60.0) as (connection, reads):
        connection.data_received(encoded("one")[:-1])
        assert reads.reads == []
        assert connection.transport.is_reading()


async def test_the_time_is_asked_for_at_each_read():
    async with connected(idle) as (connection, reads):
        connection.data_received(encoded("one"))
        assert connection.transport.is_reading()
        reads.seconds = 60.0
        connection.data_received(encoded("two"))
        assert not connection.transport.is_reading()


async def test_a_connection_that_is_lost_while_it_rests_is_lost_at_once():
    async with connected(idle, gather=0.01) as (connection, reads):
        connection.data_received(encoded("one"))
        connection.transport.abort()
        await reads.lost.wait()
        await asyncio.sleep(0.05)  # the end of the rest reads nothing, and fails at nothing


async def test_a_cut_that_comes_while_it_rests_is_noticed_after_it():
    async def send(connection):
        await connection.send("one")
        await asyncio.sleep(0)
        connection.transport.abort()

    async with connected(send, gather=0.05) as (_, reads):
        await reads.lost.wait()
        assert reads.messages == [b"one"]
