"""The certificate of `serve --tls`: made once, stored, made anew when it expires or no longer names the server.

An authority of its own signs it and is forgotten: its key is never stored, so who trusts the authority
(``SSL_CERT_FILE``) trusts this one server and nothing that is signed later.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from colony_jupyter.datafolder.layout import PRIVATE_FOLDER, write_private
from colony_jupyter.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LIFE: Final = dt.timedelta(days=397)
_RENEWED: Final = dt.timedelta(days=30)
"""Before it runs out."""
_SLOW_CLOCKS: Final = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Certificate:
    """A server's certificate on disk.

    Attributes:
        authority: PEM file for clients to trust.
        server: PEM file of certificate and private key.
    """

    authority: Path
    server: Path

    def context(self) -> ssl.SSLContext:
        """Make the server's TLS context."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.server)
        return context


def ensure(folder: Path, names: Iterable[str], now: dt.datetime) -> Certificate:
    """Return the certificate that a folder holds, or make one.

    Args:
        folder: where it is stored.
        names: host names and IP addresses it must be good for.
        now: the time, with its zone.

    Raises:
        EmbeddedError: if the folder cannot be used.
    """
    found = Certificate(folder / "authority.pem", folder / "server.pem")
    wanted = sorted(set(names))
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        if not _is_good(found, wanted, now):
            authority, server = _make(wanted, now)
            write_private(found.authority, authority)
            write_private(found.server, server)
    except OSError as error:
        raise EmbeddedError(f"The certificate in {folder} cannot be used: {error.strerror or error}.") from None
    return found


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _is_good(found: Certificate, names: list[str], now: dt.datetime) -> bool:
    try:
        authority = x509.load_pem_x509_certificate(found.authority.read_bytes())
        stored = found.server.read_bytes()
        server = x509.load_pem_x509_certificate(stored)
        key = serialization.load_pem_private_key(stored, password=None)
        server.verify_directly_issued_by(authority)
        has = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return (
        key.public_key() == server.public_key()
        and now + _RENEWED < server.not_valid_after_utc
        and {_general_name(name) for name in names} <= set(has)
    )


def _make(names: list[str], now: dt.datetime) -> tuple[str, str]:
    """Return the authority's certificate, and the server's with its key, as PEM."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    server_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "colony_jupyter, its own authority")])
    server_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "colony_jupyter")])
    authority_id = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    authority = (
        _dated(authority_name, authority_name, authority_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(authority_id, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    server = (
        _dated(server_name, authority_name, server_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(server_key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority_id), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    secret = server_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = serialization.Encoding.PEM
    return authority.public_bytes(pem).decode(), (server.public_bytes(pem) + secret).decode()


def _dated(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLOW_CLOCKS)
        .not_valid_after(now + _LIFE)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
