"""Certificates for mutual TLS: an authority, and what it signs. What is done with them is `pairstream.tls`.

The one file that needs the package `cryptography`, an extra: whoever has certificates of another origin needs none.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from pairstream.errors import ConfigError

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError as error:
    raise ConfigError("the package cryptography makes certificates; run pip install 'pairstream[tls]'") from error

#: How far back a certificate is valid, for clocks that are slow.
_SLACK = timedelta(hours=1)
_AUTHORITY_DAYS = 3_650


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A certificate and its key, PEM."""

    cert: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Authority:
    """Signs certificates for workers and clients."""

    cert: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def new(cls, now: datetime) -> Self:
        """An authority that nobody knows yet."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("pairstream authority")
        usage = x509.KeyUsage(
            **dict.fromkeys(_USAGES, False) | {"digital_signature": True, "key_cert_sign": True, "crl_sign": True}
        )
        builder = _builder(name, name, key, now, _AUTHORITY_DAYS)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        return cls(cert=builder.add_extension(usage, critical=True).sign(key, hashes.SHA256()), key=key)

    @classmethod
    def read(cls, signed: Signed) -> Self:
        """The authority in these files.

        Raises:
            ConfigError: they hold something else.
        """
        try:
            key = serialization.load_pem_private_key(signed.key, None)
            cert = x509.load_pem_x509_certificate(signed.cert)
        except (ValueError, TypeError) as error:
            raise ConfigError(f"the authority's certificate or key cannot be read: {error}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ConfigError("the authority's key is not one that `synth-server keys tls` made; choose another folder")
        return cls(cert=cert, key=key)

    @property
    def signed(self) -> Signed:
        """Its own certificate and key."""
        return Signed(cert=self.cert.public_bytes(serialization.Encoding.PEM), key=_pem(self.key))

    def worker(self, hosts: Sequence[str], now: datetime, days: int) -> Signed:
        """A worker's certificate, for these names and addresses."""
        return self._sign("pairstream worker", hosts, ExtendedKeyUsageOID.SERVER_AUTH, now, days)

    def client(self, name: str, now: datetime, days: int) -> Signed:
        """A client's certificate."""
        return self._sign(name, [name], ExtendedKeyUsageOID.CLIENT_AUTH, now, days)

    def _sign(self, name: str, hosts: Sequence[str], usage: x509.ObjectIdentifier, now: datetime, days: int) -> Signed:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(name), self.cert.subject, key, now, days)
        for extension in (
            x509.BasicConstraints(ca=False, path_length=None),
            x509.SubjectAlternativeName([_alternative(host) for host in hosts]),
            x509.ExtendedKeyUsage([usage]),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
        ):
            builder = builder.add_extension(extension, critical=False)
        cert = builder.sign(self.key, hashes.SHA256())
        return Signed(cert=cert.public_bytes(serialization.Encoding.PEM), key=_pem(key))


_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem: bytes = key.private_bytes(serialization.Encoding.PEM, form, plain)
    return pem
