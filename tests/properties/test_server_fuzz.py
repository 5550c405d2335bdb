"""Anything at all sent to the embedded colony: it answers by the protocol, goes on, and leaks nothing."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import types
import typing
from typing import Any

import msgspec
import pytest
from calling import new_key
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from colony_jupyter.server.api import decoding
from colony_jupyter.server.api.app import create_app
from colony_jupyter.server.errors import Refused
from colony_jupyter.server.server import Server
from colony_jupyter.wire import messages as m
from colony_jupyter.wire.models import (
    Attribute,
    AttributeType,
    Colony,
    Conditions,
    ExecutorRecord,
    ExecutorState,
    Function,
    FunctionSpec,
    ProcessState,
    User,
    WorkflowSpec,
)

FUZZED = settings(max_examples=examples(250), suppress_health_check=list(HealthCheck))
KEYS = {name: new_key() for name in ("server", "owner", "user", "executor", "stranger")}
# The only 500s there are (docs/protocol.md section 4 and 5); names that no list survives are 500 on a real server, too.
NAMED = (
    " is nil",
    "executor not found",
    "does not exist",
    "process has too many channels",
    "rate limit exceeded",
    "channel log is full",
    "message payload exceeds maximum size",
    "Failed to parse Executor name",
    "invalid name",
    "Nodename is missing",
    "Duplicate nodename",
    "invalid dependencies",
)


class Sockets:
    """An application, called without a network; counts what is still at work."""

    def __init__(self, folder: Any) -> None:
        self.folder = folder
        self.runner = asyncio.Runner()
        self.server = self.runner.run(self._start())
        self.app = create_app(self.server)
        self.ids: list[str] = self.runner.run(self._furnish())
        self.tasks = len(self.runner.run(self._tasks()))

    async def _start(self) -> Server:
        server = Server(self.folder, serverid=KEYS["server"].id)
        await server.start()
        return server

    async def _tasks(self) -> set[Any]:
        for _ in range(10):
            await asyncio.sleep(0)
        return asyncio.all_tasks()

    async def _call(self, message: m.Message, who: str) -> Any:
        status, body = await self.post(envelope(msgspec.json.encode(message), m.msgtype(message), who))
        assert status == 200, body
        return json.loads(base64.b64decode(json.loads(body)["payload"]))

    async def _furnish(self) -> list[str]:
        await self._call(m.AddColony(colony=Colony(colonyid=KEYS["owner"].id, name="dev")), "server")
        await self._call(m.AddUser(user=User(colonyname="dev", userid=KEYS["user"].id, name="user")), "owner")
        record = ExecutorRecord(
            executorid=KEYS["executor"].id, executortype="x", executorname="executor", colonyname="dev"
        )
        await self._call(m.AddExecutor(executor=record), "owner")
        await self._call(m.ApproveExecutor(colonyname="dev", executorname="executor"), "owner")
        spec = FunctionSpec(conditions=Conditions(colonyname="dev", executortype="x"), channels=["c"])
        pid = (await self._call(m.SubmitFunctionSpec(spec=spec), "user"))["processid"]
        await self._call(m.AssignProcess(colonyname="dev", timeout=-1), "executor")
        steps = [FunctionSpec(nodename="one", conditions=Conditions(executortype="x"))]
        flow = WorkflowSpec(colonyname="dev", functionspecs=steps)
        workflow = await self._call(m.SubmitWorkflowSpec(spec=flow), "user")
        await self._call(m.AssignProcess(colonyname="dev", timeout=-1), "executor")
        fun = Function(executorname="executor", colonyname="dev", funcname="f")
        function = await self._call(m.AddFunction(fun=fun), "executor")
        attribute = Attribute(targetid=pid, attributetype=AttributeType.OUT, key="k")
        added = await self._call(m.AddAttribute(attribute=attribute), "executor")
        return [pid, workflow["processgraphid"], *workflow["processids"], function["functionid"], added["attributeid"]]

    async def post(self, body: bytes) -> tuple[int, bytes]:
        """Send a request whose sender hangs up soon."""
        incoming = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            if incoming:
                return incoming.pop()
            await asyncio.sleep(0.01)
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/api", "query_string": b"", "headers": []}
        await asyncio.wait_for(self.app(scope, receive, send), 20)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])

    async def converse(self, frames: list[str | bytes]) -> list[Any]:
        """Send frames on a WebSocket, then hang up; returns what came back."""
        incoming: list[Any] = [{"type": "websocket.connect"}]
        incoming += [
            {"type": "websocket.receive", "bytes" if isinstance(frame, bytes) else "text": frame} for frame in frames
        ]
        sent: list[Any] = []

        async def receive() -> Any:
            if incoming:
                return incoming.pop(0)
            return {"type": "websocket.disconnect", "code": 1006}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "websocket", "path": "/pubsub", "query_string": b"", "headers": [], "subprotocols": []}
        # As the server does when a connection is lost: what runs for it is cancelled.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.app(scope, receive, send), 0.05)
        return sent

    def check(self, status: int, body: bytes) -> None:
        """See that an answer is one of the protocol's."""
        assert status in (200, 400, 403, 404, 408, 500, 503)
        if status == 500:
            message = json.loads(base64.b64decode(json.loads(body)["payload"]))["message"]
            assert any(words in message for words in NAMED), message

    def close(self) -> None:
        """See that nothing is left at work, and that what is on disk is what is in memory; stop."""
        assert len(self.runner.run(self._tasks())) <= self.tasks + 1
        before = self.runner.run(self._memory(self.server))
        self.runner.run(self.server.stop())
        again = self.runner.run(self._start())
        after = self.runner.run(self._memory(again))
        self.runner.run(again.stop())
        self.runner.close()
        assert after == before

    async def _memory(self, server: Server) -> Any:
        await server.commit()
        archived = server.store.writer.connection.execute("SELECT data FROM closed ORDER BY id").fetchall()
        return archived, [
            [
                colony.colony,
                dict(sorted(colony.users.items())),
                dict(sorted(colony.executors.items())),
                dict(sorted(colony.functions.items())),
                dict(sorted(colony.workflows.items())),
                dict(sorted(colony.processes.items())),
                colony.paused,
                [colony.count(state) for state in ProcessState],
            ]
            for _, colony in sorted(server.colonies.items())
        ]


