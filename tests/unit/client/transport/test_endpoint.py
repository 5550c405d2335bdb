"""Connections as the environment and the address ask for them: proxies, NO_PROXY, IPv6."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import os
import socket
import threading
from datetime import UTC, datetime

import pytest
from forward_proxy import ForwardProxy

from colony_jupyter import AsyncColony, Colony, embedded
from colony_jupyter.client.transport.endpoint import Endpoint, ServerAddress
from colony_jupyter.client.transport.websocket import subscription
from colony_jupyter.doctor import examine
from colony_jupyter.errors import EmbeddedError, GatewayRefused, ServerUnreachable, SettingsError
from colony_jupyter.server.process import certificate
from colony_jupyter.settings import resolve
from colony_jupyter.wire.messages import SubscribeProcess

DEAD = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def environment(monkeypatch, served):
    """Make the server that of the environment, which names no proxies and no certificates."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in served.environ().items():
        monkeypatch.setenv(name, value)


async def exchange(colony):
    """Call the server, and read an entry back by a stream."""
    process = await colony.submit("nothing", channels=["c"], executortype="absent", maxwaittime=60)
    try:
        channel = process.channel("c")
        async with channel.stream(timeout=10, to_end=False) as stream:
            await stream.listening()
            await channel.send("text")
            return [entry.text for entry in await stream.batch()]
    finally:
        await colony.cancel(process)


@pytest.mark.parametrize("no_proxy", ["fe80::/10,[::1],127.0.0.0/8", "[::1], 127.0.0.1", "*"])
@pytest.mark.parametrize("proxy", [DEAD, "socks://127.0.0.1:1", "socks5://127.0.0.1:1"])
async def test_no_proxy_is_evaluated_first(monkeypatch, no_proxy, proxy):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    async with AsyncColony() as colony:
        assert await exchange(colony) == ["text"]


