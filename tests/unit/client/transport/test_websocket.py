"""One subscription on a WebSocket: what arrives, how it ends, and what a refused connection is called."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus

import msgspec
import pytest
from websockets.asyncio.server import serve

from colony_jupyter import settings
from colony_jupyter.client.transport.endpoint import Endpoint
from colony_jupyter.client.transport.websocket import subscription
from colony_jupyter.errors import AccessDenied, ProtocolError, ServerUnreachable, WebSocketRefused
from colony_jupyter.wire.envelope import Envelope, seal_refusal, seal_reply
from colony_jupyter.wire.identity import PrivateKey, recover
from colony_jupyter.wire.messages import SubscribeChannel

KEY = PrivateKey("1f" * 32)
MESSAGE = SubscribeChannel(processid="a" * 64, name="c", afterseq=0, timeout=1)


def endpoint(port):
    variables = {"COLONIES_SERVER_HOST": "127.0.0.1", "COLONIES_SERVER_PORT": str(port), "COLONIES_TLS": "false"}
    return Endpoint(settings.resolve({**variables, "COLONIES_COLONY_NAME": "c", "COLONIES_PRVKEY": KEY.reveal()}))


@contextlib.asynccontextmanager
async def answering(handler, **options):
    """Return the endpoint of a server whose connections this handler serves."""
    async with serve(handler, "127.0.0.1", 0, **options) as server:
        (socket,) = server.sockets
        yield endpoint(socket.getsockname()[1])


async def collected(frames):
    """Return the values of frames once they have ended."""
    values = []
    await frames.each(values.extend)
    return values


async def test_values_of_frames_arrive_until_the_server_closes():
    async def handler(connection):
        await connection.recv()
        for value in ([1], {"a": 2}):
            await connection.send(seal_reply("x", value).decode())

    async with answering(handler) as there, subscription(there, MESSAGE, KEY, object) as frames:
        assert await collected(frames) == [[1], {"a": 2}]


async def test_a_connection_that_is_cut_ends_the_frames():
    async def handler(connection):
        await connection.recv()
        await connection.send(seal_reply("x", 1).decode())
        connection.transport.abort()

    async with answering(handler) as there, subscription(there, MESSAGE, KEY, object) as frames:
        assert await collected(frames) == [1]


async def test_the_subscription_is_signed_by_the_caller():
    received = []

    async def handler(connection):
        received.append(await connection.recv())

    async with answering(handler) as there, subscription(there, MESSAGE, KEY, object) as frames:
        assert await collected(frames) == []
    envelope = msgspec.json.decode(received[0], type=Envelope)
    assert envelope.payloadtype == "subscribechannelmsg"
    assert recover(envelope.payload, envelope.signature) == KEY.id


@pytest.mark.parametrize(
    ("frame", "error"), [(seal_refusal(403, "Access denied"), AccessDenied), (b"no envelope", ProtocolError)]
)
async def test_an_error_frame_and_one_that_cannot_be_read_are_raised(frame, error):
    async def handler(connection):
        await connection.recv()
        await connection.send(frame.decode())
        await connection.wait_closed()

    async with answering(handler) as there, subscription(there, MESSAGE, KEY, object) as frames:
        with pytest.raises(error):
            await collected(frames)


async def test_what_came_before_an_error_frame_arrives_though_it_was_read_with_it():
    async def handler(connection):
        await connection.recv()
        for body in (seal_reply("x", 1), seal_refusal(403, "Access denied"), seal_reply("x", 2)):
            connection.protocol.send_text(body)
        connection.send_data()  # all in one packet
        await connection.wait_closed()

    values: list[object] = []
    async with answering(handler) as there, subscription(there, MESSAGE, KEY, object) as frames:
        with pytest.raises(AccessDenied):
            await frames.each(values.extend)
    assert values == [1]


async def test_what_the_receiver_raises_is_raised_where_the_frames_are_waited_for():
    async def handler(connection):
        await connection.recv()
        await connection.send(seal_reply("x", 1).decode())
        await connection.wait_closed()

    def receive(_):
        raise ZeroDivisionError

    async with answering(handler) as there, subscription(there, MESSAGE, KEY, object) as frames:
        with pytest.raises(ZeroDivisionError):
            await frames.each(receive)


async def test_an_answer_that_redirects_does_not_end_the_frames():
    def respond(connection, request):
        if request.path != "/pubsub":
            return None
        response = connection.respond(HTTPStatus.TEMPORARY_REDIRECT, "there\n")
        response.headers["Location"] = "/there"
        return response

    async def handler(connection):
        await connection.recv()
        await asyncio.sleep(0.05)  # the connection that redirected is lost meanwhile
        await connection.send(seal_reply("x", 1).decode())

    async with (
        answering(handler, process_request=respond) as there,
        subscription(there, MESSAGE, KEY, object) as frames,
    ):
        assert await collected(frames) == [1]


async def test_leaving_closes_the_connection_though_the_server_does_not_answer_a_close():
    gone = asyncio.Event()

    async def handler(connection):
        await connection.recv()
        with contextlib.suppress(Exception):
            await connection.wait_closed()
        gone.set()

    async with answering(handler) as there:
        async with subscription(there, MESSAGE, KEY, object):
            pass
        await asyncio.wait_for(gone.wait(), 5)


async def refused(status, headers=()):
    """Return the error of a subscription whose upgrade is answered with this status."""

    def respond(connection, request):
        response = connection.respond(HTTPStatus(status), "no\n")
        for name, value in headers:
            response.headers[name] = value
        return response

    async def handler(connection):
        raise AssertionError("no connection is opened")

    async with answering(handler, process_request=respond) as there:
        with pytest.raises(ServerUnreachable) as caught:
            async with subscription(there, MESSAGE, KEY, object):
                pass
    return caught.value


@pytest.mark.parametrize("status", [403, 404, 200])
async def test_what_refuses_web_sockets_is_named(status):
    error = await refused(status)
    assert isinstance(error, WebSocketRefused)
    assert error.status == status
    assert error.by.startswith("127.0.0.1:")
    assert str(status) in str(error)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_gateway_without_a_server_behind_it_is_no_answer_and_may_ask_to_wait(status):
    error = await refused(status, [("Retry-After", "7")])
    assert not isinstance(error, WebSocketRefused)
    assert (error.status, error.retry_after, error.sent) == (status, 7, False)


async def test_what_does_not_speak_http_is_no_server():
    async def serve_nonsense(reader, writer):
        await reader.readline()
        writer.write(b"220 smtp ready\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve_nonsense, "127.0.0.1", 0)
    async with server:
        there = endpoint(server.sockets[0].getsockname()[1])
        with pytest.raises(ServerUnreachable) as caught:
            async with subscription(there, MESSAGE, KEY, object):
                pass
        assert not isinstance(caught.value, WebSocketRefused)


async def test_a_port_at_which_nothing_listens_is_named():
    with pytest.raises(ServerUnreachable, match=r"127\.0\.0\.1:1: Connection refused"):
        async with subscription(endpoint(1), MESSAGE, KEY, object):
            pass
