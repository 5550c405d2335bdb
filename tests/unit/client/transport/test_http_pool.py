"""Connections for calls: when one is used again, how each failure is named, proxies, TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time

import aiohttp
import pytest
from forward_proxy import ForwardProxy
from scripted_http import OK, ScriptedHttp, saying

from colony_jupyter.client.transport import http_pool
from colony_jupyter.client.transport.adapter import ConnectFailed, ExchangeFailed, ProxyRefused
from colony_jupyter.client.transport.endpoint import Endpoint, ServerAddress
from colony_jupyter.client.transport.gateway import reason
from colony_jupyter.client.transport.http_pool import Pool
from colony_jupyter.settings import resolve

CLOSING = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"


def pool_for(**variables):
    environ = {"COLONIES_SERVER_HOST": "127.0.0.1", "COLONIES_COLONY_NAME": "c", "COLONIES_PRVKEY": "1f" * 32}
    return Pool(Endpoint(resolve({**environ, **variables})))


@pytest.fixture
async def pool():
    made = pool_for(COLONIES_TLS="false")
    yield made
    await made.aclose()


@pytest.fixture
def closing(monkeypatch):
    """Return a list of the requests, from 1 on, whose connection closes once they have it."""
    numbers: list[int] = []
    count = 0
    connect = aiohttp.TCPConnector.connect

    async def closed(self, *args, **options):
        nonlocal count
        count += 1
        connection = await connect(self, *args, **options)
        if count in numbers:
            connection.transport.abort()
        return connection

    monkeypatch.setattr(aiohttp.TCPConnector, "connect", closed)
    return numbers


def at(server, **options):
    return ServerAddress("127.0.0.1", server.port, tls=False, **options)


class TestReuse:
    async def test_one_connection_serves_requests_in_turn(self, pool):
        async with ScriptedHttp(saying(OK)) as server:
            for number in range(3):
                response = await pool.post(at(server), b"body %d" % number, seconds=5)
                assert (response.status, response.body) == (200, b"ok")
            assert server.connections == 1
            assert server.bodies == [b"body 0", b"body 1", b"body 2"]

    async def test_requests_at_once_have_connections_of_their_own(self, pool):
        async with ScriptedHttp(saying(OK)) as server:
            await asyncio.gather(*(pool.post(at(server), b"x", seconds=5) for _ in range(30)))
            assert server.connections == 30
            await asyncio.gather(*(pool.post(at(server), b"x", seconds=5) for _ in range(30)))
            assert server.connections == 30

    @pytest.mark.parametrize("first", [CLOSING, b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"], ids=["1.1", "1.0"])
    async def test_not_if_the_server_states_that_it_closes(self, pool, first):
        async with ScriptedHttp(saying(first, OK)) as server:
            await pool.post(at(server), b"x", seconds=5)
            await asyncio.wait_for(server.ended.wait(), 5)
            await pool.post(at(server), b"x", seconds=5)
            assert server.connections == 2

    async def test_each_place_has_connections_of_its_own(self, pool):
        async with ScriptedHttp(saying(OK)) as server, ScriptedHttp(saying(OK)) as other:
            for each in (server, other, server):
                await pool.post(at(each), b"x", seconds=5)
            assert (server.connections, other.connections) == (1, 1)

    async def test_not_after_it_was_idle_for_long(self, monkeypatch):
        monkeypatch.setattr(http_pool, "_IDLE_SECONDS", 0.05)
        pool = pool_for(COLONIES_TLS="false")
        async with ScriptedHttp(saying(OK)) as server:
            await pool.post(at(server), b"x", seconds=5)
            await asyncio.sleep(0.1)
            await pool.post(at(server), b"x", seconds=5)
            assert server.connections == 2
            await pool.aclose()

    async def test_not_if_a_gateway_ended_it_with_an_answer_of_its_own(self, pool):
        """As gateways end idle connections; the answer counts as that to the next request, which is a missing reply."""
        timeout = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"

        async def answer(writer, number):
            writer.write(OK)
            if number == 1:
                await writer.drain()
                await asyncio.sleep(0.05)
                writer.write(timeout)

        async with ScriptedHttp(answer) as server:
            assert (await pool.post(at(server), b"x", seconds=5)).body == b"ok"
            await asyncio.sleep(0.2)
            assert (await pool.post(at(server), b"x", seconds=5)).status == 408
            assert (await pool.post(at(server), b"x", seconds=5)).body == b"ok"
            assert server.connections == 2

    async def test_not_if_more_than_the_answer_came_with_it(self, pool):
        async with ScriptedHttp(saying(OK + OK.replace(b"ok", b"no"), OK)) as server:
            for _ in range(2):
                assert (await pool.post(at(server), b"x", seconds=5)).body == b"ok"
            assert server.connections == 2

    async def test_a_server_that_closed_while_the_loop_did_not_run_is_noticed(self, pool):
        """A request sent into that connection would be lost, and nothing would show whether it was carried out."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            received = []

            def serve():
                for _ in range(2):
                    connection, _ = listening.accept()
                    with connection:
                        received.append(connection.recv(65536))
                        connection.sendall(OK)

            thread = threading.Thread(target=serve)
            thread.start()
            address = ServerAddress("127.0.0.1", listening.getsockname()[1], tls=False)
            assert (await pool.post(address, b"x", seconds=5)).body == b"ok"
            time.sleep(0.2)  # noqa: ASYNC251 - a cell that computes
            assert (await pool.post(address, b"x", seconds=5)).body == b"ok"
            thread.join(5)
        assert len(received) == 2

    async def test_a_request_that_meets_the_close_of_its_connection_is_not_repeated(self, pool):
        """It may have been carried out, so whether it is repeated is decided above."""

        async def answer(writer, number):
            if number == 2:
                writer.close()
            else:
                writer.write(OK)

        async with ScriptedHttp(answer) as server:
            await pool.post(at(server), b"one", seconds=5)
            with pytest.raises(ExchangeFailed, match="closed before the whole answer"):
                await pool.post(at(server), b"two", seconds=5)
            assert (await pool.post(at(server), b"three", seconds=5)).body == b"ok"
            assert server.bodies == [b"one", b"two", b"three"]

    @pytest.mark.parametrize("size", [3, 2 << 20], ids=["small", "large"])
    async def test_a_connection_that_closes_before_anything_is_sent_is_replaced(self, pool, closing, size):
        """Nothing was carried out, so this is no concern of the caller."""
        async with ScriptedHttp(saying(OK)) as server:
            assert (await pool.post(at(server), b"one", seconds=5)).body == b"ok"
            closing.append(2)
            assert (await pool.post(at(server), bytes(size), seconds=5)).body == b"ok"
            assert [len(body) for body in server.bodies] == [3, size]
            assert server.connections == 2

    async def test_a_server_that_closes_all_connections_at_once_was_not_reached(self, pool, closing):
        async with ScriptedHttp(saying(OK)) as server:
            closing.extend(range(1, 10))
            with pytest.raises(ConnectFailed) as caught:
                await pool.post(at(server), b"one", seconds=5)
            assert reason(caught.value) == "connections are closed as soon as they are made"
            assert server.bodies == []

    async def test_a_wait_that_is_cancelled_closes_its_connection(self, pool):
        """The answer would otherwise be that to the next request."""

        async def answer(writer, number):
            await asyncio.sleep(0 if number > 1 else 0.2)
            writer.write(OK if number > 1 else OK.replace(b"ok", b"no"))

        async with ScriptedHttp(answer) as server:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await pool.post(at(server), b"x", seconds=5)
            assert (await pool.post(at(server), b"x", seconds=5)).body == b"ok"
            await asyncio.wait_for(server.ended.wait(), 5)
            assert server.connections == 2

    async def test_closing_ends_what_waits(self, pool):
        async with ScriptedHttp(lambda writer, number: asyncio.sleep(60)) as server:
            waiting = asyncio.create_task(pool.post(at(server), b"x", seconds=60))
            await asyncio.wait_for(server.asked.wait(), 5)
            await pool.aclose()
            with pytest.raises(ExchangeFailed):
                await asyncio.wait_for(waiting, 5)


