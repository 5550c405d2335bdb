"""Requests over HTTP and WebSocket; those of web pages of another origin are refused before their body is read."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from colony_jupyter.server.api.app import create_app, is_foreign
from colony_jupyter.wire import messages as m
from colony_jupyter.wire.envelope import open_reply, seal
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import Conditions, FunctionSpec, User

HOST = (b"host", b"127.0.0.1:50080")


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ([HOST], False),
        ([HOST, (b"origin", b"http://127.0.0.1:50080")], False),
        ([HOST, (b"origin", b"http://127.0.0.1:8888")], True),
        ([HOST, (b"origin", b"https://evil.example")], True),
        ([HOST, (b"origin", b"null")], True),
        ([(b"origin", b"http://127.0.0.1:50080")], True),
        ([HOST, (b"origin", b"http://127.0.0.1:50080"), (b"origin", b"https://evil.example")], True),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_which_origins_are_foreign(kind, headers, foreign):
    assert is_foreign({"type": kind, "headers": headers}) is foreign


async def _run(world, kind):
    sent = []

    async def receive():
        pytest.fail("the body was read")

    async def send(event):
        sent.append(event)

    headers = [HOST, (b"origin", b"https://evil.example")]
    path = "/api" if kind == "http" else "/pubsub"
    await create_app(world.server)(
        {"type": kind, "method": "POST", "path": path, "headers": headers, "server": ("here", 1)}, receive, send
    )
    return sent


async def test_a_call_of_a_foreign_page_is_refused_before_its_body_is_read(world):
    start, body = await _run(world, "http")
    assert start["status"] == 403
    assert (b"connection", b"close") in start["headers"]
    assert body["body"]


async def test_a_websocket_of_a_foreign_page_is_refused_before_it_is_accepted(world):
    assert await _run(world, "websocket") == [{"type": "websocket.close"}]


# Calls over HTTP


KEYS = {name: PrivateKey(digit * 64) for name, digit in (("ann", "1"), ("server", "2"), ("stranger", "3"))}


@pytest.fixture
async def client(world):
    """Return a client of a colony of which ann's key is a user and owner."""
    world.server.serverid = KEYS["server"].id
    await world.call(m.AddUser(user=User(colonyname="dev", userid=KEYS["ann"].id, name="key")), "dev owner")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(world.server)), base_url="http://colony:50080"
    ) as made:
        yield made


async def ask(client, message, who="ann"):
    """Make a call; status, payloadtype and value of the reply."""
    reply = await client.post("/api", content=seal(message, KEYS.get(who)))
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    return reply.status_code, *open_reply(reply.content)


async def test_a_signed_call_is_answered_in_an_envelope_of_its_own_type(client):
    status, kind, colony = await ask(client, m.GetColony(colonyname="dev"))
    assert (status, kind, colony["name"]) == (200, "getcolonymsg", "dev")
    status, kind, paused = await ask(client, m.GetPauseStatus(colonyname="dev"))
    assert (status, kind, paused["ispaused"]) == (200, "pausestatusreplymsg", False)


async def test_a_refused_call_has_the_same_status_inside_and_outside(client):
    status, kind, refusal = await ask(client, m.GetColony(colonyname="dev"), "stranger")
    assert (status, kind) == (403, "error")
    assert (refusal.status, refusal.message) == (403, "Access denied, not a member of Colony with name <dev>")


async def test_calls_without_a_signature_are_for_the_version_and_the_server_info_only(client):
    assert (await ask(client, m.GetVersion(), "unsigned"))[:2] == (200, "versionmsg")
    _, _, shown = await ask(client, m.GetServerInfo(), "unsigned")
    assert shown["backends"][0]["host"] == "colony"
    status, _, _ = await ask(client, m.GetColony(colonyname="dev"), "unsigned")
    assert status == 403


@pytest.mark.parametrize("message", [m.GetColonyStatistics(colonyname="dev"), m.GetProcessHistory(colonyname="dev")])
async def test_two_calls_answer_a_stranger_with_an_empty_body(client, message):
    """Trap 16."""
    reply = await client.post("/api", content=seal(message, KEYS["stranger"]))
    assert (reply.status_code, reply.content) == (200, b"")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"no JSON", 400, ""),
        (b'{"payloadtype":"getcolonymsg"}', 403, ""),
    ],
)
async def test_a_body_that_is_no_request_is_refused(client, body, status, words):
    reply = await client.post("/api", content=body)
    _, refusal = open_reply(reply.content)
    assert (reply.status_code, refusal.status) == (status, status)
    assert words in refusal.message


async def test_a_request_without_a_type_names_the_likely_mistake(client):
    sealed = json.loads(seal(m.GetColony(), KEYS["ann"]))
    reply = await client.post("/api", content=json.dumps({**sealed, "payloadtype": ""}))
    _, refusal = open_reply(reply.content)
    assert refusal.status == 403
    assert "COLONIES_PRVKEY" in refusal.message


