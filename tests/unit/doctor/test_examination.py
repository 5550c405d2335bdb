"""The doctor: what it finds and reports, that it ends in time, and that it leaves nothing in the colony."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from forward_proxy import ForwardProxy
from gateway import Fault, Gateway
from proxy import Proxy

from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.doctor import Finding, Mark, Report, channel, examination, examine
from colony_jupyter.doctor.examination import clock, settings_found
from colony_jupyter.server.process import certificate
from colony_jupyter.settings import resolve
from colony_jupyter.testing import ColonyServer
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import ProcessState

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def finding_on(report: Report, subject: str) -> Finding:
    return next(finding for finding in report.findings if finding.subject == subject)


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    """Return a colony in which only the tests of this file have processes."""
    with ColonyServer(tmp_path_factory.mktemp("colony")) as server:
        yield server


async def test_a_working_connection(colony_server):
    settings = resolve(colony_server.environ())
    report = await examine(lambda: settings)
    assert not report.failed, report
    assert report.exit_status == 0
    assert "user '" in finding_on(report, "identity").text
    assert finding_on(report, "channel").mark is Mark.FINE
    assert "COLONIES_SERVER_HOST" in finding_on(report, "settings").text
    assert finding_on(report, "executors").mark is Mark.WARNING  # there is none
    for key in (colony_server.prvkey, colony_server.colony_prvkey, colony_server.server_prvkey):
        assert key.reveal()[:8] not in repr(report)


async def test_nothing_is_left_in_the_colony(colony_server):
    settings = resolve(colony_server.environ())
    await examine(lambda: settings)
    async with AsyncColony(settings) as colony:
        assert [await colony.list_processes(state) for state in ProcessState] == [[]] * len(ProcessState)


@pytest.mark.parametrize("replies", range(12))
async def test_nothing_is_left_when_it_is_interrupted(shared_server, replies):
    """While it waits for each of its replies in turn; what was submitted by then is removed in the background."""
    async with Proxy(shared_server.port) as proxy, AsyncColony(resolve(shared_server.environ())) as colony:
        settings = dataclasses.replace(resolve(shared_server.environ()), port=proxy.port)
        proxy.replies_left = replies
        examining = asyncio.create_task(examine(lambda: settings))
        while not (proxy.lost or examining.done()):  # noqa: ASYNC110 - the proxy counts without an event
            await asyncio.sleep(0.01)
        begun = time.monotonic()
        examining.cancel()
        await asyncio.wait({examining})
        assert time.monotonic() - begun < 0.5
        assert examining.cancelled() == bool(proxy.lost)
        assert proxy.lost or replies > 8  # with fewer replies it does not end by itself
        proxy.replies_left = None
        proxy.cut_all()
        async with asyncio.timeout(20):
            while any([await colony.list_processes(state) for state in ProcessState]):  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.05)


async def test_half_a_configuration():
    report = await examine(lambda: resolve({"COLONIES_PRVKEY": "ab" * 32}))
    assert report.exit_status == 1
    assert report.findings[-1].subject == "settings"
    assert "COLONIES_SERVER_HOST is not" in report.findings[-1].text
    assert "abab" not in repr(report)


async def test_no_server_answers(colony_server):
    settings = resolve(colony_server.environ())
    colony_server.stop()
    report = await examine(lambda: settings)
    assert report.findings[-1].mark is Mark.FAILURE
    assert "No ColonyOS server answers at" in report.findings[-1].text


async def test_a_key_of_no_member(colony_server):
    environ = {**colony_server.environ(), "COLONIES_PRVKEY": PrivateKey.generate(os.urandom).reveal()}
    report = await examine(lambda: resolve(environ))
    assert report.findings[-1].mark is Mark.FAILURE
    assert "not a member" in report.findings[-1].text


async def test_an_executors_key_is_warned_about(colony_server):
    key = PrivateKey.generate(os.urandom)
    async with AsyncColony(resolve(colony_server.environ())) as colony:
        await colony.add_executor("worker", key.id, "cli")
        await colony.approve_executor("worker")
    report = await examine(lambda: resolve({**colony_server.environ(), "COLONIES_PRVKEY": key.reveal()}))
    assert finding_on(report, "identity").mark is Mark.WARNING
    assert "executor 'worker'" in finding_on(report, "identity").text
    assert finding_on(report, "executors").text == "1 approved, of type cli"


def test_it_ends_within_fifteen_seconds():
    assert examination._LIMIT + examination._REMOVAL < 15


async def examined(environ):
    """Examine a connection; returns the report and the seconds that it needed."""
    begun = time.monotonic()
    report = await examine(lambda: resolve(environ))
    return report, time.monotonic() - begun


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault(429), "HTTP 429 Too Many Requests from nginx"),
        (Fault(502), "HTTP 502 Bad Gateway from nginx with a page titled '502 Bad Gateway'"),
        (Fault(503, headers={"retry-after": "30"}), "HTTP 503 Service Unavailable from nginx"),
        (Fault(504, forward=True), "HTTP 504 Gateway Timeout from nginx"),
        (Fault(200), "HTTP 200 OK from nginx with a page"),
        (Fault(200, body=b""), "with an empty body"),
        (Fault(200, cut=20), "the connection was closed before the whole answer had come"),
        (Fault(413), "raise the gateway's limit (nginx: client_max_body_size)"),
        (Fault(301, headers={"location": "https://h/api"}), "use TLS (COLONIES_TLS=true or --tls)"),
        (Fault(302, headers={"location": "http://h/login"}), "It redirects to http://h/login"),
        (Fault(401), "The gateway requires a login of its own"),
        (Fault(403), "ask the gateway's administrator for access"),
        (Fault(407), "The proxy requires a login"),
    ],
)
async def test_a_gateway_that_does_not_forward(shared_server, fault, text):
    async with Gateway(shared_server.port) as gateway:
        gateway.outage = fault
        report, seconds = await examined({**shared_server.environ(), "COLONIES_SERVER_PORT": str(gateway.port)})
    assert report.findings[-1].mark is Mark.FAILURE
    assert text in report.findings[-1].text
    assert not any(finding.subject == "server" for finding in report.findings)
    assert seconds < 15


async def test_a_server_that_does_not_reply(monkeypatch, colony_server):
    monkeypatch.setattr(examination, "_LIMIT", 0.5)
    async with Proxy(colony_server.port) as proxy, proxy.swallowed_replies():
        report, seconds = await examined({**colony_server.environ(), "COLONIES_SERVER_PORT": str(proxy.port)})
    assert report.findings[-1].mark is Mark.FAILURE
    assert "connecting to the server: no result within 0.5 s" in report.findings[-1].text
    assert seconds < 3


async def test_a_server_that_stops_replying_costs_little_time_for_the_removal(monkeypatch, colony_server):
    monkeypatch.setattr(examination, "_LIMIT", 1.0)
    monkeypatch.setattr(examination, "_REMOVAL", 0.5)
    async with Proxy(colony_server.port) as proxy:
        proxy.replies_left = 6
        report, seconds = await examined({**colony_server.environ(), "COLONIES_SERVER_PORT": str(proxy.port)})
        assert "no result within 1 s" in report.findings[-1].text
        assert seconds < 5
        proxy.replies_left = None
        proxy.cut_all()
        async with AsyncColony(resolve(colony_server.environ())) as colony, asyncio.timeout(20):
            while any([await colony.list_processes(state) for state in ProcessState]):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.05)
            await asyncio.gather(*examination._clearing)


async def test_a_proxy_that_refuses_websockets(colony_server):
    async with ForwardProxy() as proxy:
        proxy.refuse_connect = "403 Forbidden"
        report, seconds = await examined({**colony_server.environ(), "HTTP_PROXY": proxy.url})
    finding = finding_on(report, "channel")
    assert finding.mark is Mark.WARNING
    refused = f"WebSocket refused by the proxy {proxy.url} (403)"
    assert f"streams and panes poll, and receive entries up to 2 s late: {refused}" in finding.text
    assert "NO_PROXY must exclude the server (HTTP_PROXY is set)" in finding.text
    assert seconds < 15


async def test_a_websocket_over_which_no_entry_comes_in_time(monkeypatch, colony_server):
    """It may be slow or may never deliver, and the sentence states no more than that."""
    monkeypatch.setattr(channel, "_ARRIVES", 0.0)
    report, seconds = await examined(colony_server.environ())
    finding = finding_on(report, "channel")
    assert finding.mark is Mark.WARNING
    assert "no entry came over a WebSocket within 0 s, so streams and panes receive entries late" in finding.text
    assert "the entry is in the log" in finding.text
    assert seconds < 15


async def test_a_proxy_that_is_dead(colony_server):
    report, seconds = await examined({**colony_server.environ(), "HTTP_PROXY": "http://127.0.0.1:1"})
    assert report.findings[-1].mark is Mark.FAILURE
    assert "the proxy http://127.0.0.1:1, which HTTP_PROXY names, cannot be reached" in report.findings[-1].text
    assert seconds < 15


async def test_a_certificate_that_is_not_trusted(monkeypatch, tmp_path):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    issued = certificate.ensure(tmp_path, ["127.0.0.1"], datetime.now(UTC))
    async with ForwardProxy(issued.context()) as server:
        environ = {
            "COLONIES_SERVER_HOST": f"https://127.0.0.1:{server.port}",
            "COLONIES_COLONY_NAME": "dev",
            "COLONIES_PRVKEY": PrivateKey.generate(os.urandom).reveal(),
        }
        report, seconds = await examined(environ)
    assert report.findings[-1].mark is Mark.FAILURE
    assert "set SSL_CERT_FILE to a PEM file" in report.findings[-1].text
    assert seconds < 15


@pytest.mark.parametrize(("seconds", "mark"), [(0, Mark.FINE), (4, Mark.FINE), (60, Mark.WARNING), (-60, Mark.WARNING)])
def test_clocks(seconds, mark):
    assert clock(NOW + timedelta(seconds=seconds), NOW, NOW + timedelta(seconds=0.1)).mark is mark


@pytest.mark.parametrize(("host", "tls", "warned"), [("far.example", "false", True), ("far.example", "true", False)])
def test_no_tls_is_warned_about(host, tls, warned):
    settings = resolve(
        {
            "COLONIES_SERVER_HOST": host,
            "COLONIES_TLS": tls,
            "COLONIES_COLONY_NAME": "dev",
            "COLONIES_PRVKEY": PrivateKey.generate(os.urandom).reveal(),
        }
    )
    assert any(finding.subject == "tls" for finding in settings_found(settings)) is warned
