"""The doctor: what it finds, what it says, and that it leaves nothing behind."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from proxy import Proxy

from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.doctor import Finding, Mark, Report, clock, examine, pairs, settings_found, versions
from colony_jupyter.settings import resolve
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import ProcessState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GOOD = {"ipykernel": "7.4.0", "ipywidgets": "8.1.9", "anywidget": "0.11.0", "jupyterlab": "4.6.6"}


def said(report: Report, subject: str) -> Finding:
    return next(finding for finding in report.findings if finding.subject == subject)


async def test_all_is_well(colony_server):
    settings = resolve(colony_server.environ())
    report = await examine(lambda: settings)
    assert not report.failed, report
    assert report.exit_status == 0
    assert "user '" in said(report, "identity").text
    assert said(report, "channel").mark is Mark.FINE
    assert "COLONIES_SERVER_HOST" in said(report, "settings").text
    assert said(report, "executors").mark is Mark.WARNING  # none is there
    for key in (colony_server.prvkey, colony_server.colony_prvkey, colony_server.server_prvkey):
        assert key.reveal()[:8] not in repr(report)


async def test_nothing_is_left_behind(colony_server):
    settings = resolve(colony_server.environ())
    await examine(lambda: settings)
    async with AsyncColony(settings) as colony:
        assert [await colony.list_processes(state) for state in ProcessState] == [[]] * len(ProcessState)


@pytest.mark.parametrize("replies", range(12))
async def test_nothing_is_left_behind_where_it_is_interrupted(colony_server, replies):
    """While it waits for an answer, each in turn; what was done by then is undone without being waited for."""
    async with Proxy(colony_server.port) as proxy, AsyncColony(resolve(colony_server.environ())) as colony:
        settings = dataclasses.replace(resolve(colony_server.environ()), port=proxy.port)
        proxy.replies_left = replies
        examining = asyncio.create_task(examine(lambda: settings))
        while not (proxy.lost or examining.done()):  # noqa: ASYNC110 - the proxy counts without an event
            await asyncio.sleep(0.01)
        begun = time.monotonic()
        examining.cancel()
        await asyncio.wait({examining})
        assert time.monotonic() - begun < 0.5
        assert examining.cancelled() == bool(proxy.lost)
        assert proxy.lost or replies > 8  # with fewer answers it does not come to its end
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


async def test_nobody_answers(colony_server):
    settings = resolve(colony_server.environ())
    colony_server.stop()
    report = await examine(lambda: settings)
    assert report.findings[-1].mark is Mark.FAILURE
    assert "No ColonyOS server answers at" in report.findings[-1].text


async def test_a_stranger(colony_server):
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
    assert said(report, "identity").mark is Mark.WARNING
    assert "executor 'worker'" in said(report, "identity").text
    assert said(report, "executors").text == "1 approved, of type cli"


@pytest.mark.parametrize(
    ("installed", "mark", "words"),
    [
        ({}, Mark.FINE, "ipykernel 7.4.0"),
        ({"ipykernel": "6.29.5"}, Mark.WARNING, "ipykernel 6.29.5 is older than 6.30"),
        ({"anywidget": None}, Mark.FAILURE, "anywidget is not installed: pip install"),
        ({"jupyterlab": None}, Mark.FINE, "jupyterlab is not installed here, which is fine"),
        ({"jupyterlab_widgets": "1.1.0"}, Mark.WARNING, "jupyterlab_widgets 1.1.0 is older than 3"),
    ],
)
def test_versions(installed, mark, words):
    found = versions({**GOOD, **installed})
    assert any(finding.mark is mark and words in finding.text for finding in found)


@pytest.mark.parametrize(
    ("installed", "words"),
    [
        ({}, ""),
        ({"jupyterlab_widgets": "3.0.17", "widgetsnbextension": "4.0.16"}, ""),
        (
            {"jupyterlab_widgets": "1.1.7"},
            "ipywidgets 8.1.9 and jupyterlab_widgets 1.1.7 do not go together: pip install",
        ),
        ({"ipywidgets": "7.8.5", "jupyterlab_widgets": "3.0.1"}, "pip install -U ipywidgets."),
        ({"widgetsnbextension": "3.6.6"}, "pip install -U widgetsnbextension."),
        ({"anywidget": "0.8.1"}, "jupyterlab 4.6.6 and anywidget 0.8.1 do not go together"),
        ({"python": "3.13.1", "nest_asyncio in use": "1.6.0"}, ""),
        ({"python": "3.14.0", "nest_asyncio in use": "1.6.0"}, "restart the kernel"),
    ],
)
def test_pairs_that_do_not_go_together(installed, words):
    found = pairs({**GOOD, **installed})
    assert [finding.mark for finding in found] == ([Mark.WARNING] if words else [])
    assert all(words in finding.text for finding in found)


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
