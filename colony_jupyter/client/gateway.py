"""What an HTTP response means that is not an answer from ColonyOS: a gateway or proxy in front of it answered instead.

A gateway that cannot reach the server, or limits the rate of requests, is no different from a cut connection: whether
the call was carried out is unknown, and it may be tried again. Answers that stay the same however often the call is
repeated are named, final errors.
"""

from __future__ import annotations

import email.utils
import html
import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from colony_jupyter.errors import ColonyError, GatewayRefused, RequestTooLarge, ServerUnreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_REFUSALS: Final = frozenset({400, 401, 403, 407})
_TITLE: Final = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_LIMIT: Final = re.compile(rb"may have (\d{1,18}) bytes")  # the embedded colony states its limit
_SHOWN: Final = 100
_TOO_LARGE: Final = 413


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
        address, answer, sent=True, status=status, retry_after=_retry_after(headers.get("retry-after", ""), now)
    )


def proxy_error(text: str, *, address: str, call: str, proxy: str = "") -> ColonyError:
    """Return the error for a forward proxy that refused to connect to the server.

    Args:
        text: what the HTTP library reports: status and reason of the proxy's response.
        address: ``host:port`` that was called.
        call: message type of the call.
        proxy: environment variable that names the proxy.
    """
    digits = text[:3]
    answer = f"the proxy answered the request to connect with {text}"
    if digits.isdecimal() and int(digits) in _REFUSALS:
        return GatewayRefused(int(digits), answer, call, address=address, proxy=proxy)
    return ServerUnreachable(address, answer)


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


def _retry_after(text: str, now: datetime) -> float:
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
