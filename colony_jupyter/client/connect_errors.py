"""Errors of connections that cannot be established: what was reported, and by which setting it can be corrected."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING, Final

from colony_jupyter.errors import ServerUnreachable
from colony_jupyter.network import CA_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from colony_jupyter.network import Proxy

# Errors of the operating system proper: those of TLS and of name resolution have a text of their own.
_SYSTEM_ERRORS: Final = (OSError, ConnectionRefusedError, ConnectionResetError, BrokenPipeError, TimeoutError)
_REQUESTS_CA_FILE: Final = "REQUESTS_CA_BUNDLE"
# Of OpenSSL's X509_V_ERR_*, which the ssl module does not name.
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_OTHER_NAMES: Final = frozenset({62, 64})


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
    return (str(cause) or str(error) or type(cause).__name__).strip().rstrip(".")


def _chain(error: BaseException) -> Iterator[BaseException]:
    below: BaseException | None = error
    while below is not None:
        yield below
        below = below.__cause__ or below.__context__
