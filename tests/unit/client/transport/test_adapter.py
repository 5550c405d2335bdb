"""Another implementation of HTTP takes the place of ours."""

from __future__ import annotations

import dataclasses

import httpx
import pytest

from colony_jupyter import AsyncColony
from colony_jupyter.client.transport.adapter import ConnectFailed, ExchangeFailed, Response
from colony_jupyter.errors import ServerUnreachable


class ByHttpx:
    """Carries requests by httpx."""

    def __init__(self) -> None:
        self.requests = 0
        self._client = httpx.AsyncClient(trust_env=False)

    async def post(self, server, body, *, seconds):
        self.requests += 1
        try:
            response = await self._client.post(server.api, content=body, timeout=seconds)
        except httpx.ConnectError as error:
            raise ConnectFailed from error
        except httpx.TransportError as error:
            raise ExchangeFailed from error
        return Response(response.status_code, response.headers, response.content)

    async def aclose(self):
        await self._client.aclose()

    @property
    def is_closed(self):
        return self._client.is_closed


async def test_a_client_calls_by_the_adapter_it_is_given(place):
    adapter = ByHttpx()
    async with AsyncColony(place, transport=adapter) as colony:
        process = await colony.submit("work", channels=["c"], executortype="unit-adapter-x")
        await process.channel("c").send("text")
        assert [entry.text for entry in await process.channel("c").read()] == ["text"]
        await process.cancel()
    assert adapter.requests >= 4
    assert adapter.is_closed


async def test_its_failures_are_named(place):
    nowhere = dataclasses.replace(place, port=1)
    async with AsyncColony(nowhere, transport=ByHttpx()) as colony:
        with pytest.raises(ServerUnreachable, match=r"127\.0\.0\.1:1"):
            await colony.executors()
