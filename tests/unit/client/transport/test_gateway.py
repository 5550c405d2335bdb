"""Answers that are not ColonyOS's: named and final, or no answer at all."""

from __future__ import annotations

import errno
import ssl
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from colony_jupyter.client.transport import gateway
from colony_jupyter.errors import GatewayRefused, RequestTooLarge, ServerUnreachable

NOW = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)


def answered(status, headers=None, body=b"", **more):
    return gateway.no_answer(
        status, headers or {}, body, address="host:443", call="getprocessmsg", size=5_000, now=NOW, **more
    )


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 520, 200])
def test_the_server_did_not_answer_and_may_have_acted(status):
    error = answered(status, {"retry-after": "7"}, b"<html><title>Bad &amp; worse</title></html>")
    assert isinstance(error, ServerUnreachable)
    assert (error.sent, error.status, error.retry_after) == (True, status, 7)
    assert "a page titled 'Bad & worse'" in str(error)


@pytest.mark.parametrize("status", [301, 302, 308, 400, 401, 403, 407])
def test_a_final_answer_is_named(status):
    error = answered(status, {"location": "https://host/", "server": "nginx/1.27"}, b"no")
    assert isinstance(error, GatewayRefused)
    assert f"HTTP {status}" in str(error)


def test_a_request_that_is_too_large_has_both_sizes():
    error = answered(413, body=b"a request may have 1000 bytes")
    assert isinstance(error, RequestTooLarge)
    assert (error.size, error.limit) == (5_000, 1_000)
    unstated = answered(413, body=b"<title>413 Request Entity Too Large</title>")
    assert isinstance(unstated, RequestTooLarge)
    assert unstated.limit is None


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (407, "407 Proxy Authentication Required", GatewayRefused),
        (502, "502 Bad Gateway", ServerUnreachable),
        (0, "Host unreachable", ServerUnreachable),
    ],
)
def test_a_proxy_that_does_not_connect(status, text, kind):
    error = gateway.proxy_error(text, status, address="host:443", call="x", proxy="HTTPS_PROXY")
    assert isinstance(error, kind)
    assert text.partition(" ")[0] in str(error)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("120", 120),
        (" 3 ", 3),
        ("soon", 0),
        ("Fri, 27 Nov 2026 12:00:30 GMT", 30),
        ("Fri, 27 Nov 2026 12:00:30 -0000", 30),
        ("Fri, 27 Nov 2026 11:00:00 GMT", 0),
        ("9" * 30, 999_999_999),
    ],
)
def test_retry_after(text, seconds):
    assert gateway.retry_after(text, NOW) == seconds


def test_a_gateway_is_waited_for_a_minute_at_most():
    assert gateway.asked_to_wait(ServerUnreachable("host", "x", retry_after=500)) == 60
    assert gateway.asked_to_wait(ServerUnreachable("host", "x", retry_after=5)) == 5
    assert gateway.asked_to_wait(ValueError()) == 0


def untrusted(code):
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = code, "certificate problem."
    return error


@pytest.mark.parametrize(
    ("code", "environ", "remedy"),
    [
        (20, {}, "set SSL_CERT_FILE to a PEM file"),
        (20, {"SSL_CERT_FILE": "ca.pem"}, "SSL_CERT_FILE names ca.pem"),
        (20, {"REQUESTS_CA_BUNDLE": "ca.pem"}, "REQUESTS_CA_BUNDLE is set, but only SSL_CERT_FILE is used here"),
        (62, {}, "Use a name that the certificate contains"),
        (10, {}, "Check the clock"),
        (9, {}, "Check the clock"),
    ],
)
def test_a_certificate_that_is_not_trusted_names_the_remedy(code, environ, remedy):
    error = gateway.connect_error(untrusted(code), address="host:443", environ=environ)
    assert "the TLS certificate is not trusted (certificate problem)" in str(error)
    assert remedy in str(error)


def test_other_connections_that_fail():
    proxy = SimpleNamespace(shown="http://proxy:3128", source="HTTPS_PROXY", is_tls=True)
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 1)")
    assert "Connection refused" in str(gateway.connect_error(refused, address="host:1", environ={}))
    through = str(gateway.connect_error(refused, address="host:1", proxy=proxy, environ={}))
    assert "the proxy http://proxy:3128, which HTTPS_PROXY names, cannot be reached: Connection refused" in through
    assert "COLONIES_TLS" in str(gateway.connect_error(ssl.SSLError(1, "wrong version"), address="host:1", environ={}))
    whose = str(gateway.connect_error(untrusted(20), address="host:1", proxy=proxy, environ={}))
    assert "of the server or of the proxy http://proxy:3128" in whose


def test_the_reason_is_that_of_the_lowest_layer():
    above = RuntimeError()
    above.__cause__ = OSError(errno.EHOSTUNREACH, "hidden")
    assert gateway.reason(above) == "No route to host"
    assert gateway.reason(ValueError("text.")) == "text"
    assert gateway.reason(ValueError()) == "ValueError"
