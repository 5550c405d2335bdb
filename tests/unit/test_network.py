"""Addresses of servers and proxies, and the files for TLS that the environment names."""

from __future__ import annotations

import pytest

from colony_jupyter.errors import SettingsError
from colony_jupyter.network import Address, authority, check_tls, find_proxy, parse_address

HTTP = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost", Address("localhost")),
        ("localhost:50080", Address("localhost", 50080)),
        (" colony.example:1 ", Address("colony.example", 1)),
        ("colony_server-1:65535", Address("colony_server-1", 65535)),
        ("127.0.0.1:50080", Address("127.0.0.1", 50080)),
        ("::1", Address("::1")),
        ("[::1]", Address("::1")),
        ("[::1]:50080", Address("::1", 50080)),
        ("fe80::1%eth0", Address("fe80::1%eth0")),
        ("http://colony.example", Address("colony.example", None, tls=False)),
        ("HTTPS://colony.example:8443/", Address("colony.example", 8443, tls=True)),
        ("https://[::1]/api", Address("::1", None, tls=True)),
        ("wss://colony.example", Address("colony.example", None, tls=True)),
    ],
)
def test_an_address_is_parsed(text, address):
    assert parse_address(text, "HOST") == address


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("host:99999", "the port must be a number from 1 to 65535"),
        ("host:0", "the port must be"),
        ("host:", "the port must be"),
        ("host:many", "the port must be"),
        ("host:-1", "the port must be"),
        ("host:" + "9" * 5000, "the port must be"),
        ("host:٣", "the port must be"),
        (":50080", "the name of the host is missing"),
        ("", "the name of the host is missing"),
        ("a b", "contains a character that no host has"),
        ("user@host", "contains a character that no host has"),
        ("host/path", "contains a character that no host has"),
        ("a..b", "an empty or too long part"),
        ("x" * 64, "an empty or too long part"),
        ("x." * 200, "an empty or too long part"),
        ("300.1.1.1", "300.1.1.1 is not an IPv4 address"),
        ("[host]:1", "'host' in brackets is not an IPv6 address"),
        ("[::1", "in brackets"),
        ("fe80::zz:1", "an IPv6 address with a port belongs in brackets"),
        ("ftp://host", "is not addressed by ftp://"),
        ("https://host/colony", "the path /colony does not belong to the address"),
    ],
)
def test_an_address_that_is_wrong_is_quoted_with_the_reason(text, reason):
    with pytest.raises(SettingsError) as caught:
        parse_address(text, "COLONIES_SERVER_HOST")
    assert f"COLONIES_SERVER_HOST is '{text}'" in str(caught.value)
    assert reason in str(caught.value)
    assert "such as localhost:50080" in str(caught.value)


def test_the_authority_of_an_ipv6_address_has_brackets():
    assert [authority("::1", 80), authority("host", 443)] == ["[::1]:80", "host:443"]


def found(environ, host="colony.example", port=50080, *, tls=False):
    proxy = find_proxy(host, port, tls=tls, environ=environ)
    return None if proxy is None else (proxy.url, proxy.source)