class TestRequests:
    async def test_the_head_has_what_is_needed_and_nothing_of_the_environment(self, pool, tmp_path, monkeypatch):
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        async with ScriptedHttp(saying(b"HTTP/1.1 200 OK\r\nset-cookie: a=b\r\n" + OK[17:], OK)) as server:
            for _ in range(2):
                await pool.post(at(server), b"x", seconds=5)
            first, second = server.heads
        line, *headers = first.strip().split("\r\n")
        assert line == "POST /api HTTP/1.1"
        assert {each.partition(":")[0] for each in headers} == {"Host", "User-Agent", "Accept", "Content-Length"}
        assert f"Host: 127.0.0.1:{server.port}" in headers
        assert second == first

    async def test_an_answer_may_come_before_the_whole_request_was_sent(self, pool):
        """As the 413 of a gateway does; the connection cannot be used for another request."""
        refusal = b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n"
        async with ScriptedHttp(saying(refusal), reads_body=False) as server:
            response = await asyncio.wait_for(pool.post(at(server), bytes(64 << 20), seconds=5), 20)
            assert response.status == 413
            await asyncio.wait_for(server.ended.wait(), 5)

    async def test_a_large_request_and_answer_arrive_whole(self, pool):
        body = bytes(range(256)) * (64 << 10)
        answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        async with ScriptedHttp(saying(answer)) as server:
            assert (await pool.post(at(server), body, seconds=20)).body == body
            assert server.bodies == [body]


