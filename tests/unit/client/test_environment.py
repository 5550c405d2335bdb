"""Connections as the environment and the address ask for them: proxies, NO_PROXY, IPv6."""

from __future__ import annotations

import socket

import pytest
from forward_proxy import ForwardProxy

from colony_jupyter import AsyncColony, Colony
from colony_jupyter.doctor import examine
from colony_jupyter.errors import SettingsError
from colony_jupyter.settings import resolve

DEAD = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def environment(monkeypatch, served):
    """Make the server that of the environment, which names no proxies."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in served.environ().items():
        monkeypatch.setenv(name, value)


async def exchange(colony):
    """Call the server, and read an entry back by a stream."""
    process = await colony.submit("nothing", channels=["c"], executortype="nobody-here", maxwaittime=60)
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
