"""The embedded colony is killed under load, its disk fills up, its file is spoilt: what was acknowledged is there."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import resource
import sqlite3
from dataclasses import dataclass, field

import pytest
from calling import CallRefused, Line, executor, running, spec, user

from colony_jupyter import AsyncColony, settings
from colony_jupyter.datafolder import layout
from colony_jupyter.errors import EmbeddedError
from colony_jupyter.server.server import DATABASE, Server
from colony_jupyter.server.state.records import StoredEntry
from colony_jupyter.server.storage import schema
from colony_jupyter.wire.messages import (
    AddLog,
    AssignProcess,
    ChannelAppend,
    ChannelRead,
    CloseSuccessful,
    GetLogs,
    GetProcess,
    SetOutput,
    SubmitFunctionSpec,
)
from colony_jupyter.wire.models import ProcessState

KIND = "lasting-x"
LOST = (ConnectionError, OSError)


@dataclass
class Acknowledged:
    """What the server has acknowledged, and what it was asked without an answer."""

    submitted: set[str] = field(default_factory=set)
    outputs: dict[str, list] = field(default_factory=dict)
    closed: dict[str, list] = field(default_factory=dict)
    logs: dict[str, list[str]] = field(default_factory=dict)
    entries: dict[str, list[int]] = field(default_factory=dict)
    unanswered: dict[str, int] = field(default_factory=dict)


async def work(server, keys, acknowledged: Acknowledged, number: int) -> None:
    """One client: submits, runs, appends, logs, closes, for as long as there is a server."""
    submitter, runner = keys
    colony = server.colonyname
    async with Line(server.host, server.port) as line:
        for turn in range(10_000):
            members = {"channels": ["a", "b"], "label": f"{number}-{turn}"}
            submission = SubmitFunctionSpec(spec=spec(colony, f"{KIND}{number}x", **members))
            submitted = (await line.call(submission, submitter))["processid"]
            acknowledged.submitted.add(submitted)
            if turn % 4 == 3:
                continue  # one that waits
            pid = (await line.call(AssignProcess(colonyname=colony, timeout=5), runner))["processid"]
            acknowledged.entries[pid], acknowledged.logs[pid] = [], []
            for sequence in range(1, 20):
                acknowledged.unanswered[pid] = sequence
                payload = f"{pid} {sequence}".encode()
                await line.call(ChannelAppend(processid=pid, name="a", sequence=sequence, payload=payload), submitter)
                acknowledged.entries[pid].append(sequence)
                await line.call(AddLog(processid=pid, message=f"line {sequence}"), runner)
                acknowledged.logs[pid].append(f"line {sequence}")
            await line.call(SetOutput(processid=pid, output=["set", turn]), runner)
            acknowledged.outputs[pid] = ["set", turn]
            if turn % 4 != 2:
                del acknowledged.outputs[pid]  # unknown from here until it is answered
                acknowledged.unanswered[pid] = -1
                await line.call(CloseSuccessful(processid=pid, output=["done", turn]), runner)
                acknowledged.closed[pid] = ["done", turn]


async def check(server, keys, acknowledged: Acknowledged) -> None:
    """Everything that was acknowledged is there, and nothing more than what was under way."""
    colony = server.colonyname
    async with Line(server.host, server.port) as line:
        for pid in acknowledged.submitted:
            found = await line.call(GetProcess(processid=pid), keys[0][0])
            if pid in acknowledged.closed:
                assert found["state"] == ProcessState.SUCCESS
                assert found["out"] == acknowledged.closed[pid]
            if pid in acknowledged.outputs:
                assert (found["state"], found["out"]) == (ProcessState.RUNNING, acknowledged.outputs[pid])
            if pid not in acknowledged.entries:
                continue
            lines = await line.call(GetLogs(colonyname=colony, processid=pid, count=500), keys[0][0]) or []
            messages = [each["message"] for each in lines]
            assert messages[: len(acknowledged.logs[pid])] == acknowledged.logs[pid]
            assert len(messages) <= len(acknowledged.logs[pid]) + 1
            if found["state"] == ProcessState.RUNNING:
                submitter = next(user for user, _ in keys if user.id == found["initiatorid"])
                entries = await line.call(ChannelRead(processid=pid, name="a"), submitter)
                sequences = [entry["sequence"] for entry in entries]
                assert sequences[: len(acknowledged.entries[pid])] == acknowledged.entries[pid]
                assert sequences == list(range(1, len(sequences) + 1))
                assert len(sequences) <= len(acknowledged.entries[pid]) + 1
            else:
                assert acknowledged.unanswered[pid] == -1, "closed without a request"
                with pytest.raises(CallRefused, match="Channel not found"):
                    await line.call(ChannelRead(processid=pid, name="a"), keys[0][0])


async def kill_under_load(server, *, kills: int, clients: int, seconds: float) -> Acknowledged:
    acknowledged = Acknowledged()
    async with Line(server.host, server.port) as line:
        keys = [
            (await user(line, server.environ()), await executor(line, server.environ(), f"{KIND}{number}x"))
            for number in range(clients)
        ]
    for _ in range(kills):
        tasks = [asyncio.create_task(work(server, keys[number], acknowledged, number)) for number in range(clients)]
        await asyncio.sleep(seconds)
        for _ in range(400):
            if acknowledged.outputs:  # of each kind of call some were answered
                break
            await asyncio.sleep(0.05)
        # In a thread: killing waits for the process, and the clients shall be at it until then.
        await asyncio.to_thread(server.kill)
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(ended, LOST), ended
        await asyncio.to_thread(server.start)
        await check(server, keys, acknowledged)
    return acknowledged


@pytest.mark.parametrize("durability", ["normal", "full"])
async def test_kill_under_load(make_colony_server, durability):
    server = make_colony_server(limits=False, arguments=["--durability", durability])
    acknowledged = await kill_under_load(server, kills=3, clients=4, seconds=1.0)
    assert acknowledged.closed
    assert acknowledged.outputs
    assert sum(map(len, acknowledged.entries.values())) > 50


@pytest.mark.chaos
async def test_kill_under_load_for_long(make_colony_server):
    server = make_colony_server(limits=False)
    await kill_under_load(server, kills=60, clients=8, seconds=1.5)


async def test_streams_and_polls_go_on(make_colony_server):
    server = make_colony_server(limits=False)
    async with Line(server.host, server.port) as line:
        runner = await executor(line, server.environ(), KIND)
    found = settings.resolve(server.environ())
    async with AsyncColony(found) as colony, AsyncColony(found, prvkey=runner) as mine:
        process = await colony.submit("work", channels=["c"], executortype=KIND)
        assigned = await mine.assign(5)
        polling = asyncio.create_task(_poll(mine))

        async def collect():
            return [entry.text async for entry in process.channel("c")]

        reading = asyncio.create_task(collect())
        sent = []
        channel = assigned.channel("c")
        for turn in range(3):
            for number in range(20):
                await channel.send(f"{turn} {number}")
                sent.append(f"{turn} {number}")
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        await channel.end()
        assert await asyncio.wait_for(reading, 20) == sent
        submitted = await colony.submit("work", executortype=KIND)
        assert (await asyncio.wait_for(polling, 20)).processid == submitted.processid


async def _poll(colony):
    """What an executor does: ask again, whatever happened."""
    while True:
        with contextlib.suppress(Exception):
            found = await colony.assign(3)
            if found is not None:
                return found
        await asyncio.sleep(0.05)


# A full disk


def _limit_files(pid: int, size: int) -> None:
    """Let no file of a process grow beyond a size: to it, that is a full disk."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