async def test_calls_and_streams_use_the_proxy(monkeypatch, served):
    async with ForwardProxy() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//me:p%40ss@"))
        async with AsyncColony() as colony:
            assert await exchange(colony) == ["text"]
    methods = {request.split(" ")[0] for request in proxy.requests}
    assert methods == {"POST", "CONNECT"}
    assert all(f"127.0.0.1:{served.port}" in request for request in proxy.requests)
    assert {each["proxy-authorization"] for each in proxy.headers} == {"Basic bWU6cEBzcw=="}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks://127.0.0.1:1080"),
        ("ALL_PROXY", "socks5://127.0.0.1:1080"),
        ("HTTP_PROXY", "http://127.0.0.1:99999"),
        ("SSL_CERT_FILE", __file__),
        ("SSL_CERT_FILE", "/nowhere/ca.pem"),
        ("SSLKEYLOGFILE", "/nowhere/keys.log"),
    ],
)
async def test_what_the_libraries_reject_is_an_error_that_names_the_variable(monkeypatch, name, value):
    monkeypatch.setattr("colony_jupyter.network.importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("COLONIES_TLS", str(name.startswith("SSL")))
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        AsyncColony()
    with pytest.raises(SettingsError, match=name):
        Colony()
    report = await examine()
    assert report.findings[-1].subject == "settings"
    assert name in report.findings[-1].text


async def test_a_server_at_an_ipv6_address(make_colony_server):
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("IPv6: this machine has no address ::1")
    server = make_colony_server(arguments=["--host", "::1"])
    for host in ("::1", f"[::1]:{server.port}"):
        async with AsyncColony(resolve({**server.environ(), "COLONIES_SERVER_HOST": host})) as colony:
            assert await exchange(colony) == ["text"]


async def test_a_dead_proxy_is_named(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://me:secret@127.0.0.1:1")
    async with AsyncColony() as colony:
        with pytest.raises(ServerUnreachable) as caught:
            await colony.executors()
    text = str(caught.value)
    assert "the proxy http://127.0.0.1:1, which HTTP_PROXY names, cannot be reached: Connection refused." in text
    assert "Correct HTTP_PROXY, or exclude the server by NO_PROXY." in text
    assert "secret" not in text


async def test_a_dead_proxy_is_named_by_a_stream_too(served):
    endpoint = Endpoint(resolve({**served.environ(), "HTTP_PROXY": DEAD}))
    message = SubscribeProcess(processid="0" * 64, executortype="", state=2, timeout=1)
    with pytest.raises(ServerUnreachable, match="which HTTP_PROXY names, cannot be reached"):
        async with subscription(endpoint, message, served.prvkey, object):
            pass


@pytest.mark.parametrize(
    ("answer", "remedy"),
    [
        ("403 Forbidden", "exclude the server by NO_PROXY (https_proxy is set)"),
        ("407 Proxy Authentication Required", "put user and password into https_proxy, such as"),
    ],
)
async def test_a_proxy_that_refuses_to_connect_is_named_by_its_variable(monkeypatch, answer, remedy):
    async with ForwardProxy() as proxy:
        proxy.refuse_connect = answer
        monkeypatch.setenv("https_proxy", proxy.url)
        async with AsyncColony(resolve(tls=True)) as colony:
            with pytest.raises(GatewayRefused) as caught:
                await colony.executors()
    assert answer in str(caught.value)
    assert remedy in str(caught.value)


@pytest.fixture
async def tls_server(tmp_path):
    """Return a port that uses TLS, and the file of the authority that signed its certificate."""
    issued = certificate.ensure(tmp_path / "tls", ["127.0.0.1"], datetime.now(UTC))
    async with ForwardProxy(issued.context()) as server:
        yield server.port, str(issued.authority)


async def failing(port, **variables):
    environ = {**os.environ, "COLONIES_TLS": "true", "COLONIES_SERVER_PORT": str(port), **variables}
    async with AsyncColony(resolve(environ)) as colony:
        with pytest.raises(ServerUnreachable) as caught:
            await colony.executors()
    return str(caught.value)


async def test_an_untrusted_certificate_mentions_the_variables(monkeypatch, tls_server, tmp_path):
    port, _ = tls_server
    text = await failing(port)
    assert "the TLS certificate is not trusted (unable to get local issuer certificate)" in text
    assert "set SSL_CERT_FILE to a PEM file with the certificate of its authority." in text
    assert "REQUESTS_CA_BUNDLE" not in text

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
    assert "REQUESTS_CA_BUNDLE is set, but only SSL_CERT_FILE is used here." in await failing(port)

    other = str(certificate.ensure(tmp_path / "other", ["other"], datetime.now(UTC)).authority)
    monkeypatch.setenv("SSL_CERT_FILE", other)
    text = await failing(port)
    assert f"SSL_CERT_FILE names {other}, which does not contain the certificate of its authority" in text


async def test_a_certificate_for_another_name_is_named(tls_server):
    port, authority = tls_server
    text = await failing(port, SSL_CERT_FILE=authority, COLONIES_SERVER_HOST="localhost")
    assert "certificate is not valid for 'localhost'" in text
    assert "Use a name that the certificate contains (COLONIES_SERVER_HOST)" in text


async def test_tls_to_a_port_without_tls_names_the_variable(served):
    text = await failing(served.port)
    assert "whether the server uses TLS there (COLONIES_TLS)" in text


async def test_a_proxy_may_be_reached_by_tls(served, tmp_path):
    issued = certificate.ensure(tmp_path / "proxy", ["127.0.0.1"], datetime.now(UTC))
    async with ForwardProxy(issued.context()) as proxy:
        environ = {**served.environ(), "HTTP_PROXY": proxy.url, "SSL_CERT_FILE": str(issued.authority)}
        async with AsyncColony(resolve(environ)) as colony:
            assert await exchange(colony) == ["text"]
    assert {request.split(" ")[0] for request in proxy.requests} == {"POST", "CONNECT"}


class TestAddresses:
    def test_a_place_has_the_urls_of_both_ways(self):
        plain = ServerAddress("host", 50080, tls=False)
        assert (plain.api, plain.pubsub) == ("http://host:50080/api", "ws://host:50080/pubsub")
        secure = ServerAddress("::1", 4433, tls=True)
        assert (str(secure), secure.api, secure.pubsub) == (
            "[::1]:4433",
            "https://[::1]:4433/api",
            "wss://[::1]:4433/pubsub",
        )

    async def test_that_of_a_server_is_in_the_settings(self, served):
        endpoint = Endpoint(resolve(served.environ()))
        assert await endpoint.server() == ServerAddress(served.host, served.port, tls=False)
        assert endpoint.settings.colonyname == served.colonyname
        assert endpoint.keys()[0].reveal() == served.prvkey.reveal()

    async def test_the_embedded_colony_is_started_and_its_keys_are_read(self, tmp_path):
        endpoint = Endpoint(resolve({}, data=tmp_path))
        try:
            address = await endpoint.server()
            assert address == await endpoint.server()
            assert endpoint.keys()[1] is not None
        finally:
            embedded.stop(tmp_path)

    async def test_an_embedded_colony_that_cannot_start_is_an_error(self, monkeypatch, tmp_path):
        monkeypatch.setattr("colony_jupyter.client.transport.endpoint.ensure", _raising(EmbeddedError("no disk")))
        with pytest.raises(EmbeddedError, match="no disk"):
            await Endpoint(resolve({}, data=tmp_path)).server()

    async def test_one_for_which_no_descriptor_is_free_is_tried_again_and_names_the_limit(self, monkeypatch, tmp_path):
        attempts = []

        def ensure(*_args, **_options):
            attempts.append(1)
            raise OSError(errno.EMFILE, "Too many open files")

        monkeypatch.setattr("colony_jupyter.client.transport.endpoint.ensure", ensure)
        monkeypatch.setattr("colony_jupyter.client.transport.endpoint._DESCRIPTOR_SECONDS", 0.2)
        with pytest.raises(ServerUnreachable, match="ulimit -n"):
            await Endpoint(resolve({}, data=tmp_path)).server()
        assert len(attempts) > 1

    async def test_the_thread_that_starts_it_learns_that_nothing_waits_any_more(self, monkeypatch, tmp_path):
        begun, noticed = threading.Event(), []

        def ensure(_data, *, given_up):
            begun.set()
            noticed.append(given_up.wait(10))

        monkeypatch.setattr("colony_jupyter.client.transport.endpoint.ensure", ensure)
        finding = asyncio.create_task(Endpoint(resolve({}, data=tmp_path)).server())
        assert await asyncio.to_thread(begun.wait, 10)
        finding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await finding
        await asyncio.get_running_loop().shutdown_default_executor()
        assert noticed == [True]

    def test_settings_without_a_key_are_refused(self, served):
        settings = dataclasses.replace(resolve(served.environ()), prvkey=None)
        with pytest.raises(SettingsError, match="set COLONIES_PRVKEY"):
            Endpoint(settings).keys()


def _raising(error):
    def ensure(*_args, **_options):
        raise error

    return ensure
