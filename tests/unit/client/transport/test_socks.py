"""Requests through a SOCKS proxy, which a test plays: what it is asked, and how its refusals are reported."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from scripted_http import OK, ScriptedHttp, saying
from socks_proxy import SocksProxy

from colony_jupyter import AsyncColony
from colony_jupyter.client.transport.adapter import ConnectFailed, ProxyRefused
from colony_jupyter.client.transport.endpoint import Endpoint, ServerAddress
from colony_jupyter.client.transport.gateway import reason
from colony_jupyter.client.transport.http_pool import Pool
from colony_jupyter.settings import resolve

BLOCKED, UNREACHABLE = 2, 4  # replies of a SOCKS proxy


def through(port, scheme="socks5h", login="me:p%40ss@", **variables):
    environ = {"COLONIES_SERVER_HOST": "127.0.0.1", "COLONIES_COLONY_NAME": "c", "COLONIES_PRVKEY": "1f" * 32}
    environ |= {"ALL_PROXY": f"{scheme}://{login}127.0.0.1:{port}", "NO_PROXY": ""}
    return Pool(Endpoint(resolve({**environ, **variables})))


@pytest.mark.parametrize(("scheme", "host"), [("socks5", "127.0.0.1"), ("socks5h", "localhost")])
async def test_the_proxy_connects_to_the_address_or_to_the_name(scheme, host):
    async with ScriptedHttp(saying(OK)) as server, SocksProxy("me:p@ss") as proxy:
        pool = through(proxy.port, scheme, COLONIES_TLS="false")
        for _ in range(2):
            place = ServerAddress("localhost", server.port, tls=False)
            assert (await pool.post(place, b"x", seconds=5)).body == b"ok"
        await pool.aclose()
        assert proxy.targets == [f"{host}:{server.port}"]
        assert server.heads[0].startswith("POST /api HTTP/1.1\r\n")
        assert "authorization" not in server.heads[0].lower()


async def test_tls_ends_at_the_server(issued):
    async with ScriptedHttp(saying(OK), tls=issued.context()) as server, SocksProxy() as proxy:
        trusting = through(proxy.port, login="", COLONIES_TLS="true", SSL_CERT_FILE=str(issued.authority))
        place = ServerAddress("127.0.0.1", server.port, tls=True)
        assert (await trusting.post(place, b"x", seconds=5)).body == b"ok"
        await asyncio.wait_for(trusting.aclose(), 2)
        other = through(proxy.port, login="", COLONIES_TLS="true")
        with pytest.raises(ConnectFailed) as caught:
            await other.post(place, b"x", seconds=5)
        assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
        await asyncio.wait_for(other.aclose(), 2)


@pytest.mark.parametrize(
    ("login", "reply", "status", "text"),
    [
        ("me:wrong@", 0, 407, "authentication failure"),
        ("", 0, 407, "No acceptable authentication methods"),
        ("me:p%40ss@", BLOCKED, 403, "not allowed by ruleset"),
        ("me:p%40ss@", UNREACHABLE, 0, "Host unreachable"),
    ],
    ids=["a wrong password", "no password", "a rule", "an unreachable server"],
)
async def test_a_refusal_is_quoted(login, reply, status, text):
    async with SocksProxy("me:p@ss") as proxy:
        proxy.reply = reply
        pool = through(proxy.port, login=login, COLONIES_TLS="false")
        with pytest.raises(ProxyRefused, match=text) as caught:
            await pool.post(ServerAddress("127.0.0.1", 1, tls=False), b"x", seconds=5)
        assert caught.value.status == status
        await pool.aclose()


async def test_no_connection_to_the_proxy():
    pool = through(1, login="", COLONIES_TLS="false")
    with pytest.raises(ConnectFailed) as caught:
        await pool.post(ServerAddress("127.0.0.1", 1, tls=False), b"x", seconds=5)
    assert reason(caught.value) == "Connection refused"
    await pool.aclose()


async def test_a_channel_is_streamed_through_it(served, running):
    async with SocksProxy("me:p@ss") as proxy, running() as (process, assigned):
        await assigned.channel("c").send("hello")
        variables = {"ALL_PROXY": f"socks5h://me:p%40ss@127.0.0.1:{proxy.port}", "NO_PROXY": ""}
        async with AsyncColony(resolve({**served.environ(), **variables})) as colony:
            stream = (await colony.get_process(process)).channel("c").stream(limit=1)
            assert [entry.text async for entry in stream] == ["hello"]
            assert stream.polling == ""
        assert len(proxy.targets) >= 2  # one for calls, one for the WebSocket
