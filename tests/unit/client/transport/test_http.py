"""What becomes of one HTTP response: a reply, a refusal, no answer, or a named refusal of a gateway. No server runs."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from colony_jupyter import settings
from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.client.connection import Scope
from colony_jupyter.client.transport.adapter import ProxyRefused, Response
from colony_jupyter.client.transport.endpoint import Endpoint, ServerAddress
from colony_jupyter.client.transport.http import Transport, persist_once
from colony_jupyter.errors import (
    AccessDenied,
    EmbeddedError,
    GatewayRefused,
    ProtocolError,
    RequestTooLarge,
    ServerRefused,
    ServerUnreachable,
    UsageError,
)
from colony_jupyter.wire.envelope import seal_refusal, seal_reply

PLACE = settings.resolve(
    {
        "COLONIES_SERVER_HOST": "colony.example",
        "COLONIES_SERVER_PORT": "80",
        "COLONIES_TLS": "false",
        "COLONIES_COLONY_NAME": "c",
        "COLONIES_PRVKEY": "1f" * 32,
    }
)
PAGE = b"<html><head><title>502 Bad &amp; Gateway</title></head><body>nginx</body></html>"


class Always:
    """Answers every request with the same response, or raises.

    Args:
        outcome: the response, or the error to raise.
    """

    def __init__(self, outcome) -> None:
        self.outcome = outcome
        self.times_closed = 0

    async def post(self, server, body, *, seconds):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def aclose(self):
        self.times_closed += 1


def answering(status, body=b"", headers=None):
    """Return a colony whose every call gets this response."""
    return AsyncColony(PLACE, transport=Always(Response(status, headers or {}, body)))


async def failing(status, body=b"", headers=None):
    """Return the error that a call raises."""
    async with answering(status, body, headers) as colony:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - each test states the class
            await colony.executors()
    return caught.value


async def test_a_reply_is_read_whatever_its_status():
    async with answering(502, seal_reply("x", [])) as colony:
        assert await colony.executors() == []


@pytest.mark.parametrize("status", [403, 404, 500, 503])
async def test_an_error_envelope_of_colonyos_stays_a_refusal(status):
    error = await failing(status, seal_refusal(status, "words"))
    assert isinstance(error, AccessDenied if status == 403 else ServerRefused)
    assert (error.status, error.message) == (status, "words")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, b"slow down"),
        (502, PAGE),
        (503, b""),
        (504, PAGE),
        (200, PAGE),
        (200, b""),
        (200, seal_reply("x", [])[:-9]),
        (404, b"default backend - 404"),
        (500, PAGE),
    ],
)
async def test_what_is_no_envelope_is_no_answer_and_the_call_may_have_been_carried_out(status, body):
    error = await failing(status, body)
    assert isinstance(error, ServerUnreachable)
    assert (error.sent, error.status, error.address) == (True, status, "colony.example:80")
    assert str(error).startswith(f"No answer from ColonyOS at colony.example:80: HTTP {status} ")


async def test_the_sentence_quotes_the_gateway_and_the_title_of_its_page():
    error = await failing(502, PAGE, {"server": "nginx/1.26"})
    assert "HTTP 502 Bad Gateway from nginx/1.26 with a page titled '502 Bad & Gateway'." in str(error)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), (" 30 ", 30), ("", 0), ("soon", 0), ("-1", 0), ("9" * 50, 999999999)]
)
async def test_retry_after_in_seconds(header, seconds):
    assert (await failing(503, PAGE, {"retry-after": header})).retry_after == seconds


async def test_retry_after_as_a_date():
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    assert 15 < (await failing(503, PAGE, {"retry-after": at})).retry_after <= 20


@pytest.mark.parametrize("body", [b"", b"null"])
async def test_a_crashed_handler_of_colonyos_is_an_error_of_its_own(body):
    error = await failing(500, body)
    assert isinstance(error, ProtocolError)


async def test_too_large_names_the_size_and_the_limit():
    error = await failing(413, PAGE)
    assert isinstance(error, RequestTooLarge)
    assert error.limit is None
    assert error.size > 100
    assert "client_max_body_size" in str(error)
    stated = await failing(413, b"a request may have 33554432 bytes\n")
    assert stated.limit == 32 * 1024 * 1024
    assert "the limit is 32.0 MiB" in str(stated)


@pytest.mark.parametrize(
    ("status", "headers", "remedy"),
    [
        (301, {"location": "https://colony.example/api"}, "use TLS"),
        (302, {"location": "http://other.example/login"}, "redirects to http://other.example/login"),
        (401, {}, "requires a login of its own"),
        (407, {}, "HTTP_PROXY"),
        (403, {}, "ask the gateway's administrator"),
    ],
)
async def test_a_gateway_that_refuses_is_named_with_a_remedy(status, headers, remedy):
    error = await failing(status, PAGE, headers)
    assert isinstance(error, GatewayRefused)
    assert error.status == status
    assert remedy in str(error)


async def test_plain_http_to_a_tls_port_names_tls():
    error = await failing(400, b"Client sent an HTTP request to an HTTPS server.\n")
    assert isinstance(error, GatewayRefused)
    assert "set COLONIES_TLS=true" in str(error)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("407 Proxy Authentication Required", GatewayRefused), ("502 Bad Gateway", ServerUnreachable)],
)
async def test_a_proxy_that_refuses_to_connect(text, kind):
    async with AsyncColony(PLACE, transport=Always(ProxyRefused(text, int(text[:3])))) as colony:
        with pytest.raises(kind, match=text):
            await colony.executors()


async def test_a_closed_client_raises_and_its_carrier_is_closed():
    adapter = Always(Response(200, {}, seal_reply("x", [])))
    colony = AsyncColony(PLACE, transport=adapter)
    async with colony:
        await colony.executors()
    assert adapter.times_closed == 1
    with pytest.raises(UsageError, match="closed"):
        await colony.executors()


async def outcome_of(replies, *, is_done):
    asked = []

    async def call():
        reply = replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def found():
        asked.append(True)
        return is_done

    try:
        return await persist_once(call, found), len(asked)
    except ServerRefused as refusal:
        return refusal, len(asked)


class TestPersistingOnce:
    """A call that a second one may not repeat: `close` and `fail` of a process."""

    async def test_a_refusal_after_a_lost_answer_is_success_if_the_first_call_was_carried_out(self):
        lost, refusal = ServerUnreachable("x:1", "cut", sent=True), ServerRefused(400, "Process is not running")
        assert await outcome_of([lost, refusal], is_done=True) == (None, 1)
        assert await outcome_of([lost, refusal], is_done=False) == (refusal, 1)

    async def test_a_refusal_of_the_first_call_is_raised(self):
        refusal = ServerRefused(400, "Process is not running")
        assert await outcome_of([refusal], is_done=True) == (refusal, 0)
        unsent = ServerUnreachable("x:1", "refused")
        assert await outcome_of([unsent, refusal], is_done=True) == (refusal, 0)

    async def test_an_answer_is_returned_after_failures(self):
        lost = ServerUnreachable("x:1", "HTTP 503", sent=True, status=503)
        assert await outcome_of([lost, lost, {"a": 1}], is_done=False) == ({"a": 1}, 0)


class Starting(Endpoint):
    """The address of an embedded colony that starts while a test waits.

    Args:
        error: why it cannot be started; None if it can.
    """

    def __init__(self, error=None) -> None:
        super().__init__(PLACE)
        self.error = error
        self.may_go_on = asyncio.Event()
        self.times_asked = 0

    async def server(self):
        self.times_asked += 1
        await self.may_go_on.wait()
        if self.error is not None:
            raise self.error
        return ServerAddress("colony.example", 80, tls=False)


@pytest.mark.parametrize("error", [None, EmbeddedError("it does not start")])
async def test_the_library_is_loaded_while_an_embedded_colony_starts(monkeypatch, error):
    endpoint, loaded = Starting(error), []
    monkeypatch.setattr("colony_jupyter.client.transport.http.raise_limit", lambda: loaded.append(endpoint.times_asked))
    transport = Transport(endpoint, Scope(), Always(Response(200, {}, seal_reply("x", []))))
    finding = asyncio.create_task(transport.find_server())
    for _ in range(5):
        await asyncio.sleep(0)
    assert loaded == [1]
    assert not finding.done()
    endpoint.may_go_on.set()
    with contextlib.nullcontext() if error is None else pytest.raises(EmbeddedError, match="it does not start"):
        await finding
    await transport.aclose()


async def test_finding_the_server_can_be_given_up():
    transport = Transport(Starting(), Scope(), Always(Response(200, {}, b"")))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await transport.find_server()
    assert {task for task in asyncio.all_tasks() if task is not asyncio.current_task()} == set()
    await transport.aclose()