class TestFailures:
    async def test_no_connection(self, pool):
        with pytest.raises(ConnectFailed) as caught:
            await pool.post(ServerAddress("127.0.0.1", 1, tls=False), b"x", seconds=5)
        assert reason(caught.value) == "Connection refused"

    async def test_no_connection_to_any_address_of_a_name(self, pool, monkeypatch):
        async def addresses(*_args, **_options):
            return [(family, socket.SOCK_STREAM, 6, "", (host, 1)) for family, host in NOWHERE]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", addresses)
        with pytest.raises(ConnectFailed) as caught:
            await pool.post(ServerAddress("two.example", 1, tls=False), b"x", seconds=5)
        assert reason(caught.value) == "Connection refused"

    async def test_a_name_without_an_address(self, pool):
        with pytest.raises(ConnectFailed) as caught:
            await pool.post(ServerAddress("nowhere.invalid", 1, tls=False), b"x", seconds=5)
        assert isinstance(caught.value.__cause__, socket.gaierror)

    async def test_a_connection_that_is_not_made_in_time(self, pool, monkeypatch):
        monkeypatch.setattr(http_pool, "_CONNECT_SECONDS", 0.2)
        async with ScriptedHttp(saying(OK)) as server:  # it waits for a request, the client for the TLS handshake
            with pytest.raises(ConnectFailed) as caught:
                await pool.post(ServerAddress("127.0.0.1", server.port, tls=True), b"x", seconds=5)
            await asyncio.wait_for(server.ended.wait(), 5)
        assert reason(caught.value) == "no connection was made within 0 s"

    async def test_no_answer_in_time(self, pool):
        async with ScriptedHttp(lambda writer, number: asyncio.sleep(60)) as server:
            with pytest.raises(ExchangeFailed, match="no answer came within 0 s"):
                await pool.post(at(server), b"x", seconds=0.2)

    async def test_an_answer_may_take_longer_while_parts_of_it_arrive(self, pool):
        async def answer(writer, number):
            for byte in OK:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.02)

        async with ScriptedHttp(answer) as server:
            assert (await pool.post(at(server), b"x", seconds=0.3)).body == b"ok"