@pytest.fixture
def sockets(tmp_path, caplog):
    made = Sockets(tmp_path)
    yield made
    made.close()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def envelope(payload: bytes, payloadtype: str, who: str) -> bytes:
    text = base64.b64encode(payload).decode()
    signed = {"payloadtype": payloadtype, "payload": text, "signature": KEYS[who].sign(text)}
    return json.dumps(signed).encode()


wild_texts = st.sampled_from(
    [
        "",
        "dev",
        "x",
        "c",
        "user",
        "executor",
        "one",
        "*",
        "../../etc/passwd",
        "'; DROP TABLE objects; --",
        "a:b",
        "a\0b",
        "\0",
        "%" * 50 + "_",
        "\ud800",
        "\U0001f41d\u202e",
        "x" * 5000,
        "-1m",
        "99999999999999999999999Gi",
        "Infinity",
    ]
) | st.text(max_size=8)
wild_integers = st.sampled_from(
    [0, 1, -1, 2, 3, 4, 5, 100, 101, 501, 2**31, 2**53, 2**62, 2**63 - 1, -(2**63), 2**63, 2**64, -(10**30), 10**400]
) | st.integers(-3, 3)
wild_values = st.recursive(
    st.none() | st.booleans() | wild_integers | st.floats(allow_nan=False, allow_infinity=False) | wild_texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(wild_texts, inner, max_size=3),
    max_leaves=8,
)


def shaped(shape: Any, ids: list[str]) -> st.SearchStrategy[Any]:
    """Return JSON of about the shape of a type."""
    origin, parts = typing.get_origin(shape), typing.get_args(shape)
    if origin is typing.Annotated:
        return shaped(parts[0], ids)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*(shaped(part, ids) for part in parts))
    if shape is types.NoneType:
        return st.none()
    if origin is list:
        return st.lists(shaped(parts[0], ids), max_size=3)
    if origin is dict:
        return st.dictionaries(wild_texts, shaped(parts[1], ids), max_size=3)
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        hints = typing.get_type_hints(shape, include_extras=True)
        members = {each.encode_name: shaped(hints[each.name], ids) for each in msgspec.structs.fields(shape)}
        return st.fixed_dictionaries({}, optional=members)
    if shape is bool:
        return st.booleans()
    if shape in (AttributeType, ExecutorState) or (isinstance(shape, type) and issubclass(shape, int)):
        return wild_integers
    if shape is str:
        return st.sampled_from(ids) | wild_texts
    return wild_values


