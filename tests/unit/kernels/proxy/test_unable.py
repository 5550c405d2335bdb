"""A kernel that cannot start: what its front end is answered."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from colony_jupyter.kernels.proxy import unable as unable_module
from colony_jupyter.kernels.proxy.unable import Unable
from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.messages import compose


class Front:
    """The front end, and what it was answered."""

    def __init__(self, _, receive) -> None:
        self.receive = receive
        self.answers: list[tuple[Any, ...]] = []
        self.is_open = False

    def bind(self):
        self.is_open = True

    async def answer(self, _, kind, content):
        self.answers.append((kind, content))

    async def fail(self, _, name, text):
        self.answers.append((name, text))

    async def aclose(self):
        self.is_open = False


def request(kind, **content):
    return Item("shell", compose(b"", [b"client"], {"msg_type": kind}, b"{}", content))


@pytest.fixture
def unable(monkeypatch):
    monkeypatch.setattr(unable_module, "FrontEnd", Front)

    async def play(*requests):
        """Return the exit status and the answers to requests."""
        unable: Any = Unable(Path("connection.json"), "COLONIES_PRVKEY is not set.", "R")
        running = asyncio.create_task(unable.run())
        await asyncio.sleep(0)
        for each in requests:
            assert not running.done()
            await unable._front.receive(each)
        if not requests:
            unable.end()
        status = await running
        assert not unable._front.is_open
        return status, unable._front.answers

    return play


async def test_the_first_cell_shows_why(unable):
    status, [(kind, information), *answers] = await unable(request("kernel_info_request"), request("execute_request"))
    assert (status, answers) == (1, [("SettingsError", "COLONIES_PRVKEY is not set.")])
    assert (kind, information["language_info"]["name"]) == ("kernel_info_reply", "R")


@pytest.mark.parametrize("restarts", [True, False])
async def test_it_ends_when_it_is_shut_down(unable, restarts):
    status, answers = await unable(request("shutdown_request", restart=restarts))
    assert (status, answers) == (0, [("shutdown_reply", {"status": "ok", "restart": restarts})])


async def test_it_ends_by_a_signal(unable):
    assert await unable() == (0, [])