NOWHERE = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2")]


class TestTls:
    async def test_the_authority_of_the_settings_is_trusted(self, issued):
        pool = pool_for(COLONIES_TLS="true", SSL_CERT_FILE=str(issued.authority))
        async with ScriptedHttp(saying(OK), tls=issued.context()) as server:
            address = ServerAddress("127.0.0.1", server.port, tls=True)
            for _ in range(2):
                assert (await pool.post(address, b"x", seconds=5)).body == b"ok"
            assert server.connections == 1
            await asyncio.wait_for(pool.aclose(), 2)

    async def test_no_other_is(self, issued):
        pool = pool_for(COLONIES_TLS="true")
        async with ScriptedHttp(saying(OK), tls=issued.context()) as server:
            with pytest.raises(ConnectFailed) as caught:
                await pool.post(ServerAddress("127.0.0.1", server.port, tls=True), b"x", seconds=5)
            assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
            assert server.heads == []
            await asyncio.wait_for(pool.aclose(), 2)


class TestProxies:
    @pytest.mark.parametrize("proxy_uses_tls", [False, True], ids=["http proxy", "https proxy"])
    async def test_tls_through_a_proxy(self, issued, proxy_uses_tls):
        """The proxy learns of the server's address and the proxy's password, the server of neither."""
        context = issued.context()
        behind = ForwardProxy(context if proxy_uses_tls else None)
        async with ScriptedHttp(saying(OK), tls=context) as server, behind as proxy:
            url = proxy.url.replace("//", "//me:p%40ss@")
            pool = pool_for(COLONIES_TLS="true", SSL_CERT_FILE=str(issued.authority), HTTPS_PROXY=url)
            for _ in range(2):
                response = await pool.post(ServerAddress("127.0.0.1", server.port, tls=True), b"x", seconds=5)
                assert response.body == b"ok"
            await asyncio.wait_for(pool.aclose(), 2)
            assert proxy.requests == [f"CONNECT 127.0.0.1:{server.port}"]
            assert proxy.headers[0]["proxy-authorization"] == "Basic bWU6cEBzcw=="
        assert [head.split("\r\n")[0] for head in server.heads] == ["POST /api HTTP/1.1"] * 2
        assert "authorization" not in server.heads[0].lower()

    async def test_a_certificate_is_checked_through_a_proxy_too(self, issued):
        async with ScriptedHttp(saying(OK), tls=issued.context()) as server, ForwardProxy() as proxy:
            pool = pool_for(COLONIES_TLS="true", HTTPS_PROXY=proxy.url)
            with pytest.raises(ConnectFailed) as caught:
                await pool.post(ServerAddress("127.0.0.1", server.port, tls=True), b"x", seconds=5)
            assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
            assert server.heads == []
            await asyncio.wait_for(pool.aclose(), 2)

    async def test_a_refused_connect_is_quoted(self):
        async with ForwardProxy() as proxy:
            proxy.refuse_connect = "403 Not by me"
            pool = pool_for(COLONIES_TLS="true", HTTPS_PROXY=proxy.url)
            with pytest.raises(ProxyRefused, match=r"^403 Not by me$"):
                await pool.post(ServerAddress("127.0.0.1", 1, tls=True), b"x", seconds=5)
            await asyncio.wait_for(pool.aclose(), 2)

    async def test_a_proxy_that_does_not_speak_http(self):
        async with ScriptedHttp(saying(b"SSH-2.0-OpenSSH_9.7\r\n")) as server:
            pool = pool_for(COLONIES_TLS="true", HTTPS_PROXY=f"http://127.0.0.1:{server.port}")
            with pytest.raises(ExchangeFailed):
                await pool.post(ServerAddress("127.0.0.1", 1, tls=True), b"x", seconds=5)
            await asyncio.wait_for(pool.aclose(), 2)
