"""What clients may take of the server, how silent --deaf is, how it stops; on an application of the tests' own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from dataclasses import replace
from typing import Self

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from colony_jupyter.server.process.client_limits import Bounds
from colony_jupyter.server.process.http_server import Listener

SMALL = Bounds(
    headers=2000,
    body=100_000,
    bodies=250_000,
    message=5000,
    fragments=4,
    patience=0.2,
    progress=1000,
    unread=0.5,
    idle=5,
)

# As envelopes: only the type counts here.
SUBSCRIBE = '{"payloadtype": "subscribechannelmsg"}'
SUBSCRIBE_PROCESS = '{"payloadtype": "subscribeprocessmsg"}'


class App:
    """Echoes; the path says how."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.entered = asyncio.Event()
        self.seen = 0

    async def __call__(self, scope, receive, send) -> None:
        self.entered.set()
        await (self.http if scope["type"] == "http" else self.websocket)(scope, receive, send)

    async def http(self, scope, receive, send):
        if scope["path"] == "/big":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(2000):
                await send({"type": "http.response.body", "body": bytes(100_000), "more_body": True})
            return
        more = True
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                return
            self.seen += len(event["body"])
            more = event["more_body"]
        if scope["path"] == "/wait":
            await self.release.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def websocket(self, scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] != "websocket.disconnect":
            if "subscribe" in event.get("text", ""):
                await self.release.wait()
            if event.get("text") == "drop":
                await send({"type": "websocket.close", "code": 1006})
                return
            await send({"type": "websocket.send", "text": f"{len(event.get('text') or event.get('bytes'))}"})


@contextlib.asynccontextmanager
async def serving(app, *, deaf=False, bounds=SMALL):
    bound = socket.create_server(("127.0.0.1", 0))
    listener = Listener(app, bound, secure=None, deaf=deaf, bounds=bounds)
    await listener.start()
    try:
        yield bound.getsockname()[1], listener
        await asyncio.sleep(0)
    finally:
        await listener.stop(0.1)
        assert listener.usage.bodies == 0


class Raw:
    """A client that sends what it likes."""

    def __init__(self, port) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    def send(self, data):
        self.writer.write(data)

    async def status(self):
        """The status of the answer, and that the connection is closed after it."""
        answer = await asyncio.wait_for(self.reader.read(), 5)
        assert answer.count(b"HTTP/1.1") == 1
        return int(answer.split()[1])

    async def answer(self):
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)
        await self.reader.readexactly(2)
        return int(head.split()[1])


async def test_requests_one_after_the_other_are_answered():
    async with serving(App()) as (port, listener), Raw(port) as client:
        for _ in range(3):
            client.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello")
            assert await client.answer() == 200
            assert listener.usage.bodies == 0


async def test_answers_do_not_wait_for_acknowledgements():
    """Else a call costs 40 ms where there is no uvloop: asyncio leaves a socket that others have bound as it is."""
    async with serving(App()) as (port, listener), Raw(port) as client:
        client.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
        assert await client.answer() == 200
        (connection,) = listener._state.connections
        accepted = connection.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_connection_outlives_the_patience_between_requests():
    async with serving(App()) as (port, _), Raw(port) as client:
        client.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert await client.answer() == 200
        await asyncio.sleep(3 * SMALL.patience)
        client.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert await client.answer() == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 3000, 431),
        (b"GET /" + b"y" * 3000, 431),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100001\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100001\r\n\r\n" + bytes(5000), 413),
        (
            b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" + b"3e8\r\n%b\r\n" % bytes(1000) * 101,
            413,
        ),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" + b"1;" + b"e" * 100_000, 413),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\nt: " + b"e" * 100_000, 413),
        (b"nonsense\r\n\r\n", 400),
    ],
    ids=["header", "url", "length", "length-and-body", "chunks", "chunk-extension", "trailer", "nonsense"],
)
async def test_what_is_too_much_is_refused_in_words(sent, status):
    async with serving(App()) as (port, _), Raw(port) as client:
        client.send(sent)
        assert await client.status() == status