@pytest.mark.parametrize(
    ("environ", "tls", "expected"),
    [
        ({}, False, None),
        ({"HTTP_PROXY": HTTP}, False, (HTTP, "HTTP_PROXY")),
        ({"HTTP_PROXY": HTTP}, True, None),
        ({"HTTPS_PROXY": HTTP}, True, (HTTP, "HTTPS_PROXY")),
        ({"https_proxy": HTTP, "HTTPS_PROXY": "http://other"}, True, (HTTP, "https_proxy")),
        ({"http_proxy": " ", "HTTP_PROXY": HTTP}, False, (HTTP, "HTTP_PROXY")),
        ({"ALL_PROXY": HTTP}, True, (HTTP, "ALL_PROXY")),
        ({"ALL_PROXY": "socks://desktop:1080", "HTTP_PROXY": HTTP}, False, (HTTP, "HTTP_PROXY")),
        ({"HTTP_PROXY": "proxy.example"}, False, ("http://proxy.example:80", "HTTP_PROXY")),
        ({"HTTP_PROXY": "https://proxy.example/"}, False, ("https://proxy.example:443", "HTTP_PROXY")),
        ({"HTTP_PROXY": "http://[::1]:3128"}, False, ("http://[::1]:3128", "HTTP_PROXY")),
        # websockets refuses a user without a password
        ({"HTTP_PROXY": "http://user@proxy.example:1"}, False, ("http://user:@proxy.example:1", "HTTP_PROXY")),
        ({"HTTP_PROXY": "http://u:p%40@proxy.example:1"}, False, ("http://u:p%40@proxy.example:1", "HTTP_PROXY")),
    ],
)
def test_the_proxy_for_a_server(environ, tls, expected):
    assert found(environ, tls=tls) == expected


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"ALL_PROXY": "socks://127.0.0.1:1080"}, "ALL_PROXY begins with socks://, which is not supported"),
        ({"all_proxy": "socks5://127.0.0.1:1080"}, "all_proxy names a SOCKS proxy, which needs a further package"),
        ({"HTTP_PROXY": "socks5h://127.0.0.1:1080"}, "pip install aiohttp-socks"),
        ({"HTTP_PROXY": "http://proxy:port"}, "HTTP_PROXY is not the address of a proxy"),
        ({"HTTP_PROXY": "http://proxy:0"}, "HTTP_PROXY is not the address of a proxy"),
        ({"HTTP_PROXY": "http://"}, "HTTP_PROXY is not the address of a proxy"),
        ({"HTTP_PROXY": "http://[::1"}, "HTTP_PROXY is not the address of a proxy"),
        ({"HTTP_PROXY": "http://a b"}, "HTTP_PROXY is not the address of a proxy"),
        ({"HTTP_PROXY": "http://me:secret@pro xy"}, "HTTP_PROXY is not the address of a proxy"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_an_error_that_names_its_variable(monkeypatch, environ, reason):
    monkeypatch.setattr("colony_jupyter.network.importlib.util.find_spec", lambda _: None)
    with pytest.raises(SettingsError) as caught:
        found(environ)
    assert reason in str(caught.value)
    assert "add the server to NO_PROXY" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert found({**environ, "NO_PROXY": "example"}) is None  # evaluated first


def test_socks_works_with_the_packages_that_it_needs(monkeypatch):
    monkeypatch.setattr("colony_jupyter.network.importlib.util.find_spec", lambda name: name)
    assert found({"ALL_PROXY": "socks5h://proxy.example"}) == ("socks5h://proxy.example:1080", "ALL_PROXY")


@pytest.mark.parametrize(
    ("no_proxy", "host", "port"),
    [
        ("*", "colony.example", 1),
        ("colony.example", "colony.example", 1),
        ("other, colony.example ,", "colony.example", 1),
        ("COLONY.example", "colony.EXAMPLE", 1),
        ("example", "colony.example", 1),
        (".example", "colony.example", 1),
        ("*.example", "colony.example", 1),
        ("colony.example:50080", "colony.example", 50080),
        ("127.0.0.0/8", "127.3.2.1", 1),
        ("127.0.0.1", "127.0.0.1", 1),
        ("127.0.0.1:80", "127.0.0.1", 80),
        ("fe80::/10", "fe80::1", 1),
        ("[::1]", "::1", 1),
        ("[::1]:80", "::1", 80),
        ("::1", "::1", 1),
        ("0:0:0:0:0:0:0:1", "::1", 1),
    ],
)
def test_no_proxy_excludes(no_proxy, host, port):
    assert found({"NO_PROXY": no_proxy, "HTTP_PROXY": HTTP}, host, port) is None


@pytest.mark.parametrize(
    ("no_proxy", "host", "port"),
    [
        ("", "colony.example", 1),
        ("ample", "colony.example", 1),
        ("colony.example:50081", "colony.example", 50080),
        ("127.0.0.0/8", "localhost", 1),
        ("10.0.0.0/8", "127.0.0.1", 1),
        ("fe80::/10", "127.0.0.1", 1),
        ("not/a/network", "127.0.0.1", 1),
        ("[::1]:81", "::1", 80),
        ("::1", "colony.example", 1),
    ],
)
def test_no_proxy_does_not_exclude(no_proxy, host, port):
    assert found({"no_proxy": no_proxy, "HTTP_PROXY": HTTP}, host, port) is not None


def test_a_proxy_shows_no_password():
    proxy = find_proxy("h", 1, tls=False, environ={"HTTP_PROXY": "http://me:secret@proxy.example:3128"})
    assert proxy.shown == HTTP
    assert "secret" not in repr(proxy)


def test_a_certificate_file_must_be_pem(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no certificate")
    folder = str(tmp_path)
    for path, reason in ((str(text), "no certificate in PEM format"), (folder, "not a file"), ("a\0b", "not a file")):
        with pytest.raises(SettingsError, match="SSL_CERT_FILE names") as caught:
            check_tls({"SSL_CERT_FILE": path})
        assert reason in str(caught.value)


def test_a_key_log_must_be_writable(tmp_path):
    check_tls({"SSLKEYLOGFILE": str(tmp_path / "keys.log")})
    for path in (str(tmp_path), str(tmp_path / "none" / "keys.log"), "a\0b"):
        with pytest.raises(SettingsError, match=r"SSLKEYLOGFILE names .*, which cannot be written"):
            check_tls({"SSLKEYLOGFILE": path})