async def test_other_paths_are_not_found_and_the_health_check_is_empty(client):
    assert (await client.get("/health")).status_code == 200
    for method, path in (("GET", "/api"), ("POST", "/health"), ("GET", "/none")):
        reply = await client.request(method, path)
        assert (reply.status_code, reply.text) == (404, "404 page not found")


async def test_a_client_that_leaves_before_its_request_is_whole_is_not_answered(world):
    pieces = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]

    async def receive():
        return pieces.pop(0)

    async def send(event):
        pytest.fail(f"sent {event}")

    scope = {"type": "http", "method": "POST", "path": "/api", "headers": []}
    await create_app(world.server)(scope, receive, send)
    assert pieces == []


# Conversations over WebSocket


class Socket:
    """A WebSocket without a network."""

    def __init__(self, world) -> None:
        self.incoming = asyncio.Queue()
        self.sent = asyncio.Queue()
        scope = {"type": "websocket", "path": "/pubsub", "query_string": b"", "headers": [], "subprotocols": []}
        self.put({"type": "websocket.connect"})
        self.task = asyncio.create_task(create_app(world.server)(scope, self.incoming.get, self.sent.put))

    def put(self, event):
        self.incoming.put_nowait(event)

    def say(self, message, who="ann", *, binary=False):
        """Send a request as text or as bytes."""
        frame = message if isinstance(message, str) else seal(message, KEYS[who]).decode()
        shown = {"bytes": frame.encode()} if binary else {"text": frame}
        self.put({"type": "websocket.receive", **shown})

    async def event(self):
        return await asyncio.wait_for(self.sent.get(), 5)

    async def frame(self, kind="text"):
        """Return the next answer, which is of this kind of frame."""
        return open_reply((await self.event())[kind])


@pytest.fixture
async def socket(client, world):
    """Return a WebSocket that has been accepted."""
    made = Socket(world)
    assert (await made.event())["type"] == "websocket.accept"
    yield made
    made.put({"type": "websocket.disconnect", "code": 1006})
    await asyncio.wait_for(made.task, 5)


async def submitted(client):
    spec = FunctionSpec(conditions=Conditions(colonyname="dev", executortype="x"), channels=["c"])
    return (await ask(client, m.SubmitFunctionSpec(spec=spec)))[2]["processid"]


def window(pid, timeout=-1):
    return m.SubscribeChannel(processid=pid, name="c", timeout=timeout)


@pytest.mark.parametrize("binary", [False, True])
async def test_answers_are_of_the_kind_of_frame_that_asked_and_one_subscription_follows_the_other(
    client, socket, binary
):
    pid = await submitted(client)
    kind = "bytes" if binary else "text"
    for _ in range(2):
        socket.say(window(pid), binary=binary)
        assert await socket.frame(kind) == ("subscribechannelmsg", [])


async def test_a_refused_subscription_is_an_error_frame_and_the_connection_goes_on(client, socket):
    pid = await submitted(client)
    socket.say(window("0" * 64))
    kind, refusal = await socket.frame()
    assert (kind, refusal.status, refusal.message) == ("error", 404, "Process not found")
    wrong = json.loads(seal(m.GetVersion(), KEYS["ann"]))
    socket.say(json.dumps({**wrong, "payloadtype": "subscribechannelmsg"}))
    kind, refusal = await socket.frame()
    assert (kind, refusal.status) == ("error", 400)
    socket.say(window(pid))
    assert await socket.frame() == ("subscribechannelmsg", [])


async def test_what_is_no_subscription_is_not_answered(client, socket):
    pid = await submitted(client)
    socket.say(m.GetColony(colonyname="dev"))
    socket.say(window(pid))
    assert await socket.frame() == ("subscribechannelmsg", [])


@pytest.mark.parametrize("request_", ["no JSON", '{"payload":"","signature":"no"}'])
async def test_a_text_that_is_no_signed_request_drops_the_connection(socket, request_):
    socket.say(request_)
    assert await socket.event() == {"type": "websocket.close", "code": 1006, "reason": ""}


async def test_the_end_of_a_process_subscription_drops_the_connection(client, socket):
    pid = await submitted(client)
    socket.say(m.SubscribeProcess(processid=pid, state=0, timeout=-1))
    kind, process = await socket.frame()
    assert (kind, process["processid"]) == ("subscribeprocessmsg", pid)
    assert (await socket.event())["code"] == 1006


async def test_the_end_of_the_server_drops_the_connection_in_the_middle_of_a_subscription(client, socket, world):
    pid = await submitted(client)
    socket.say(window(pid, timeout=60))
    await ask(client, m.ChannelAppend(processid=pid, name="c", sequence=1))
    assert len((await socket.frame())[1]) == 1
    world.server.stopping.set()
    assert (await socket.event())["code"] == 1006