async def test_a_refused_sender_gets_to_read_why():
    """Of one that goes on sending, the connection is not reset before the answer is there."""
    async with serving(App()) as (port, _), Raw(port) as client:
        client.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 40000000\r\n\r\n" + bytes(20_000_000))
        assert await client.status() == 413


async def test_all_bodies_together_are_bounded_and_given_back():
    async with (
        serving(App(), bounds=replace(SMALL, patience=5)) as (port, listener),
        contextlib.AsyncExitStack() as stack,
    ):
        clients = [await stack.enter_async_context(Raw(port)) for _ in range(3)]
        for client in clients:
            client.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 95000\r\n\r\n" + bytes(94_999))
        done, waiting = await asyncio.wait(
            [asyncio.create_task(client.status()) for client in clients], return_when=asyncio.FIRST_COMPLETED
        )
        assert [task.result() for task in done] == [503]
        for client in clients:
            client.send(b"x")
        await asyncio.sleep(0.1)
        assert listener.usage.bodies == 0
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)


@pytest.mark.parametrize(
    ("first", "drop", "status"),
    [
        (b"", b"", 408),
        (b"GET / HTTP/1.1\r\n", b"x: y\r\n", 408),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 90000\r\n\r\n", b"x", 408),
        (b"\r\n", b"\r\n", 408),
    ],
    ids=["silent", "header", "body", "blank-lines"],
)
async def test_a_slow_sender_is_cut_off(first, drop, status):
    async with serving(App()) as (port, _), Raw(port) as client:
        client.send(first)

        async def dropping():
            while True:
                await asyncio.sleep(0.05)
                client.send(drop)

        task = asyncio.create_task(dropping())
        start = time.monotonic()
        assert await client.status() == status
        assert time.monotonic() - start < 4 * SMALL.patience + 1
        task.cancel()


async def test_a_sender_that_makes_progress_is_not_cut_off():
    async with serving(App()) as (port, _), Raw(port) as client:
        client.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 40000\r\n\r\n")
        for _ in range(10):
            await asyncio.sleep(0.1)
            client.send(bytes(4000))
        assert await client.answer() == 200


async def test_a_long_answer_is_nobodys_slowness():
    app = App()
    async with serving(app) as (port, _), Raw(port) as client:
        client.send(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        await asyncio.sleep(4 * SMALL.patience)
        app.release.set()
        assert await client.answer() == 200


async def test_a_reader_that_does_not_read_is_cut_off():
    app = App()
    async with serving(app) as (port, listener), Raw(port) as client:
        client.writer.transport.pause_reading()
        client.send(b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n")
        await app.entered.wait()
        async with asyncio.timeout(5):
            while listener._state.connections:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)


async def test_connections_are_bounded():
    async with serving(App(), bounds=replace(SMALL, connections=2, patience=5)) as (port, _):
        async with Raw(port) as one, Raw(port) as two:
            for client in (one, two):
                client.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                assert await client.answer() == 200
            async with Raw(port) as three:
                assert await three.status() == 503
        async with Raw(port) as again:
            again.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            assert await again.answer() == 200


async def test_messages_of_a_websocket_are_bounded():
    async with serving(App()) as (port, _):
        async with connect(f"ws://127.0.0.1:{port}/", ping_interval=None, compression=None) as client:
            await client.send("x" * 5000)
            assert await client.recv() == "5000"
            await client.send("x" * 5001)
            with pytest.raises(ConnectionClosed) as caught:
                await client.recv()
            assert caught.value.rcvd.code == 1009
        async with connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as client:
            await client.send(["a", "b", "c"])  # and an empty last one
            assert await client.recv() == "3"
            await client.send(["a", *[""] * 10])
            with pytest.raises(ConnectionClosed) as caught:
                await client.recv()
            assert caught.value.rcvd.code == 1009


@pytest.mark.parametrize("deaf", [False, True])
async def test_pings_are_answered_while_nothing_is_subscribed_to(deaf):
    async with (
        serving(App(), deaf=deaf) as (port, _),
        connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as client,
    ):
        await asyncio.wait_for(await client.ping(), 1)
        await client.send("abc")
        assert await client.recv() == "3"
        await asyncio.wait_for(await client.ping(), 1)


async def test_a_deaf_server_answers_no_ping_until_the_subscription_has_ended():
    app = App()
    async with (
        serving(app, deaf=True) as (port, _),
        connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as client,
    ):
        await client.send(SUBSCRIBE)
        await asyncio.sleep(0.1)
        pong = await client.ping()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(pong), 0.3)
        app.release.set()
        assert await client.recv() == str(len(SUBSCRIBE))
        await asyncio.wait_for(pong, 1)


