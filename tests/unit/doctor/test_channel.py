"""The doctor's line on a channel, for each way in which an entry comes back or does not; without sockets."""

from __future__ import annotations

import contextlib
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from colony_jupyter.client.transport.frames import Frames
from colony_jupyter.doctor import Mark, channel
from colony_jupyter.errors import ServerUnreachable, WebSocketRefused
from colony_jupyter.wire.models import Entry

if TYPE_CHECKING:
    from collections.abc import Callable


def entry(text: str) -> Entry:
    return Entry(sequence=1, senderid="1" * 64, timestamp="t", payload=text.encode())


class Channel:
    """A channel and its log.

    Args:
        keeps: whether what is sent gets into the log.
    """

    name = "doctor"

    def __init__(self, *, keeps: bool = True) -> None:
        self.sent: list[str] = []
        self._keeps = keeps
        self.on_send: Callable[[], None] = lambda: None

    async def send(self, text: str) -> None:
        self.sent.append(text)
        self.on_send()

    async def read(self) -> list[Entry]:
        return [entry(text) for text in self.sent] if self._keeps else [entry("another")]


async def examined(monkeypatch, made: Channel, *, refusal=None, delivers=False, proxy=None):
    """Check a channel whose WebSocket is refused, delivers what is sent, or is cut at once; return the finding."""

    @contextlib.asynccontextmanager
    async def subscription(endpoint, message, key, shape):
        if refusal is not None:
            raise refusal
        assert (message.processid, message.name) == ("p", "doctor")
        frames: Frames[list[Entry]] = Frames()

        def answer() -> None:
            frames.put([[entry("another")]])
            if delivers:
                frames.put([[entry("another"), *(entry(text) for text in made.sent)]])
            frames.end()

        made.on_send = answer
        yield frames

    monkeypatch.setattr(channel, "subscription", subscription)
    colony = SimpleNamespace(endpoint=None, key=None, settings=SimpleNamespace(proxy=proxy))
    process: Any = SimpleNamespace(processid="p", colony=colony, channel=lambda name: made)
    return await channel.round_trip(process, "doctor")


async def test_an_entry_that_comes_back_among_others_is_fine(monkeypatch):
    finding = await examined(monkeypatch, made := Channel(), delivers=True)
    assert (finding.mark, finding.subject) == (Mark.FINE, "channel")
    assert re.fullmatch(r"an entry comes back after \d+ ms", finding.text)
    assert len(made.sent) == 1


async def test_an_entry_that_only_the_log_has_is_sent_once(monkeypatch):
    finding = await examined(monkeypatch, made := Channel())
    assert finding.mark is Mark.WARNING
    assert finding.text.startswith(
        "no entry came over a WebSocket within 3 s, so streams and panes receive entries late;"
    )
    assert "the entry is in the log. A gateway must pass WebSockets on" in finding.text
    assert len(made.sent) == 1


@pytest.mark.parametrize(
    ("refusal", "clause"),
    [
        (ServerUnreachable("h:1", "connection reset"), "no WebSocket can be opened: connection reset"),
        (WebSocketRefused("h:1", "Bad Gateway", by="h:1", status=502), "WebSocket refused by h:1 (502)"),
    ],
)
async def test_without_a_websocket_the_entry_is_sent_by_a_call_and_read_from_the_log(monkeypatch, refusal, clause):
    finding = await examined(monkeypatch, made := Channel(), refusal=refusal)
    assert finding.mark is Mark.WARNING
    assert finding.text.startswith(f"streams and panes poll, and receive entries up to 2 s late: {clause}; calls over")
    assert finding.text.endswith("docs/nginx.conf).")
    assert "NO_PROXY" not in finding.text
    assert len(made.sent) == 1


async def test_a_proxy_is_named_by_what_sets_it(monkeypatch):
    refusal = WebSocketRefused("h:1", "Forbidden", by="the proxy p:2", status=403)
    finding = await examined(monkeypatch, Channel(), refusal=refusal, proxy=SimpleNamespace(source="HTTPS_PROXY"))
    assert "or NO_PROXY must exclude the server (HTTPS_PROXY is set)" in finding.text


@pytest.mark.parametrize("refusal", [None, ServerUnreachable("h:1", "connection reset")])
async def test_an_entry_that_is_not_in_the_log_either_is_a_failure(monkeypatch, refusal):
    finding = await examined(monkeypatch, Channel(keeps=False), refusal=refusal)
    assert finding.mark is Mark.FAILURE
    assert finding.text.endswith("and an entry that was sent is not in the log.")