async def test_full_disk(make_colony_server):
    server = make_colony_server(limits=False)
    async with Line(server.host, server.port) as line:
        submitter = await user(line, server.environ())
        runner = await executor(line, server.environ(), KIND)
        pid = await running(line, server.colonyname, submitter, runner, KIND, channels=["a"])
        sizes = [path.stat().st_size for path in server.data.glob(f"{DATABASE}*")]
        _limit_files(server.pid, max(sizes) + 200_000)
        acknowledged, refused = [], []

        async def append(own: Line, sequences: range) -> None:
            for sequence in sequences:
                try:
                    message = ChannelAppend(processid=pid, name="a", sequence=sequence, payload=b"x" * 3000)
                    await own.call(message, submitter)
                    acknowledged.append(sequence)
                except CallRefused as error:
                    refused.append((error.status, error.message.partition(":")[0]))

        async with contextlib.AsyncExitStack() as stack:
            lines = [await stack.enter_async_context(Line(server.host, server.port)) for _ in range(4)]
            await asyncio.gather(*(append(own, range(1 + at, 400, 4)) for at, own in enumerate(lines)))
        assert acknowledged
        assert set(refused) == {(500, "The colony's data could not be written")}
        # What cannot be kept cannot be seen either, and what was kept can.
        entries = await line.call(ChannelRead(processid=pid, name="a"), submitter)
        assert sorted(entry["sequence"] for entry in entries) == sorted(acknowledged)
        assert len(await line.call(ChannelRead(processid=pid, name="a", limit=1), runner)) == 1
        # Room again.
        _limit_files(server.pid, resource.RLIM_INFINITY)
        await line.call(ChannelAppend(processid=pid, name="a", sequence=1000, payload=b"y"), submitter)
        acknowledged.append(1000)
    server.kill()
    server.start()
    async with Line(server.host, server.port) as line:
        entries = await line.call(ChannelRead(processid=pid, name="a"), submitter)
        assert sorted(entry["sequence"] for entry in entries) == sorted(acknowledged)


# Files that are not ours to touch


