"""Calls of ColonyOS that the embedded colony does not implement are refused by subject."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import httpx
import pytest

from colony_jupyter.server.api.app import create_app
from colony_jupyter.server.api.decoding import SUBSCRIPTIONS
from colony_jupyter.server.calls import HANDLERS
from colony_jupyter.server.calls.unsupported import UNSUPPORTED
from colony_jupyter.wire.identity import PrivateKey


def test_none_of_them_has_a_handler():
    assert len(UNSUPPORTED) == 46
    assert not UNSUPPORTED.keys() & (HANDLERS.keys() | SUBSCRIPTIONS.keys())


def test_the_documentation_lists_all_of_them():
    text = (Path(__file__).parents[4] / "docs" / "protocol.md").read_text("utf-8")
    section = text.partition("## 10.")[2]
    assert {name for name in UNSUPPORTED if f"`{name}`" not in section} == set()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("addcronmsg", "the embedded colony has no crons (addcronmsg)"),
        ("getfilesmsg", "the embedded colony has no files (getfilesmsg)"),
        ("nosuchmsg", "invalid rpcMsg.PayloadType: nosuchmsg"),
    ],
)
async def test_the_refusal_names_the_subject(world, kind, message):
    payload = base64.b64encode(json.dumps({"msgtype": kind}).encode()).decode()
    signature = PrivateKey("1" * 64).sign(payload)
    body = json.dumps({"payloadtype": kind, "payload": payload, "signature": signature})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app(world.server))) as client:
        reply = await client.post("http://colony/api", content=body)
    refusal = json.loads(base64.b64decode(reply.json()["payload"]))
    assert (reply.status_code, refusal) == (403, {"status": 403, "message": message})