async def test_a_deaf_server_answers_pings_while_a_process_is_subscribed_to():
    app = App()
    async with (
        serving(app, deaf=True) as (port, _),
        connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as client,
    ):
        await client.send(SUBSCRIBE_PROCESS)
        await asyncio.wait_for(await client.ping(), 1)
        app.release.set()
        assert await client.recv() == str(len(SUBSCRIBE_PROCESS))


async def test_what_runs_for_a_client_ends_with_it(caplog):
    app = App()
    async with serving(app) as (port, listener):
        async with connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as client:
            await client.send(SUBSCRIBE)
            await asyncio.wait_for(await client.ping(), 1)
            assert len(listener._state.tasks) == 1
        async with asyncio.timeout(2):
            while listener._state.tasks:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
    assert caplog.text == ""


async def test_a_connection_can_be_dropped_without_a_word():
    async with serving(App()) as (port, _), connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as client:
        await client.send("drop")
        with pytest.raises(ConnectionClosed) as caught:
            await client.recv()
        assert (caught.value.rcvd, caught.value.sent) == (None, None)


async def test_clients_that_ping_by_default_are_cut_off_by_their_own_library():
    app = App()
    async with serving(app, deaf=True) as (port, _):
        async with connect(f"ws://127.0.0.1:{port}/", ping_interval=0.1, ping_timeout=0.1, close_timeout=0.1) as client:
            await client.send(SUBSCRIBE)
            with pytest.raises(ConnectionClosed, match="keepalive ping timeout"):
                await client.recv()
        app.release.set()


async def test_a_ping_in_one_read_with_the_subscription_is_not_answered_either():
    app = App()
    async with serving(app, deaf=True) as (port, _), Raw(port) as client:
        client.send(
            b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
            b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        client.send(
            Frame(Opcode.TEXT, SUBSCRIBE.encode()).serialize(mask=True) + Frame(Opcode.PING, b"?").serialize(mask=True)
        )
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.reader.readexactly(1), 0.3)
        app.release.set()
        text, pong = b"\x81\x02" + str(len(SUBSCRIBE)).encode(), b"\x8a\x01?"
        assert await client.reader.readexactly(len(text + pong)) in (text + pong, pong + text)


async def test_stopping_finishes_answers_and_closes_the_rest():
    app = App()
    bound = socket.create_server(("127.0.0.1", 0))
    port = bound.getsockname()[1]
    listener = Listener(app, bound, secure=None, deaf=False, bounds=SMALL)
    await listener.start()
    async with Raw(port) as busy, Raw(port) as idle, connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as client:
        app.entered.clear()
        busy.send(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        await app.entered.wait()
        stopping = asyncio.create_task(listener.stop(2))
        await asyncio.sleep(0.05)
        with pytest.raises(OSError):  # noqa: PT011 - refused or reset, as the platform likes
            await asyncio.open_connection("127.0.0.1", port)
        app.release.set()
        assert await busy.status() == 200
        assert await idle.reader.read() == b""
        with pytest.raises(ConnectionClosed) as caught:
            await client.recv()
        assert caught.value.rcvd.code == 1012
        await asyncio.wait_for(stopping, 1)


async def test_stopping_does_not_wait_for_ever():
    app = App()
    async with serving(app) as (port, listener), Raw(port) as client:
        client.send(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        await app.entered.wait()
        start = time.monotonic()
        await listener.stop(0.2)
        assert time.monotonic() - start < 1
        await client.reader.read()