def fingerprint(folder) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def _foreign(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript("PRAGMA journal_mode=WAL; CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1);")


async def _made(folder) -> None:
    server = Server(folder, serverid="0" * 64)
    await server.start()
    await server.ensure_colony("dev", "1" * 64)
    await server.stop()


def _newer(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=99")


def _hole(path):
    data = bytearray(path.read_bytes())
    data[4096 : len(data)] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)


def _cut(path):
    path.write_bytes(path.read_bytes()[:4096])


def _text(path):
    path.write_text("something else altogether\n" * 10)


def _senseless(path):
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE objects SET data = 'nonsense'")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_foreign, "belongs to another program"),
        (_newer, "newer version"),
        (_hole, "damaged"),
        (_cut, "damaged"),
        (_text, "damaged"),
        (_senseless, "damaged"),
    ],
)
async def test_spoilt_file_is_refused_untouched(tmp_path, spoil, sentence):
    path = tmp_path / DATABASE
    if spoil not in (_foreign, _text):
        await _made(tmp_path)
    spoil(path)
    before = fingerprint(tmp_path)
    server = Server(tmp_path, serverid="0" * 64)
    with pytest.raises(EmbeddedError, match=sentence) as refused:
        await server.start()
    await server.stop()
    assert str(path) in str(refused.value)
    assert "left as it is" in str(refused.value)
    after = fingerprint(tmp_path)
    assert after.pop(DATABASE) == before.pop(DATABASE)
    assert after.keys() - before.keys() <= {f"{DATABASE}-wal", f"{DATABASE}-shm"}


async def test_serve_states_it_in_one_sentence(make_colony_server, tmp_path):
    layout.prepare(tmp_path)
    (tmp_path / DATABASE).write_text("not a database, by any means\n" * 10)
    with pytest.raises(EmbeddedError, match="damaged"):
        make_colony_server(tmp_path)


async def test_older_schema_is_migrated(tmp_path, monkeypatch):
    await _made(tmp_path)
    step = "CREATE TABLE later (a); INSERT INTO later SELECT count(*) FROM objects;"
    monkeypatch.setattr(schema, "MIGRATIONS", [*schema.MIGRATIONS, step])
    server = Server(tmp_path, serverid="0" * 64)
    await server.start()
    assert "dev" in server.colonies
    await server.stop()
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
        assert connection.execute("SELECT a FROM later").fetchone() == (1,)


async def test_migration_that_fails_changes_nothing(tmp_path, monkeypatch):
    await _made(tmp_path)
    monkeypatch.setattr(schema, "MIGRATIONS", [*schema.MIGRATIONS, "CREATE TABLE later (a); CREATE TABLE objects (a);"])
    server = Server(tmp_path, serverid="0" * 64)
    with pytest.raises(EmbeddedError, match="cannot be used"):
        await server.start()
    await server.stop()
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS) - 1,)
        assert not connection.execute("SELECT name FROM sqlite_master WHERE name = 'later'").fetchall()


# Pruning


async def test_pruned_file_stays_bounded(tmp_path):
    day = 86_400 * 10**9
    now = [1_700_000_000 * 10**9]
    server = Server(tmp_path, serverid="0" * 64, keep_days=1, limits=False, clock=lambda: now[0])
    await server.start()
    await server.ensure_colony("dev", "1" * 64)
    colony = server.colonies["dev"]
    sizes = []
    for _ in range(4):
        for _ in range(1200):
            process = server.submit(
                colony, spec("dev", KIND, args=["x" * 2000]), initiatorid="2" * 64, initiatorname="u"
            )
            server.cancel(colony, process)
        lasting = server.submit(colony, spec("dev", KIND), initiatorid="2" * 64, initiatorname="u")
        await server.commit()
        now[0] += 2 * day
        await server.carry_out(server._prune)
        assert lasting.processid in colony.processes
        connection = server.store.writer.connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)
        sizes.append(pages)
    assert max(sizes) < 100, sizes
    assert set(colony.processes) == {process.processid for process in colony.in_state(ProcessState.WAITING)}
    await server.stop()


async def test_entries_of_closed_processes_are_gone(tmp_path):
    server = Server(tmp_path, serverid="0" * 64, limits=False)
    await server.start()
    await server.ensure_colony("dev", "1" * 64)
    colony = server.colonies["dev"]
    process = server.submit(colony, spec("dev", KIND, channels=["c"]), initiatorid="2" * 64, initiatorname="u")
    for place in range(1, 11):
        server.store.entries.add(process.processid, "c", place, StoredEntry(place, 0, place, "2" * 64, b""))
    await server.commit()
    count = "SELECT count(*) FROM entries"
    assert server.store.writer.connection.execute(count).fetchone() == (10,)
    server.cancel(colony, process)
    await server.commit()
    assert server.store.writer.connection.execute(count).fetchone() == (0,)
    await server.stop()
