"""Failures for long are reported once, and so is their end."""

from __future__ import annotations

import asyncio
import logging

import pytest
from gateway import Fault, Gateway

import colony_jupyter as cj
from colony_jupyter import settings as settings_module
from colony_jupyter.errors import ServerUnreachable
from colony_jupyter.executor import trouble
from colony_jupyter.executor.trouble import LONG, Trouble
from colony_jupyter.executor.worker import Worker
from colony_jupyter.notebook.actions import processes

ERROR = ServerUnreachable("colony.example:443", "HTTP 503")


def test_a_short_failure_is_not_reported():
    noted = Trouble("worker")
    assert noted.failed(ERROR, 100.0) == ""
    assert noted.failed(ERROR, 100.0 + LONG - 1) == ""
    assert noted.succeeded() == ""
    assert noted.failed(ERROR, 100.0 + LONG + 1) == ""
    assert noted.text == ""


def test_a_long_one_is_reported_once_and_so_is_its_end():
    noted = Trouble("worker")
    noted.failed(ERROR, 100.0)
    reported = noted.failed(ERROR, 100.0 + LONG)
    assert reported.startswith("Executor 'worker' gets no work at the moment, and tries again: ")
    assert "colony.example:443: HTTP 503" in reported
    assert noted.failed(ERROR, 145.0) == ""
    assert noted.text == "no work for 45 s: HTTP 503"
    assert noted.succeeded() == "Executor 'worker' gets work again."
    assert noted.text == ""


async def test_the_notebook_and_its_list_of_executors_show_it(server, settings, monkeypatch, caplog):
    monkeypatch.setattr(trouble, "LONG", 0.3)
    assert Worker.__init__.__kwdefaults__ is not None
    monkeypatch.setitem(Worker.__init__.__kwdefaults__, "poll", 1)  # the one that began before the faults, too
    async with Gateway(server.port) as gateway:
        by_way = settings_module.resolve({**server.environ(), "COLONIES_SERVER_PORT": str(gateway.port)})
        executor = cj.Executor("worker-x", settings=by_way)
        await asyncio.to_thread(executor.start)
        try:
            for _ in range(2):  # the first may end the poll that began before the plan
                gateway.plan("assignprocessmsg", [Fault(503)] * 30)
            await until(lambda: executor.trouble)
            async with cj.AsyncColony(settings) as colony:
                table = await processes.executors(colony)
                assert "no work for" in str(table)
                assert "HTTP 503" in str(table)
                gateway.planned.clear()
                await until(lambda: not executor.trouble)
                assert "trouble" not in str(await processes.executors(colony))
        finally:
            await asyncio.to_thread(executor.stop)
    warned = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert [text for text in warned if "gets no work" in text] == [warned[0]]
    assert [text for text in warned if "gets work again" in text] == [warned[-1]]


async def until(true) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - an executor has no event for it
            await asyncio.sleep(0.05)


def test_an_executor_that_does_not_run_has_none():
    with pytest.warns(UserWarning, match="trailing digits"):
        assert cj.Executor("idle1").trouble == ""
