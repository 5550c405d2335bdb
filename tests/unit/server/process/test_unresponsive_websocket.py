"""How silent `serve --deaf` is during a channel subscription, and that it is not at other times."""

from __future__ import annotations

import asyncio

import pytest
from listening import SUBSCRIBE, SUBSCRIBE_PROCESS, App, Raw, serving
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode


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


@pytest.mark.parametrize("subscription", [SUBSCRIBE, SUBSCRIBE.encode()])
async def test_a_deaf_server_answers_no_ping_until_the_subscription_has_ended(subscription):
    app = App()
    async with (
        serving(app, deaf=True) as (port, _),
        connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as client,
    ):
        await client.send(subscription)
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


@pytest.mark.parametrize("sent", ["no envelope", b"\xff\x00", '{"payloadtype": "getcolonymsg"}'])
async def test_a_deaf_server_answers_pings_after_any_other_message(sent):
    async with (
        serving(App(), deaf=True) as (port, _),
        connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as client,
    ):
        await client.send(sent)
        assert await client.recv() == str(len(sent))
        await asyncio.wait_for(await client.ping(), 1)
