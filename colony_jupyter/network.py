"""Addresses of servers and proxies, as users write them and as the environment names them.

Libraries read the variables of proxies themselves, in different orders, and some values make them raise errors of their
own. So the variables are evaluated here, and calls and WebSockets receive the same proxy or none.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from colony_jupyter.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

CA_FILE: Final = "SSL_CERT_FILE"
KEY_LOG: Final = "SSLKEYLOGFILE"

MAX_PORT: Final = 65535
_SCHEMES: Final = {"http": False, "https": True, "ws": False, "wss": True}
_PATHS: Final = frozenset({"", "/", "/api", "/api/"})
_HTTP_PROXIES: Final = frozenset({"http", "https"})
_SOCKS_PROXIES: Final = frozenset({"socks5", "socks5h"})
_SOCKS_MODULES: Final = ("aiohttp_socks", "python_socks")
"""Calls need the first, websockets the second, which the first depends on."""
_MAX_HOST: Final = 253


@dataclass(frozen=True)
class Address:
    """Address of a server as a user writes it.

    Attributes:
        host: name or IP address, without brackets.
        port: None if none is given.
        tls: whether the scheme asks for TLS; None without a scheme.
    """

    host: str
    port: int | None = None
    tls: bool | None = None


@dataclass(frozen=True)
class Proxy:
    """Proxy that the environment names for a server.

    Attributes:
        url: its URL, which may contain a password and is therefore not shown.
        shown: its URL without user name and password.
        source: the environment variable that names it.
    """

    url: str = field(repr=False)
    shown: str
    source: str

    @property
    def is_tls(self) -> bool:
        """Whether the connection to the proxy itself uses TLS."""
        return self.url.startswith("https:")

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS."""
        return self.url.partition(":")[0] in _SOCKS_PROXIES


def authority(host: str, port: int) -> str:
    """Return ``HOST:PORT`` as it is part of a URL: an IPv6 address is in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_address(text: str, source: str) -> Address:
    """Read ``HOST``, ``HOST:PORT`` or a URL of either; an IPv6 address with a port is in brackets.

    Args:
        text: the address.
        source: the name of the variable or argument, for the message.

    Raises:
        SettingsError: naming the source, the text and what is wrong with it.
    """
    try:
        tls, rest = _split_scheme(text.strip())
        host, number = _split_port(rest)
    except _Unusable as error:
        raise SettingsError(
            f"{source} is '{text}': {error}. Write HOST or HOST:PORT, such as localhost:50080."
        ) from None
    return Address(host, number, tls)


class _Unusable(Exception):
    """What is wrong with an address."""


def _split_scheme(text: str) -> tuple[bool | None, str]:
    """Return whether the scheme of a URL asks for TLS, and the rest; None for an address without a scheme."""
    scheme, found, rest = text.partition("://")
    if not found:
        return None, text
    if scheme.lower() not in _SCHEMES:
        raise _Unusable(f"a server of ColonyOS is not addressed by {scheme}://")
    rest, slash, path = rest.partition("/")
    if slash + path not in _PATHS:
        raise _Unusable(f"the path {slash}{path} does not belong to the address")
    return _SCHEMES[scheme.lower()], rest


def _split_port(text: str) -> tuple[str, int | None]:
    """Split ``HOST:PORT``; the port is None if there is none."""
    if is_ip(text):
        return text, None
    host, colon, digits = text.rpartition(":")
    number = port_number(digits)
    if not colon or text.endswith("]"):
        host, number = text, None
    elif number is None:
        raise _Unusable(f"the port must be a number from 1 to {MAX_PORT}")
    if host.startswith("["):
        host = host.removeprefix("[").removesuffix("]")
        if not is_ip(host):
            raise _Unusable(f"'{host}' in brackets is not an IPv6 address")
    elif ":" in host:
        raise _Unusable("an IPv6 address with a port belongs in brackets, such as [::1]:50080")
    if fault := _fault_of_host(host):
        raise _Unusable(fault)
    return host, number


def _fault_of_host(host: str) -> str:
    """Return what is wrong with the name of a host; empty if nothing is."""
    if not host:
        return "the name of the host is missing"
    if not all(character.isalnum() or character in "-._:%" for character in host):
        return "the name of the host contains a character that no host has"
    if not is_ip(host) and host.replace(".", "").isdecimal():
        return f"{host} is not an IPv4 address"
    try:
        fits = len(host.encode("idna")) <= _MAX_HOST
    except UnicodeError:
        fits = False
    return "" if fits or is_ip(host) else "the name of the host has an empty or too long part"


def port_number(text: str) -> int | None:
    """Return the number of a port from 1 to 65535; None for any other text."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_PORT))):
        return None
    return int(text) if 0 < int(text) <= MAX_PORT else None