def message_of(shape: type[m.Message], ids: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a message that names its own type, and mostly the colony."""
    hints = typing.get_type_hints(shape, include_extras=True)
    members = {
        each.encode_name: st.just("dev") | wild_texts if each.name == "colonyname" else shaped(hints[each.name], ids)
        for each in msgspec.structs.fields(shape)
    }
    named = {"msgtype": st.just(m.msgtype(shape))}
    return st.fixed_dictionaries(named, optional=members) | st.fixed_dictionaries({**named, **members})


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


def test_any_body(sockets):
    @FUZZED
    @given(st.binary(max_size=200) | wild_values.map(as_json))
    def run(body):
        sockets.check(*sockets.runner.run(sockets.post(body)))

    run()


def test_any_message(sockets):
    types_ = st.sampled_from([*m.CALLS, "", "nonsense"])

    @FUZZED
    @given(types_, st.sampled_from(sorted(KEYS)), st.binary(max_size=100) | wild_values.map(as_json))
    def run(payloadtype, who, payload):
        sockets.check(*sockets.runner.run(sockets.post(envelope(payload, payloadtype, who))))

    run()


@pytest.mark.parametrize("shape", m.CALLS.values(), ids=m.CALLS)
def test_every_call(sockets, shape):
    @settings(FUZZED, max_examples=examples(60))
    @given(message_of(shape, sockets.ids), st.sampled_from(sorted(KEYS)))
    def run(message, who):
        body = envelope(as_json(message), message["msgtype"], who)
        sockets.check(*sockets.runner.run(sockets.post(body)))

    run()


@pytest.mark.parametrize("shape", m.CALLS.values(), ids=m.CALLS)
def test_the_quick_way_to_read_reads_the_same(shape, monkeypatch):
    def read(body: bytes, *, exactly: bool) -> Any:
        with monkeypatch.context() as patch:
            if not exactly:
                patch.setattr(decoding, "_read_exactly", lambda text, shape: None)
            try:
                found = decoding.open_envelope(body)
                message = decoding._read(found, shape, Refused(400, "invalid"), Refused(400, "mismatch"))
                return msgspec.to_builtins(message)
            except Refused as refused:
                return refused.message

    full = {each.encode_name: zero(each) for each in msgspec.structs.fields(shape)}

    @settings(FUZZED, max_examples=examples(60))
    @given(
        message_of(shape, ["id"]) | message_of(shape, ["id"]).map(lambda wild: {**full, **wild}),
        st.sampled_from(["msgtype", "MsgType", "", 'msgtype"', "nothing"]),
        st.booleans(),
    )
    def run(message, name, doubled):
        kind = message.pop("msgtype")
        text = as_json({**message, name: kind} if name else message)
        if doubled:
            text = text[:-1] + b', "name": "twice"}'
        body = envelope(text, kind, "user")
        assert read(body, exactly=True) == read(body, exactly=False)

    run()


def zero(member: Any) -> Any:
    return {str: "", bool: False}.get(member.type, None if member.name == "payload" else 0)


def test_any_frames(sockets):
    shapes = (m.SubscribeChannel, m.SubscribeProcess, m.SubscribeProcesses, m.GetVersion)
    message = st.one_of(*(message_of(shape, sockets.ids) for shape in shapes))
    signed = st.builds(
        lambda value, who: envelope(as_json(value), value["msgtype"], who), message, st.sampled_from(sorted(KEYS))
    )
    frame = signed | signed.map(bytes.decode) | st.binary(max_size=50) | st.text(max_size=50)

    @settings(FUZZED, max_examples=examples(100))
    @given(st.lists(frame, max_size=3))
    def run(frames):
        for sent in sockets.runner.run(sockets.converse(frames)):
            assert sent["type"] in ("websocket.accept", "websocket.send", "websocket.close")

    run()
    assert not sockets.server.waiters._processes
    assert not sockets.server.waiters._types


def submission(**members: Any) -> bytes:
    conditions = {"colonyname": "dev", "executortype": "x"}
    return as_json({"msgtype": "submitfuncspecmsg", "spec": {"conditions": conditions, **members}})


@pytest.mark.parametrize("depth", [10, 390, 500, 990, 5000, 100_000])
def test_deep_json(sockets, depth):
    deep = b"[" * depth + b"]" * depth
    for body in (deep, b'{"payload": %b}' % deep):
        assert sockets.runner.run(sockets.post(body))[0] == 400 if depth > 1000 else True
    message = submission().replace(b'"spec": {', b'"spec": {"args": %b, ' % deep)
    status, _ = sockets.runner.run(sockets.post(envelope(message, "submitfuncspecmsg", "user")))
    assert status == (200 if depth < 400 else 400)


def test_times_beyond_all_clocks(sockets):
    for seconds in (2**31, 2**53, 2**62, 2**63 - 1):
        members = {"maxwaittime": seconds, "maxexectime": seconds, "maxretries": seconds}
        status, _ = sockets.runner.run(sockets.post(envelope(submission(**members), "submitfuncspecmsg", "user")))
        assert status == 200
        message = m.AssignProcess(colonyname="dev", timeout=seconds)
        body = envelope(msgspec.json.encode(message), "assignprocessmsg", "executor")
        assert sockets.runner.run(sockets.post(body))[0] == 200
        # Nothing is there to be assigned any more: it waits until the client has gone.
        assert sockets.runner.run(sockets.post(body))[0] == 404


def test_numbers_beyond_64_bits_come_back_as_from_a_real_server(sockets):
    number = 10**30
    status, body = sockets.runner.run(
        sockets.post(envelope(submission(args=[number, -number, 10**20, 1.5]), "submitfuncspecmsg", "user"))
    )
    assert status == 200
    assert json.loads(base64.b64decode(json.loads(body)["payload"]))["spec"]["args"] == [1e30, -1e30, 10**20, 1.5]


def test_search_cannot_be_made_slow(sockets):
    message = m.AddLog(processid=sockets.ids[0], message="a" * 20_000)
    body = envelope(msgspec.json.encode(message), "addlogmsg", "executor")
    assert sockets.runner.run(sockets.post(body))[0] == 200
    search = m.SearchLogs(colonyname="dev", text="%a" * 2000 + "b", days=1, count=10)
    body = envelope(msgspec.json.encode(search), "searchlogsmsg", "user")
    assert sockets.runner.run(sockets.post(body))[0] == 200
