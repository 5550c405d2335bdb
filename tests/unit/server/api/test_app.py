"""Requests of web pages of another origin are refused before their body is read."""

from __future__ import annotations

import pytest

from colony_jupyter.server.api.app import create_app, is_foreign

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
