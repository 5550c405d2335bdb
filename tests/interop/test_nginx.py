"""The embedded colony behind a real nginx, configured as docs/nginx.conf shows."""

from __future__ import annotations

import asyncio
import os
import random
from datetime import UTC, datetime

import pytest
from nginx import HOW_TO_GET_ONE, Nginx, find_nginx

import colony_jupyter as cj
from colony_jupyter.doctor import Mark, examine
from colony_jupyter.errors import RequestTooLarge
from colony_jupyter.server.process import certificate
from colony_jupyter.settings import resolve
from colony_jupyter.wire.identity import PrivateKey


@pytest.fixture
def behind_nginx(colony_server, tmp_path, monkeypatch):
    """Return a function that starts nginx before the colony, and returns the settings that lead through it."""
    program = find_nginx()
    if program is None:
        if os.environ.get("CI"):
            pytest.fail(HOW_TO_GET_ONE, pytrace=False)
        pytest.skip(HOW_TO_GET_ONE)
    issued = certificate.ensure(tmp_path / "tls", ["127.0.0.1"], datetime.now(UTC))
    monkeypatch.setenv("SSL_CERT_FILE", str(issued.authority))
    started = []

    def start(**options):
        folder = tmp_path / f"nginx{len(started)}"
        folder.mkdir()
        started.append(Nginx(program, folder, colony_server.port, issued, **options).__enter__())
        environ = {
            **os.environ,
            **colony_server.environ(),
            "COLONIES_SERVER_PORT": "",
            "COLONIES_TLS": "",
            "COLONIES_SERVER_TLS": "",
        }
        return resolve({**environ, "COLONIES_SERVER_HOST": f"https://127.0.0.1:{started[-1].port}"})

    yield start
    for nginx in started:
        nginx.__exit__()


@pytest.fixture
def offer():
    """Return a function that starts an executor; it is stopped after the test."""
    started = []

    async def start(settings):
        executor = cj.Executor("task", settings=settings)
        started.append(executor)

        @executor.function("count")
        async def count(context, numbers):
            for number in range(numbers):
                await context.channel("out").send(str(number))
                await asyncio.sleep(0.02)
            await context.log("counted")
            return numbers

        await asyncio.to_thread(executor.start)

    yield start
    for executor in started:
        executor.stop()


async def test_executors_streams_and_the_doctor_work_behind_it(behind_nginx, offer):
    settings = behind_nginx()
    await offer(settings)
    async with cj.AsyncColony(settings) as colony:
        process = await colony.submit("count", 5, channels=["out", "sync"], executortype="task")
        async with process.channel("out").stream(timeout=20) as stream:
            assert [entry.text async for entry in stream] == ["0", "1", "2", "3", "4"]
        assert await process.result(20) == 5
        assert "counted" in [line.message for line in await colony.logs(process)]
    report = await examine(lambda: settings)
    assert not report.failed, report
    (channel,) = [finding for finding in report.findings if finding.subject == "channel"]
    assert channel.mark is Mark.FINE, channel.text


async def test_without_upgrade_streams_poll_and_the_doctor_names_the_cause(behind_nginx, offer):
    settings = behind_nginx(upgrade=False)
    await offer(settings)
    async with cj.AsyncColony(settings) as colony:
        process = await colony.submit("count", 40, channels=["out", "sync"], executortype="task")
        async with process.channel("out").stream(timeout=40) as stream:
            assert [entry.text async for entry in stream] == [str(number) for number in range(40)]
            refused = f"WebSocket refused by 127.0.0.1:{settings.port} (4"
            assert refused in stream.polling
        assert await process.result(20) == 40
    report = await examine(lambda: settings)
    (channel,) = [finding for finding in report.findings if finding.mark is Mark.WARNING]
    assert channel.subject == "channel"
    assert f"streams and panes poll, and receive entries up to 2 s late: {refused}" in channel.text
    assert "docs/nginx.conf" in channel.text


async def test_the_largest_entry_passes_the_documented_limit(behind_nginx):
    settings = behind_nginx()
    async with cj.AsyncColony(settings) as colony:
        process = await colony.submit("nothing", channels=["out"], executortype="absent")
        await process.channel("out").send(b"x" * (10 << 20))
        (entry,) = await process.channel("out").read()
        assert len(entry.payload) == 10 << 20


async def test_a_request_over_its_limit_is_an_error_at_once_that_names_the_setting(behind_nginx):
    settings = behind_nginx(limit="100k")
    async with cj.AsyncColony(settings) as colony:
        process = await colony.submit("nothing", channels=["out"], executortype="absent")
        with pytest.raises(RequestTooLarge, match=r"HTTP 413 .* from nginx.*nginx: client_max_body_size"):
            await process.channel("out").send("x" * 200_000)
        await process.channel("out").send("small")
        assert [entry.text for entry in await process.channel("out").read()] == ["small"]


async def test_nothing_is_lost_or_doubled_while_the_server_restarts_behind_it(behind_nginx, colony_server, offer):
    """In the meantime nginx answers 502."""
    settings = behind_nginx()
    await offer(settings)
    key = PrivateKey.generate(random.randbytes)
    async with cj.AsyncColony(settings) as colony, cj.AsyncColony(settings, prvkey=key) as executor:
        await colony.add_executor("manual", key.id, "manual")
        await colony.approve_executor("manual")
        counted = await colony.submit("count", 40, channels=["out"], executortype="task")
        process = await colony.submit("work", channels=["in"], executortype="manual")
        assigned = await executor.assign(10)
        async with counted.channel("out").stream(timeout=40) as stream:
            entries = [(await anext(stream)).text]
            await asyncio.to_thread(colony_server.stop)
            sending = asyncio.create_task(process.channel("in").send("sent while the server was away"))
            while colony._transport._server is not None:  # the first 502 has come  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.02)
            await asyncio.to_thread(colony_server.start)
            entries += [entry.text async for entry in stream]
        assert entries == [str(number) for number in range(40)]
        await sending
        assert [entry.text for entry in await assigned.channel("in").read()] == ["sent while the server was away"]
        await executor.close(assigned, ["done"])
        assert await process.result(20) == "done"
        assert await counted.result(20) == 40
        assert [line.message for line in await colony.logs(counted)].count("counted") == 1