def is_ip(text: str) -> bool:
    """Return whether a text is an IPv4 or IPv6 address."""
    return _ip(text) is not None


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def find_proxy(host: str, port: int, *, tls: bool, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for a server; None to connect directly.

    ``NO_PROXY`` is evaluated first: no variable is read for a server that it excludes. Lower-case names precede
    upper-case ones.

    Raises:
        SettingsError: naming the variable of a proxy that cannot be used.
    """
    if _is_excluded(host, port, _value(environ, "no_proxy")[1]):
        return None
    for wanted in ("https_proxy" if tls else "http_proxy", "all_proxy"):
        name, text = _value(environ, wanted)
        if text:
            return _checked_proxy(name, text)
    return None


def _value(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    for each in (name, name.upper()):
        if text := environ.get(each, "").strip():
            return each, text
    return name, ""


def _is_excluded(host: str, port: int, no_proxy: str) -> bool:
    return any(_excludes(entry.strip().lower(), host.lower(), port) for entry in no_proxy.split(","))


def _excludes(entry: str, host: str, port: int) -> bool:
    """Return whether one entry of ``NO_PROXY`` covers a server: a domain, an address, a network, or ``*``."""
    if not entry or entry == "*":
        return bool(entry)
    address = _ip(host)
    if "/" in entry:
        try:
            return address is not None and address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    if not is_ip(entry):
        name, colon, number = entry.rpartition(":")
        if colon and number.isdecimal():
            if int(number) != port:
                return False
            entry = name
    entry = entry.removeprefix("[").removesuffix("]")
    if address is not None:
        return _ip(entry) == address
    domain = entry.removeprefix("*").removeprefix(".")
    return host == domain or host.endswith(f".{domain}")


def _checked_proxy(name: str, text: str) -> Proxy:
    given = text if "://" in text else f"http://{text}"
    scheme = given.partition("://")[0].lower()
    advice = "Correct it, or add the server to NO_PROXY"
    if scheme in _SOCKS_PROXIES:
        if any(importlib.util.find_spec(module) is None for module in _SOCKS_MODULES):
            raise SettingsError(
                f"{name} names a SOCKS proxy, which needs a further package: pip install aiohttp-socks. "
                "Or add the server to NO_PROXY."
            )
    elif scheme not in _HTTP_PROXIES:
        raise SettingsError(
            f"{name} begins with {scheme}://, which is not supported: use http://, https://, socks5:// or socks5h://. "
            f"{advice}."
        )
    try:
        parts = urlsplit(given)
        host, port = parts.hostname or "", parts.port or _default_port(scheme)
        usable = parts.port != 0 and not _fault_of_host(host)
    except ValueError:
        usable = False
    if not usable:  # the text itself is not shown: it may contain a password
        raise SettingsError(f"{name} is not the address of a proxy, such as http://proxy.example:3128. {advice}.")
    user, found, _ = parts.netloc.rpartition("@")
    credentials = f"{user}{'' if ':' in user else ':'}{found}" if found else ""  # websockets demands a password
    place = authority(host, port)
    return Proxy(f"{scheme}://{credentials}{place}", f"{scheme}://{place}", name)


def _default_port(scheme: str) -> int:
    return {"http": 80, "https": 443}.get(scheme, 1080)


def check_tls(environ: Mapping[str, str]) -> None:
    """Check the files that the environment names for TLS connections.

    Raises:
        SettingsError: naming the variable of a file that cannot be used.
    """
    import ssl  # noqa: PLC0415 - not needed without TLS

    if ca_file := environ.get(CA_FILE, "").strip():
        if not os.path.isfile(ca_file):  # noqa: PTH113 - a text of the environment may be no path at all
            raise SettingsError(f"{CA_FILE} names {ca_file}, which is not a file.")
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
        except OSError as error:
            why = "it contains no certificate in PEM format" if isinstance(error, ssl.SSLError) else error.strerror
            raise SettingsError(f"{CA_FILE} names {ca_file}, which cannot be used: {why}.") from None
    if key_log := environ.get(KEY_LOG, "").strip():
        try:
            with open(key_log, "ab"):  # noqa: PTH123 - likewise
                pass
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise SettingsError(f"{KEY_LOG} names {key_log}, which cannot be written: {why}. Unset it.") from None
