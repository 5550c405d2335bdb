"""Clients that send too much, too deep, too slowly or half a request get an error or are disconnected; others go on."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
import struct
import time

import psutil
import pytest
import websockets
from calling import CallRefused, Line, executor, running, user

from colony_jupyter.wire.messages import AddLog, ChannelAppend, ChannelRead, CloseSuccessful, GetColony, RemoveProcess

MB = 1_000_000
HEAD = b"POST /api HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
async def attacked(make_colony_server):
    """Return a server, a line of an honest client, and its key; afterwards it must be as it was."""
    server = make_colony_server(limits=False)
    process = psutil.Process(server.pid)
    async with Line(server.host, server.port) as line:
        key = await user(line, server.environ())
        await line.call(GetColony(colonyname=server.colonyname), key)
        before = len(process.net_connections())
        yield server, line, key, process
        await line.call(GetColony(colonyname=server.colonyname), key)
        async with asyncio.timeout(20):
            while len(process.net_connections()) > before:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.05)
    assert "Traceback" not in server.log


@contextlib.asynccontextmanager
async def raw(server):
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def status_of(reader):
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    return int(head.split()[1])


async def send(writer, pieces):
    with contextlib.suppress(OSError):  # it need not be read to its end
        for piece in pieces:
            writer.write(piece)
            await writer.drain()


@pytest.mark.parametrize("announced", [True, False], ids=["with-length", "in-chunks"])
async def test_bodies_of_40_mb_are_refused_and_cost_no_memory(attacked, announced):
    server, line, key, process = attacked
    piece = b"x" * MB
    for turn in range(5):
        async with raw(server) as (reader, writer):
            if announced:
                writer.write(HEAD + b"Content-Length: 40000000\r\n\r\n")
                pieces = [piece] * 40
            else:
                writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
                pieces = [b"%x\r\n%b\r\n" % (MB, piece)] * 40
            sending = asyncio.create_task(send(writer, pieces))
            assert await status_of(reader) == 413
            await sending
        await line.call(GetColony(colonyname=server.colonyname), key)
        if turn == 0:
            used = process.memory_info().rss
    assert process.memory_info().rss < used + 50 * MB


async def test_the_largest_entry_goes_through_and_its_memory_is_given_back(attacked):
    server, line, key, process = attacked
    runner = await executor(line, server.environ(), "attack-x")
    pid = await running(line, server.colonyname, key, runner, "attack-x", channels=["c"])
    payload = b"y" * (10 * 1024 * 1024)
    await line.call(ChannelAppend(processid=pid, name="c", sequence=1, payload=payload), key)
    with pytest.raises(CallRefused, match="exceeds maximum size"):
        await line.call(ChannelAppend(processid=pid, name="c", sequence=2, payload=payload + b"y"), key)
    (entry,) = await line.call(ChannelRead(processid=pid, name="c"), key)
    assert base64.b64decode(entry["payload"]) == payload
    assert process.memory_info().rss < 400 * MB


@pytest.mark.parametrize(
    "member",
    [
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        "[" * 100_000,
        "9" * 1_000_000,
        "1e999999999",
        '"\\u0000\\ud800"',
    ],
    ids=["lists", "objects", "open", "integer", "exponent", "surrogate"],
)
async def test_texts_that_break_readers(attacked, member):
    server, line, key, _ = attacked
    for text in (
        f'{{"msgtype":"getcolonymsg","colonyname":"{server.colonyname}","pad":{member}}}',
        f'{{"msgtype":"getcolonymsg","colonyname":{member}}}',
        f'{{"msgtype":"submitfuncspecmsg","spec":{{"args":[{member}],"priority":{member}}}}}',
        member,
    ):
        payload = base64.b64encode(text.encode()).decode()
        for kind in ("getcolonymsg", "submitfuncspecmsg"):
            sealed = {"payloadtype": kind, "payload": payload, "signature": key.sign(payload)}
            status, _ = await line.post(json.dumps(sealed).encode())
            assert status in (200, 400, 403)
    status, _ = await line.post(member.encode())
    assert status == 400


async def test_ids_that_are_paths_or_sql_find_nothing(attacked):
    server, line, key, _ = attacked
    for name in ("../../etc/passwd", "'; DROP TABLE objects; --", "' OR '1'='1", "%", "*", "\0", "", "\U0010ffff" * 99):
        with pytest.raises(CallRefused, match="process is nil"):
            await line.call(RemoveProcess(processid=name), key)
        with pytest.raises(CallRefused, match="does not exists"):
            await line.call(GetColony(colonyname=name), key)
    assert server.data.exists()


async def test_connections_left_half_open_delay_no_other_client(attacked):
    """Opened and silent, in the middle of a head or of a body, shut for writing, reset."""
    server, line, key, _ = attacked
    starts = [
        b"",
        b"POST /api HT",
        HEAD + b"Content-Le",
        HEAD + b"Content-Length: 100000\r\n\r\n" + b"x" * 500,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"GET /pubsub HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
    ]
    sockets = []
    try:
        for number in range(300):
            made = await asyncio.to_thread(socket.create_connection, (server.host, server.port))
            sockets.append(made)
            made.sendall(starts[number % len(starts)])
            if number % 3 == 0:
                made.shutdown(socket.SHUT_WR)
        slowest = 0.0
        for _ in range(50):
            began = time.monotonic()
            await line.call(GetColony(colonyname=server.colonyname), key)
            slowest = max(slowest, time.monotonic() - began)
        assert slowest < 3
        for made in sockets[::2]:  # gone without a word: a reset
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    finally:
        for made in sockets:
            made.close()


async def test_slow_senders_are_cut_off_while_others_are_served(attacked):
    """A byte now and then: after some ten seconds without progress that is over."""
    server, line, key, _ = attacked

    async def drip():
        async with raw(server) as (reader, writer):
            writer.write(HEAD + b"Content-Length: 100000\r\n\r\n")
            answer = asyncio.create_task(status_of(reader))
            while not answer.done():
                with contextlib.suppress(OSError):
                    writer.write(b"x")
                await asyncio.wait({answer}, timeout=0.2)
            return answer.result()

    dripping = [asyncio.create_task(drip()) for _ in range(50)]
    slowest = 0.0
    while not all(task.done() for task in dripping):
        began = time.monotonic()
        await line.call(GetColony(colonyname=server.colonyname), key)
        slowest = max(slowest, time.monotonic() - began)
        await asyncio.wait(dripping, timeout=0.1)
    assert {task.result() for task in dripping} == {408}
    assert slowest < 3


@pytest.mark.parametrize("kind", ["text", "bytes"])
async def test_frames_that_are_too_large_or_are_nothing_end_their_connection_only(attacked, kind):
    server, line, key, _ = attacked
    for sent in ("x" * 70_000, "null", "[" * 50_000, '{"payloadtype":"subscribechannelmsg"}', "\ud7ff"):
        async with websockets.connect(f"ws://{server.host}:{server.port}/pubsub") as connection:
            with contextlib.suppress(websockets.ConnectionClosed):
                await connection.send(sent if kind == "text" else sent.encode())
            with pytest.raises(websockets.ConnectionClosed):
                await asyncio.wait_for(connection.recv(), 10)
        await line.call(GetColony(colonyname=server.colonyname), key)


async def test_memory_is_flat_under_load(attacked):
    """Processes with entries, logs and outputs come and go; what is done takes none."""
    server, line, key, process = attacked
    runner = await executor(line, server.environ(), "attack-x")
    used = []
    for _ in range(6):
        for _ in range(60):
            pid = await running(line, server.colonyname, key, runner, "attack-x", channels=["c"], args=["x" * 2000])
            for sequence in range(1, 6):
                await line.call(ChannelAppend(processid=pid, name="c", sequence=sequence, payload=b"y" * 5000), key)
            await line.call(AddLog(processid=pid, message="z" * 2000), runner)
            await line.call(CloseSuccessful(processid=pid, output=["x" * 2000]), runner)
        used.append(process.memory_info().rss)
    assert max(used[3:]) < used[2] + 5 * MB, used
