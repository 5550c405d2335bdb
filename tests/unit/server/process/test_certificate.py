"""The certificate of `serve --tls`: what it is good for, when it is kept, when made anew."""

from __future__ import annotations

import datetime as dt
import ssl

import pytest
from cryptography import x509
from kernels import mode

from colony_jupyter.errors import EmbeddedError
from colony_jupyter.server.process import certificate

NAMES = ["localhost", "127.0.0.1", "::1", "a.example"]
NOW = dt.datetime.now(dt.UTC)


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """A handshake in memory; raises what the client has against it."""
    one, two = ssl.MemoryBIO(), ssl.MemoryBIO()
    left = client.wrap_bio(one, two, server_hostname=name)
    right = server.wrap_bio(two, one, server_side=True)
    for _ in range(4):
        for side in (left, right):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    left.getpeercert()


def strict(found) -> ssl.SSLContext:
    """As newer Pythons check by default."""
    context = ssl.create_default_context(cafile=str(found.authority))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def stored(path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_it_is_good_for_every_name(tmp_path, name):
    found = certificate.ensure(tmp_path / "tls", NAMES, NOW)
    shake_hands(found.context(), strict(found), name)


def test_it_is_valid_for_no_other_name_and_trusted_by_no_other_client(tmp_path):
    found = certificate.ensure(tmp_path / "tls", NAMES, NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(found.context(), strict(found), "b.example")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(found.context(), ssl.create_default_context(), "localhost")


def test_files_are_the_users_own_and_the_authoritys_key_is_nowhere(tmp_path):
    found = certificate.ensure(tmp_path / "tls", NAMES, NOW)
    assert mode(tmp_path / "tls") == "0o700"
    assert {path.name: mode(path) for path in (tmp_path / "tls").iterdir()} == {
        "authority.pem": "0o600",
        "server.pem": "0o600",
    }
    assert b"PRIVATE" not in found.authority.read_bytes()
    assert found.server.read_bytes().count(b"BEGIN PRIVATE KEY") == 1


def test_it_is_reused_while_it_is_valid(tmp_path):
    found = certificate.ensure(tmp_path / "tls", NAMES, NOW)
    before = found.server.read_bytes()
    certificate.ensure(tmp_path / "tls", NAMES[:2], NOW + dt.timedelta(days=300))
    assert found.server.read_bytes() == before


def test_it_is_made_anew_before_it_runs_out_and_for_a_new_name(tmp_path):
    found = certificate.ensure(tmp_path / "tls", NAMES, NOW)
    first = found.server.read_bytes()
    certificate.ensure(tmp_path / "tls", [*NAMES, "b.example"], NOW)
    second = found.server.read_bytes()
    assert first != second
    later = NOW + dt.timedelta(days=380)
    certificate.ensure(tmp_path / "tls", NAMES, later)
    assert stored(found.server).not_valid_after_utc > later + dt.timedelta(days=100)


def test_it_lasts_as_long_as_clients_allow_and_is_valid_by_a_slow_clock(tmp_path):
    """Some clients refuse a certificate of more than 398 days."""
    found = certificate.ensure(tmp_path / "tls", NAMES, NOW)
    for path in (found.authority, found.server):
        begin, end = stored(path).not_valid_before_utc, stored(path).not_valid_after_utc
        assert begin < NOW - dt.timedelta(minutes=30)
        assert dt.timedelta(days=365) < end - begin <= dt.timedelta(days=398)


def test_its_authority_can_make_no_other_one(tmp_path):
    found = certificate.ensure(tmp_path / "tls", NAMES, NOW)
    constraints = stored(found.authority).extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)


def test_the_key_of_another_certificate_is_replaced(tmp_path):
    found = certificate.ensure(tmp_path / "tls", NAMES, NOW)
    other = certificate.ensure(tmp_path / "other", NAMES, NOW)
    marker = "-----BEGIN PRIVATE KEY"
    own, _, _ = found.server.read_text().partition(marker)
    _, _, key = other.server.read_text().partition(marker)
    found.server.write_text(own + marker + key)
    certificate.ensure(tmp_path / "tls", NAMES, NOW)
    shake_hands(found.context(), strict(found), "localhost")


@pytest.mark.parametrize("name", ["authority.pem", "server.pem"])
@pytest.mark.parametrize("damage", ["missing", "torn", "another's"])
def test_what_does_not_fit_together_is_made_anew(tmp_path, name, damage):
    found = certificate.ensure(tmp_path / "tls", NAMES, NOW)
    other = certificate.ensure(tmp_path / "other", NAMES, NOW)
    path = tmp_path / "tls" / name
    if damage == "missing":
        path.unlink()
    elif damage == "torn":
        path.write_bytes(path.read_bytes()[:300])
    else:
        path.write_bytes((other.server.parent / name).read_bytes())
    certificate.ensure(tmp_path / "tls", NAMES, NOW)
    shake_hands(found.context(), strict(found), "localhost")


def test_a_folder_that_cannot_be_made_is_reported(tmp_path):
    (tmp_path / "tls").write_text("")
    with pytest.raises(EmbeddedError, match="cannot be used"):
        certificate.ensure(tmp_path / "tls", NAMES, NOW)
