"""The sockets of a kernel towards front ends: what is noted before what is sent."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import zmq
import zmq.asyncio

from colony_jupyter.kernels.proxy import frontend
from colony_jupyter.kernels.proxy.frontend import FrontEnd
from colony_jupyter.kernels.relay.framing import Item

PORTS = {f"{name}_port": number for number, name in enumerate(("shell", "control", "stdin", "iopub", "hb"), 1)}


@pytest.fixture
async def front(tmp_path):
    """Return sockets as files, and the requests that arrive on them."""
    file = tmp_path / "connection.json"
    file.write_text(json.dumps({"key": "k", "transport": "ipc", "ip": str(tmp_path / "s"), **PORTS}), "utf-8")
    heard: asyncio.Queue[Item] = asyncio.Queue()
    front: Any = FrontEnd(file, heard.put)
    front.heard = heard
    front.bind()
    yield front
    await front.aclose()


@pytest.fixture
async def connect(front):
    context, opened = zmq.asyncio.Context(), []

    def connect(kind, name):
        socket = context.socket(kind)
        opened.append(socket)
        if kind == zmq.SUB:
            socket.subscribe(b"")
        else:
            socket.identity = b"client"
        socket.connect(f"ipc://{front._about['ip']}-{PORTS[f'{name}_port']}")
        return socket

    yield connect
    for socket in opened:
        socket.close(0)
    context.term()


async def test_output_is_noted_before_it_is_sent_and_after_a_front_end_listens(front, connect):
    noted = asyncio.Event()
    sending = asyncio.create_task(front.send(Item("iopub", [b"stream", b"text"]), noted.set))
    await asyncio.sleep(0.1)
    assert not noted.is_set()  # a killed program has lost nothing yet
    listening = connect(zmq.SUB, "iopub")
    async with asyncio.timeout(10):
        assert await listening.recv_multipart() == [b"stream", b"text"]
    assert noted.is_set()
    await sending


@pytest.mark.parametrize("name", ["shell", "control", "stdin"])
async def test_a_reply_is_noted_before_it_is_sent(front, connect, name):
    events: list[str] = []
    client = connect(zmq.DEALER, name)
    await client.send_multipart([b"request"])
    async with asyncio.timeout(10):
        await front.send(Item(name, [b"client", b"reply"]), lambda: events.append("noted"))
        assert await client.recv_multipart() == [b"reply"]
    assert events == ["noted"]


async def test_a_front_end_that_connects_again_gets_the_reply(front, connect):
    async with asyncio.timeout(10):
        for _ in range(2):
            client = connect(zmq.DEALER, "shell")
            await client.send_multipart([b"request"])
            await front.heard.get()
        await front.send(Item("shell", [b"client", b"reply"]))
        assert await client.recv_multipart() == [b"reply"]


async def test_output_for_a_front_end_that_is_slow_to_read_is_held(front, connect):
    listening = connect(zmq.SUB, "iopub")
    async with asyncio.timeout(30):
        for number in range(5_000):
            await front.send(Item("iopub", [b"%d" % number, b"x" * 1_000]))
        heard = [int((await listening.recv_multipart())[0]) for _ in range(5_000)]
    assert heard == list(range(5_000))


async def test_a_reply_whose_receiver_has_gone_is_waited_for_once(front, monkeypatch):
    monkeypatch.setattr(frontend, "_PRESENT", 0.2)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await front.send(Item("shell", [b"gone", b"reply"]))
    between = loop.time()
    await front.send(Item("shell", [b"gone", b"reply"]))
    assert between - begun >= 0.2
    assert loop.time() - between < 0.15
