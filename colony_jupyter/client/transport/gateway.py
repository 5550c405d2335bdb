"""Errors of calls that ColonyOS does not answer: no connection, or a gateway or proxy in front of it answered instead.

A gateway that cannot reach the server, or limits the rate of requests, is no different from a cut connection: whether
the call was carried out is unknown, and it may be tried again. Answers that stay the same however often the call is
repeated are named, final errors.
"""

from __future__ import annotations

import email.utils
import html
import os
import re
import ssl
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from colony_jupyter.channels.backoff import RETRY_SECONDS
from colony_jupyter.descriptors import DESCRIPTORS_REMEDY, TOO_MANY, are_exhausted
from colony_jupyter.errors import ColonyError, GatewayRefused, RequestTooLarge, ServerUnreachable
from colony_jupyter.network import CA_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from colony_jupyter.network import Proxy

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_REFUSALS: Final = frozenset({400, 401, 403, 407})
UNANSWERED: Final = frozenset({429, 502, 503, 504})
"""Statuses by which a gateway states that the server does not answer at the moment."""
_TITLE: Final = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_LIMIT: Final = re.compile(rb"may have (\d{1,18}) bytes")  # the embedded colony states its limit
_SHOWN: Final = 100
_TOO_LARGE: Final = 413

# Errors of the operating system proper: those of TLS and of name resolution have a text of their own.
_SYSTEM_ERRORS: Final = (OSError, ConnectionRefusedError, ConnectionResetError, BrokenPipeError, TimeoutError)
_SEVERAL: Final = re.compile(r"Multiple exceptions: .*\[Errno (\d+)\]")
"""What asyncio raises if none of a host's addresses can be connected to; the last of the system's errors is shown."""
_REQUESTS_CA_FILE: Final = "REQUESTS_CA_BUNDLE"
# Of OpenSSL's X509_V_ERR_*, which the ssl module does not name.
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_OTHER_NAMES: Final = frozenset({62, 64})


def no_answer(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    address: str,
    call: str,
    size: int,
    now: datetime,
    proxy: str = "",
) -> ColonyError:
    """Return the error for a response that holds no ColonyOS envelope.

    Args:
        status: HTTP status of the response.
        headers: its headers; names in lower case, or a mapping that ignores case.
        body: its body.
        address: ``host:port`` that was called.
        call: message type of the call.
        size: bytes of the request's body.
        now: the present time, with a time zone; for a ``Retry-After`` that holds a date.
        proxy: environment variable that names the proxy in use; empty without one.
    """
    answer = _describe(status, headers, body)
    if status == _TOO_LARGE:
        stated = _LIMIT.search(body)
        return RequestTooLarge(size, int(stated[1]) if stated else None, call, answer)
    if status in _REDIRECTS:
        return GatewayRefused(status, answer, call, address=address, location=headers.get("location", ""))
    if status in _REFUSALS:
        return GatewayRefused(status, answer, call, address=address, proxy=proxy)
    return ServerUnreachable(
        address, answer, sent=True, status=status, retry_after=retry_after(headers.get("retry-after", ""), now)
    )


def proxy_error(text: str, status: int, *, address: str, call: str, proxy: str = "") -> ColonyError:
    """Return the error for a forward proxy that refused to connect to the server.

    Args:
        text: what the proxy answered.
        status: the HTTP status of its answer; 0 if it has none.
        address: ``host:port`` that was called.
        call: message type of the call.
        proxy: environment variable that names the proxy.
    """
    answer = f"the proxy answered the request to connect with {text}"
    if status in _REFUSALS:
        return GatewayRefused(status, answer, call, address=address, proxy=proxy)
    return ServerUnreachable(address, answer)


def connect_error(
    error: BaseException, *, address: str, proxy: Proxy | None = None, environ: Mapping[str, str] | None = None
) -> ServerUnreachable:
    """Return the error for a connection that cannot be established.

    Args:
        error: what the HTTP or WebSocket library raised.
        address: ``host:port`` to connect to.
        proxy: the proxy in use; None if there is none.
        environ: environment variables; those of this process by default.
    """
    environ = os.environ if environ is None else environ
    if are_exhausted(error):
        return ServerUnreachable(address, TOO_MANY, remedy=DESCRIPTORS_REMEDY)
    for each in _chain(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            whose = f"of the server or of the proxy {proxy.shown} " if proxy is not None and proxy.is_tls else ""
            text = f"the TLS certificate {whose}is not trusted ({each.verify_message.rstrip('.')})"
            return ServerUnreachable(address, text, remedy=_certificate_remedy(each.verify_code, environ))
        if isinstance(each, ssl.SSLError):
            return ServerUnreachable(
                address, reason(error), remedy="Check the port, and whether the server uses TLS there (COLONIES_TLS)."
            )
    if proxy is not None:
        text = f"the proxy {proxy.shown}, which {proxy.source} names, cannot be reached: {reason(error)}"
        remedy = f"Correct {proxy.source}, or exclude the server by NO_PROXY."
        return ServerUnreachable(address, text, remedy=remedy)
    return ServerUnreachable(address, reason(error))


def _certificate_remedy(code: int, environ: Mapping[str, str]) -> str:
    if code in _OTHER_NAMES:
        return "Use a name that the certificate contains (COLONIES_SERVER_HOST), or let the server get another one."
    if code in (_EXPIRED, _NOT_YET_VALID):
        return "Check the clock of this machine, and ask the server's administrator to renew the certificate."
    present = environ.get(CA_FILE, "").strip()
    remedy = f"If you trust the server, set {CA_FILE} to a PEM file with the certificate of its authority."
    if present:
        remedy = f"{CA_FILE} names {present}, which does not contain the certificate of its authority: correct it."
    if environ.get(_REQUESTS_CA_FILE, "").strip():
        remedy += f" {_REQUESTS_CA_FILE} is set, but only {CA_FILE} is used here."
    return remedy


def reason(error: BaseException) -> str:
    """Return the message of the lowest layer; those above it are often empty, and asyncio hides the system's text."""
    *_, cause = _chain(error)
    if type(cause) in _SYSTEM_ERRORS and isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno)
    if several := _SEVERAL.match(str(cause)):
        return os.strerror(int(several[1]))
    return (str(cause) or str(error) or type(cause).__name__).strip().rstrip(".")


def _chain(error: BaseException) -> Iterator[BaseException]:
    below: BaseException | None = error
    while below is not None:
        yield below
        below = below.__cause__ or below.__context__


def _describe(status: int, headers: Mapping[str, str], body: bytes) -> str:
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    server = headers.get("server", "")
    by = f" from {server[:_SHOWN]}" if server else ""
    title = _TITLE.search(body)
    shown = " ".join(html.unescape((title[1] if title else body[: 4 * _SHOWN]).decode("utf-8", "replace")).split())
    if not body:
        content = "an empty body"
    elif title:
        content = f"a page titled '{shown[:_SHOWN]}'"
    else:
        content = f"'{shown[:_SHOWN]}'"
    return f"HTTP {status}{phrase}{by} with {content}"


def asked_to_wait(error: BaseException) -> float:
    """Return the seconds that a gateway asks to wait before the next request, at most a minute; 0 if it does not."""
    return min(error.retry_after, RETRY_SECONDS) if isinstance(error, ServerUnreachable) else 0.0


def retry_after(text: str, now: datetime) -> float:
    """Return the seconds that a ``Retry-After`` header asks to wait; 0 without one."""
    text = text.strip()
    if text.isdecimal():
        return float(text[:9])
    try:
        date = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return 0.0
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - now).total_seconds())
