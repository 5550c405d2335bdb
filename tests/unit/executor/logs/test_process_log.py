"""Lines of a process's log over a network that misbehaves: each is there once."""

from __future__ import annotations

import asyncio
import dataclasses
import random

import pytest
from gateway import Fault, Gateway
from proxy import Proxy

from colony_jupyter import AsyncColony
from colony_jupyter.errors import AccessDenied
from colony_jupyter.executor.logs.process_log import ProcessLog
from colony_jupyter.wire.identity import PrivateKey


@pytest.fixture
async def parties(settings):
    """Return a user, a process of its, the log of the executor that runs it, and the proxy between the latter two."""
    key = PrivateKey.generate(random.randbytes)
    async with (
        Proxy(settings.port) as proxy,
        AsyncColony(settings) as user,
        AsyncColony(dataclasses.replace(settings, port=proxy.port), prvkey=key) as executor,
    ):
        name = f"logs-{key.id[:12]}-x"
        await user.add_executor(name, key.id, name)
        await user.approve_executor(name)
        process = await user.submit("work", executortype=name)
        yield user, process, ProcessLog(await executor.assign(5)), proxy


async def lines(user, process):
    return [line.message for line in await user.logs(process)]


async def test_a_line_whose_answer_was_lost_is_there_once(parties):
    user, process, log, proxy = parties
    await log.add("before")
    async with proxy.swallowed_replies():
        adding = asyncio.create_task(log.add("once"))
        while "once" not in await lines(user, process):  # noqa: ASYNC110 - no event announces what a server has
            await asyncio.sleep(0.01)
    await adding
    await log.add("after")
    assert await lines(user, process) == ["before", "once", "after"]


async def test_a_line_that_did_not_get_there_is_added_when_there_is_a_server_again(parties):
    user, process, log, proxy = parties
    await log.add("before")
    proxy.refusing = True
    proxy.cut_all()
    adding = asyncio.create_task(log.add("later"))
    await asyncio.wait({adding}, timeout=0.5)
    assert not adding.done()
    proxy.refusing = False
    await adding
    assert await lines(user, process) == ["before", "later"]


async def test_lines_at_once_arrive_in_order(parties):
    user, process, log, _ = parties
    await asyncio.gather(*(log.add(str(number)) for number in range(20)))
    assert await lines(user, process) == [str(number) for number in range(20)]


@pytest.fixture
async def gateway(parties, settings):
    """Have the calls of the executor pass a gateway."""
    _, _, log, _ = parties
    async with Gateway(settings.port) as gateway:
        colony = log._process.colony
        async with AsyncColony(dataclasses.replace(settings, port=gateway.port), prvkey=colony.key) as by_way:
            log._process.colony = by_way
            yield gateway
            log._process.colony = colony


async def test_an_equal_line_that_may_have_arrived_is_added_again(parties, gateway):
    """The log cannot show which of the two it holds."""
    user, process, log, _ = parties
    await log.add("same")
    gateway.plan("addlogmsg", [Fault(502)])
    await log.add("same")
    assert await lines(user, process) == ["same", "same"]


async def test_a_line_waits_for_the_one_before_it(parties, gateway):
    user, process, log, _ = parties
    gateway.plan("addlogmsg", [Fault(503)])
    await asyncio.gather(log.add("first"), log.add("second"))
    assert await lines(user, process) == ["first", "second"]


async def test_a_refusal_is_not_tried_again(parties):
    user, process, log, _ = parties
    await user.cancel(process)
    with pytest.raises(AccessDenied):
        await log.add("too late")
