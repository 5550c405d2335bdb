"""A connection file for a kernel that runs, with stand-ins for the relay and the proxy."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from colony_jupyter.kernels import names
from colony_jupyter.kernels.events import KernelGone
from colony_jupyter.kernels.proxy import attach as attach_module

PROCESS: Any = SimpleNamespace(
    processid="ab" * 32,
    spec=SimpleNamespace(conditions=SimpleNamespace(executortype="hpc")),
    record=SimpleNamespace(assignedexecutorid="cd" * 32),
)
COLONY: Any = SimpleNamespace()


class Link:
    """The relay, on which the kernel states its key."""

    fails: Exception | None = None

    def __init__(self, colony, target, events, key, *, confirms) -> None:
        assert not confirms  # what the kernel has printed is for the front end
        assert target.trusted == [PROCESS.record.assignedexecutorid]
        self._events = events

    async def run(self, processid):
        assert processid == PROCESS.processid
        if self.fails is not None:
            raise self.fails
        await self._events.started(names.Started("the key", "ir", "R", "R", "node-1", is_new=False))
        await asyncio.Event().wait()


class Proxy:
    """Ends as a test wants."""

    def __init__(self, colony, target, file, saved, language) -> None:
        assert language == "R"
        assert file.with_suffix(".colony").read_bytes().startswith(PROCESS.processid.encode())

    def detach(self):
        pass

    async def run(self):
        return 3


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch):
    monkeypatch.setattr(attach_module, "Link", Link)
    monkeypatch.setattr(attach_module, "Proxy", Proxy)


async def test_front_ends_get_a_private_file_with_the_key_of_the_kernel(tmp_path):
    announced = []

    def announce(file):
        announced.append((json.loads(file.read_text("utf-8")), file.stat().st_mode & 0o777))

    assert await attach_module.attach(COLONY, PROCESS, tmp_path, announce) == 3
    [(connection, mode)] = announced
    assert (connection["key"], connection["kernel_name"], mode) == ("the key", "ir", 0o600)
    assert list(tmp_path.iterdir()) == []


async def test_nothing_is_left_if_the_proxy_fails(tmp_path, monkeypatch):
    async def fail(_):
        raise OSError("no memory")

    monkeypatch.setattr(Proxy, "run", fail)
    with pytest.raises(OSError, match="no memory"):
        await attach_module.attach(COLONY, PROCESS, tmp_path, lambda _: None)
    assert list(tmp_path.iterdir()) == []


async def test_a_kernel_that_has_ended_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(Link, "fails", KernelGone("The kernel has ended."))
    with pytest.raises(KernelGone, match="has ended"):
        await attach_module.attach(COLONY, PROCESS, tmp_path, lambda _: None)
    assert list(tmp_path.iterdir()) == []
