"""What clients may take of the server, and how it stops; on an application of the tests' own."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import socket
import time
from dataclasses import replace
from typing import Any

import pytest
from listening import SMALL, SUBSCRIBE, App, Raw, serving
from starlette.requests import ClientDisconnect
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from colony_jupyter.server.process import certificate
from colony_jupyter.server.process.client_limits import ClientLimits
from colony_jupyter.server.process.http_server import HttpServer


async def test_requests_one_after_the_other_are_answered():
    async with serving(App()) as (port, http_server), Raw(port) as client:
        for _ in range(3):
            client.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello")
            assert await client.answer() == 200
            assert http_server.usage.bodies == 0


async def test_answers_do_not_wait_for_acknowledgements():
    """Else a call costs 40 ms where there is no uvloop: asyncio leaves a socket that others have bound as it is."""
    async with serving(App()) as (port, http_server), Raw(port) as client:
        client.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
        assert await client.answer() == 200
        (connection,) = http_server._state.connections
        accepted = connection.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_connection_outlives_the_patience_between_requests():
    async with serving(App()) as (port, _), Raw(port) as client:
        client.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert await client.answer() == 200
        await asyncio.sleep(3 * SMALL.request_seconds)
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
        serving(App(), limits=replace(SMALL, request_seconds=5)) as (port, http_server),
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
        assert http_server.usage.bodies == 0
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
        assert time.monotonic() - start < 4 * SMALL.request_seconds + 1
        task.cancel()


async def test_a_sender_that_makes_progress_is_not_cut_off():
    async with serving(App()) as (port, _), Raw(port) as client:
        client.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 40000\r\n\r\n")
        for _ in range(10):
            await asyncio.sleep(0.1)
            client.send(bytes(4000))
        assert await client.answer() == 200


async def test_a_long_reply_does_not_count_as_a_slow_client():
    app = App()
    async with serving(app) as (port, _), Raw(port) as client:
        client.send(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        await asyncio.sleep(4 * SMALL.request_seconds)
        app.release.set()
        assert await client.answer() == 200


async def test_a_reader_that_does_not_read_is_cut_off():
    app = App()
    async with serving(app) as (port, http_server), Raw(port) as client:
        transport: Any = client.writer.transport
        transport.pause_reading()
        client.send(b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n")
        await app.entered.wait()
        async with asyncio.timeout(5):
            while http_server._state.connections:  # noqa: ASYNC110 - no event announces it
                await asyncio.sleep(0.05)


async def test_connections_are_bounded():
    async with serving(App(), limits=replace(SMALL, connections=2, request_seconds=5)) as (port, _):
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
            for _ in range(3):
                await client.send(["a", "b", "c"])  # and an empty last one
                assert await client.recv() == "3"
            await client.send(["a", *[""] * 10])
            with pytest.raises(ConnectionClosed) as caught:
                await client.recv()
            assert caught.value.rcvd.code == 1009


async def test_what_runs_for_a_client_ends_with_it(caplog):
    app = App()
    async with serving(app) as (port, http_server):
        async with connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as client:
            await client.send(SUBSCRIBE)
            await asyncio.wait_for(await client.ping(), 1)
            assert len(http_server._state.tasks) == 1
        async with asyncio.timeout(2):
            while http_server._state.tasks:  # noqa: ASYNC110 - no event announces it
                await asyncio.sleep(0.01)
    assert caplog.text == ""


async def test_a_connection_can_be_dropped_without_a_word():
    async with serving(App()) as (port, _), connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as client:
        await client.send("drop")
        with pytest.raises(ConnectionClosed) as caught:
            await client.recv()
        assert (caught.value.rcvd, caught.value.sent) == (None, None)


async def test_stopping_finishes_answers_and_closes_the_rest():
    app = App()
    bound = socket.create_server(("127.0.0.1", 0))
    port = bound.getsockname()[1]
    http_server = HttpServer(app, bound, secure=None, deaf=False, limits=SMALL)
    await http_server.start()
    async with Raw(port) as busy, Raw(port) as idle, connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as client:
        app.entered.clear()
        busy.send(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        await app.entered.wait()
        stopping = asyncio.create_task(http_server.stop(2))
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


async def test_stopping_does_not_wait_for_ever(caplog):
    app = App()
    async with serving(app) as (port, http_server), Raw(port) as client:
        client.send(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        await app.entered.wait()
        start = time.monotonic()
        await http_server.stop(0.2)
        assert time.monotonic() - start < 1
        await client.reader.read()
    assert caplog.text == ""


async def test_a_server_that_has_not_started_gives_up_its_socket():
    bound = socket.create_server(("127.0.0.1", 0))
    await HttpServer(App(), bound, secure=None, deaf=False, limits=SMALL).stop(1)
    assert bound.fileno() == -1


async def test_a_client_that_leaves_within_its_request_is_no_error(caplog):
    left = asyncio.Event()

    async def app(scope, receive, send):
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
            raise ClientDisconnect
        finally:
            left.set()

    async with serving(app) as (port, _):
        async with Raw(port) as client:
            client.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhe")
            await client.writer.drain()
        await asyncio.wait_for(left.wait(), 5)
    assert caplog.text == ""


async def test_an_idle_connection_stays_open_for_as_long_as_the_limit():
    async with serving(App(), limits=replace(SMALL, idle=40)) as (port, http_server), Raw(port) as client:
        client.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert await client.answer() == 200
        (connection,) = http_server._state.connections
        left = connection.timeout_keep_alive_task.when() - asyncio.get_running_loop().time()
        assert 30 < left <= 40
    assert ClientLimits().idle > 5, "a client keeps an idle connection for 5 s"


async def test_streams_are_not_compressed():
    """As on the real server: most messages are small."""
    async with serving(App()) as (port, _), connect(f"ws://127.0.0.1:{port}/", compression="deflate") as client:
        assert client.protocol.extensions == []


async def test_a_client_that_never_begins_its_handshake_is_disconnected(tmp_path):
    secure = certificate.ensure(tmp_path / "tls", ["127.0.0.1"], dt.datetime.now(dt.UTC)).context()
    bound = socket.create_server(("127.0.0.1", 0))
    limits = replace(SMALL, request_seconds=0.05)
    http_server = HttpServer(App(), bound, secure=secure, deaf=False, limits=limits)
    await http_server.start()
    try:
        async with Raw(bound.getsockname()[1]) as client:
            assert await asyncio.wait_for(client.reader.read(), 5) == b""
    finally:
        await http_server.stop(0)
