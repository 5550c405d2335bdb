"""A replay against a scripted server: right answers pass, and each kind of wrong one is named."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from pathlib import Path

import httpx
import pytest
import uvicorn
from colony_contract.cast import Place
from colony_contract.known import EMBEDDED
from colony_contract.replaying import KnownDifference, Transcript, replay
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from colony_jupyter.wire.envelope import seal_refusal, seal_reply
from colony_jupyter.wire.identity import PrivateKey

KEY = PrivateKey("01" * 32)
RECORDINGS = Path(__file__).parent / "transcripts"
WRITTEN = Path(__file__).parent / "written"


class Toy:
    """Answers by a script: a function from the message to the reply."""

    def __init__(self) -> None:
        self.calls = []
        self.http = lambda message: (200, seal_reply(message["msgtype"], {}))
        self.frames = lambda message: []
        self.place: Place | None = None

    async def api(self, request):
        body = json.loads(await request.body())
        message = json.loads(base64.b64decode(body["payload"]))
        self.calls.append(message)
        answer = self.http(message)
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            answer = (200, seal_reply(message["msgtype"], {}))
        return Response(answer[1], answer[0])

    async def pubsub(self, connection):
        await connection.accept()
        try:
            while True:
                got = await connection.receive()
                if got["type"] == "websocket.disconnect":
                    return
                text = got.get("text") or got["bytes"].decode()
                for frame in self.frames(json.loads(base64.b64decode(json.loads(text)["payload"]))):
                    if frame is None:
                        await connection.close()
                        return
                    if isinstance(frame, float):
                        await asyncio.sleep(frame)
                    elif got.get("bytes") is not None:
                        await connection.send_bytes(frame)
                    else:
                        await connection.send_text(frame.decode())
        except WebSocketDisconnect:
            return


@pytest.fixture
async def toy():
    toy = Toy()
    app = Starlette(routes=[Route("/api", toy.api, methods=["POST"]), WebSocketRoute("/pubsub", toy.pubsub)])
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", ws="websockets-sansio"))
    # It listens already, so a call made before the server is up waits in the queue.
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    port = listener.getsockname()[1]
    toy.place = Place("127.0.0.1", port, keys={"server": KEY})
    yield toy
    server.should_exit = True
    await serving


def http(msgtype="getmsg", reply=None, **more):
    reply = reply or {"status": 200, "error": False, "payloadtype": msgtype, "payload": {}}
    return {
        "name": more.pop("name", msgtype),
        "transport": "http",
        "signer": "server",
        "msgtype": msgtype,
        "request": {},
        "reply": reply,
        **more,
    }


def ws(frames, ends=None, **more):
    return {
        "name": "frames",
        "transport": "ws",
        "conn": "w1",
        "signer": "server",
        "msgtype": "sub",
        "request": {},
        "expect_frames": len(frames),
        "reply": {"frames": frames, "then": ends},
        **more,
    }


def frame(payload, **more):
    return {"error": False, "payloadtype": "sub", "payload": payload, "binary": False, "after_s": 9.9, **more}


async def judge(toy, *steps, **more):
    """Replay steps and give ``index path`` of every difference."""
    found = await replay(Transcript("t", ("server",), steps), toy.place, **more)
    return [f"{mismatch.index} {difference.path}" for mismatch in found for difference in mismatch.differences]


class TestCalls:
    async def test_the_recorded_answer(self, toy):
        assert await judge(toy, http()) == []

    @pytest.mark.parametrize(
        ("answer", "differences"),
        [
            ((500, seal_reply("getmsg", {})), ["0 status"]),
            ((200, seal_reply("other", {})), ["0 payloadtype"]),
            ((200, seal_reply("getmsg", {"a": 1})), ["0 payload.a"]),
            ((200, seal_reply("getmsg", None)), ["0 payload"]),
            (
                (403, seal_refusal(403, "no")),
                ["0 error", "0 payload.message", "0 payload.status", "0 payloadtype", "0 status"],
            ),
            ((200, b""), ["0 empty_body", "0 error", "0 payload", "0 payloadtype"]),
            ((200, b"<html>"), ["0 error", "0 not_an_envelope", "0 payload", "0 payloadtype"]),
        ],
    )
    async def test_another_one(self, toy, answer, differences):
        toy.http = lambda _: answer
        assert await judge(toy, http()) == differences

    async def test_an_empty_body_that_is_expected(self, toy):
        toy.http = lambda _: (500, b"")
        assert await judge(toy, http(reply={"status": 500, "empty_body": True})) == []

    async def test_a_text_that_is_expected(self, toy):
        toy.http = lambda _: (404, b"404 page not found")
        assert await judge(toy, http(reply={"status": 404, "not_an_envelope": "404 page not found"})) == []

    async def test_null_is_not_empty_unless_asked(self, toy):
        toy.http = lambda _: (200, seal_reply("getmsg", []))
        step = http(reply={"status": 200, "error": False, "payloadtype": "getmsg", "payload": None})
        assert await judge(toy, step) == ["0 payload"]
        assert await judge(toy, step, lenient_null=True) == []

    async def test_texts_of_refusals_count_unless_recorded_as_text(self, toy):
        toy.http = lambda _: (403, seal_refusal(403, "said otherwise"))

        def reply(message):
            return {
                "status": 403,
                "error": True,
                "payloadtype": "error",
                "payload": {"status": 403, "message": message},
            }

        assert await judge(toy, http(reply=reply("$str"))) == []
        assert await judge(toy, http(reply=reply("said so"))) == ["0 payload.message"]

    async def test_bounds_of_time(self, toy):
        assert await judge(toy, http(min_s=5)) == ["0 took_s"]
        toy.http = lambda _: 0.3
        assert await judge(toy, http(max_s=0.1)) == ["0 took_s"]
        assert await judge(toy, http(min_s=0.2, max_s=5)) == []


class TestBinding:
    async def test_what_is_bound_is_sent_and_expected(self, toy):
        toy.http = lambda message: (200, seal_reply(message["msgtype"], {"processid": message.get("processid", "p-1")}))
        payload = {"processid": "$pid1"}
        reply = {"status": 200, "error": False, "payloadtype": "getmsg", "payload": payload}
        first, second = http(reply=reply, bind={"$pid1": "processid"}), http(reply=reply, request=payload)
        assert await judge(toy, first, second) == []
        assert toy.calls[1]["processid"] == "p-1"

    async def test_the_wrong_process_is_seen_though_it_is_bound_again(self, toy):
        ids = iter(["p-1", "p-2"])
        toy.http = lambda message: (200, seal_reply(message["msgtype"], {"processid": next(ids)}))
        reply = {"status": 200, "error": False, "payloadtype": "getmsg", "payload": "$any"}
        step = http(reply=reply, bind={"$pid1": "processid"})
        assert await judge(toy, step, step) == ["1 payload.processid"]

    async def test_after_a_failed_binding_the_rest_is_sent_and_the_colony_removed(self, toy):
        steps = (
            http(bind={"$pid1": "processid"}),
            http(request={"processid": "$pid1"}),
            http("removecolonymsg"),
        )
        assert await judge(toy, *steps) == ["0 payload.processid", "1 request or reply"]
        assert toy.calls[-1]["msgtype"] == "removecolonymsg"


class TestManyCalls:
    async def test_until(self, toy):
        states = iter(range(10))
        toy.http = lambda message: (200, seal_reply(message["msgtype"], {"state": next(states)}))
        reply = {"status": 200, "error": False, "payloadtype": "getmsg", "payload": {"state": "$int"}}
        assert await judge(toy, http(reply=reply, until={"state": 2}, within_s=5)) == []
        assert len(toy.calls) == 3

    async def test_until_gives_up_and_compares(self, toy):
        toy.http = lambda message: (200, seal_reply(message["msgtype"], {"state": 0}))
        reply = {"status": 200, "error": False, "payloadtype": "getmsg", "payload": {"state": 3}}
        assert await judge(toy, http(reply=reply, until={"state": 3}, within_s=0.5)) == ["0 payload.state"]

    async def test_repeat_counts_and_stops(self, toy):
        toy.http = lambda m: (200, seal_reply("getmsg", {})) if m["n"] <= 5 else (500, seal_refusal(500, "enough"))
        step = http(
            repeat=1000, counter="n", concurrency=3, stop_on_error=True, reply={"outcomes": ["200", "500 enough"]}
        )
        assert await judge(toy, step) == []
        assert sorted(call["n"] for call in toy.calls)[:6] == [1, 2, 3, 4, 5, 6]
        assert len(toy.calls) <= 9

    async def test_another_outcome(self, toy):
        step = http(repeat=3, counter="n", reply={"outcomes": ["200", "500 rate limit exceeded"]})
        assert await judge(toy, step) == ["0 outcomes.length", "0 outcomes"]

    async def test_a_task_goes_on_beside_the_next_steps(self, toy):
        toy.http = lambda message: 0.6 if message["msgtype"] == "slow" else (200, seal_reply(message["msgtype"], {}))
        steps = (
            http("slow", task="t"),
            http("quick", max_s=0.2),
            {**http("slow", min_s=0.1), "transport": "join", "task": "t"},
        )
        assert await judge(toy, *steps) == []

    async def test_a_joined_reply_is_compared(self, toy):
        toy.http = lambda message: (200, seal_reply(message["msgtype"], 1))
        steps = (http("slow", task="t"), {**http("slow"), "transport": "join", "task": "t"})
        assert await judge(toy, *steps) == ["1 payload"]

    async def test_sleep(self, toy):
        assert await judge(toy, {"name": "s", "transport": "sleep", "seconds": 0.01}) == []


class TestFrames:
    async def test_the_recorded_ones(self, toy):
        toy.frames = lambda _: [seal_reply("sub", [1]), seal_reply("sub", [])]
        assert await judge(toy, ws([frame([1]), frame([])])) == []

    async def test_binary_as_asked(self, toy):
        toy.frames = lambda _: [seal_reply("sub", [])]
        assert await judge(toy, ws([frame([], binary=True)], binary=True)) == []
        assert await judge(toy, ws([frame([])], binary=True)) == ["0 frames.0.binary"]

    async def test_another_order(self, toy):
        toy.frames = lambda _: [seal_reply("sub", []), seal_reply("sub", [1])]
        assert "0 frames.0.payload" in await judge(toy, ws([frame([1]), frame([])]))

    async def test_one_too_few(self, toy):
        toy.frames = lambda _: [seal_reply("sub", [1])]
        assert "0 frames.length" in await judge(toy, ws([frame([1]), frame([])], within_s=0.3))

    async def test_open_and_quiet(self, toy):
        toy.frames = lambda _: [seal_reply("sub", [])]
        assert await judge(toy, ws([frame([])], "open-and-quiet", then="open", then_s=0.1)) == []

    async def test_one_too_many(self, toy):
        toy.frames = lambda _: [seal_reply("sub", []), seal_reply("sub", [])]
        assert await judge(toy, ws([frame([])], "open-and-quiet", then="open", then_s=0.3)) == ["0 then"]

    async def test_closed(self, toy):
        toy.frames = lambda _: [None]
        assert await judge(toy, ws([], "closed", expect_frames=1)) == []
        assert await judge(toy, ws([], "open-and-quiet", then="open", then_s=0.3)) == ["0 then"]
        toy.frames = lambda _: []
        assert await judge(toy, ws([], "closed", expect_frames=1, within_s=0.2)) == ["0 then"]

    async def test_connections_last_over_steps_until_dropped(self, toy):
        toy.frames = lambda m: [0.2, seal_reply("sub", [m["n"]])]
        later = {name: value for name, value in ws([frame([1])]).items() if name != "request"}
        assert await judge(toy, ws([], request={"n": 1}, expect_frames=0), later) == []
        dropped = ws([], request={"n": 1}, expect_frames=0, drop_after=True)
        assert await judge(toy, dropped, ws([frame([2])], request={"n": 2})) == []

    async def test_bind_from_the_first_frame(self, toy):
        toy.frames = lambda _: [seal_reply("sub", {"processid": "p-1"})]
        step = ws([frame({"processid": "$pid1"})], bind={"$pid1": "processid"})
        assert await judge(toy, step, http(request={"processid": "$pid1"})) == []
        assert toy.calls[-1]["processid"] == "p-1"

    async def test_ping(self, toy):
        step = {"name": "ping", "transport": "ping", "conn": "w1", "within_s": 2, "reply": {"pong": True}}
        assert await judge(toy, step) == []
        assert await judge(toy, {**step, "reply": {"pong": False}}) == ["0 pong"]


class TestKnownDifferences:
    STEP = http(name="a step", reply={"status": 500, "empty_body": True})
    KNOWN = KnownDifference(
        "t", "a step", {"status": 200, "error": False, "payloadtype": "getmsg", "payload": {}}, "so"
    )

    async def test_what_is_expected_instead(self, toy):
        listed = Transcript("t", (), (self.STEP,)).knowing((self.KNOWN,))
        assert await replay(listed, toy.place) == []

    async def test_a_server_that_does_not_differ_any_more(self, toy):
        toy.http = lambda _: (500, b"")
        listed = Transcript("t", (), (self.STEP,)).knowing((self.KNOWN,))
        assert len(await replay(listed, toy.place)) == 1

    def test_of_another_transcript(self):
        assert Transcript("u", (), (self.STEP,)).knowing((self.KNOWN,)).steps == (self.STEP,)

    def test_of_a_step_that_is_not_there(self):
        with pytest.raises(ValueError, match="0 steps named 'a step'"):
            Transcript("t", (), ()).knowing((self.KNOWN,))

    def test_every_one_listed_differs_from_its_recording_and_states_why(self):
        transcripts = [Transcript.read(path) for folder in (RECORDINGS, WRITTEN) for path in folder.glob("*.json")]
        recorded = {t.theme: {s["name"]: s for s in t.steps} for t in transcripts}
        for known in EMBEDDED:
            assert recorded[known.transcript][known.step]["reply"] != known.reply
            assert known.reason


def test_a_transcript_names_the_role_it_lacks():
    needs = Transcript("t", ("server", "preset-user"), ())
    assert needs.missing_role(Place("h", 1, keys={"server": KEY})) == "preset-user"
    assert needs.missing_role(Place("h", 1, keys={"server": KEY, "preset-user": KEY})) is None


def test_the_place_comes_from_colonyos_own_names():
    place = Place.from_environment(
        {
            "COLONIES_SERVER_HOST": "example.org",
            "COLONIES_SERVER_PORT": "50080",
            "COLONIES_TLS": "true",
            "COLONIES_COLONY_NAME": "dev",
            "COLONIES_SERVER_PRVKEY": "01" * 32,
        }
    )
    assert (place.host, place.port, place.tls, place.colonyname) == ("example.org", 50080, True, "dev")
    assert place.keys == {"server": KEY}


@pytest.mark.parametrize(("step", "error"), [(http(), httpx.ConnectError), (ws([]), ConnectionRefusedError)])
async def test_an_address_without_a_server_is_no_mismatch_but_an_error(step, error):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(error):
        await replay(Transcript("t", (), (step,)), Place("127.0.0.1", port, keys={"server": KEY}))
