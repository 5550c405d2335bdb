"""The doctor: what it finds, what it says, and that it leaves nothing behind."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.doctor import Finding, Mark, Report, clock, examine, settings_found, versions
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
