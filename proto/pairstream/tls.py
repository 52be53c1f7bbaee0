"""TLS for gRPC: the certificate by which an end is known, and the authority that it believes of the other end.

Both ends show a certificate (mutual TLS). What is in the files is looked at here, in a handshake in memory, so that
an expired certificate or one of another key is one clear line at the start and no riddle later.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its C++ core would log beside the errors that we raise

import grpc

from pairstream.errors import ConfigError
from pairstream.secret_files import read_file, read_secret


@dataclass(frozen=True, kw_only=True)
class TlsFiles:
    """PEM files: this end's certificate and its key, and the authority whose certificates are believed."""

    cert: Path
    key: Path
    ca: Path


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What is in the files."""

    cert: bytes
    key: bytes = field(repr=False)
    ca: bytes

    @classmethod
    def read(cls, files: TlsFiles, *, worker: bool) -> Identity:
        """The identity in the files, of a worker or of a client.

        Raises:
            ConfigError: a file cannot be read or holds something else, others may read the key, or the certificate
                has expired, is not valid yet, is for the other end or belongs to another key.
        """
        identity = cls(cert=read_file(files.cert), key=read_secret(files.key), ca=read_file(files.ca))
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=identity.ca.decode("ascii"))
        except (ssl.SSLError, ValueError) as error:
            raise ConfigError(f"{files.ca} holds no certificate of an authority: {_reason(error)}") from error
        try:
            _shake_hands(files, worker=worker)
        except (ssl.SSLError, ValueError) as error:
            remedy = "make new ones with `synth-server keys tls`"
            raise ConfigError(f"{files.cert} with {files.key} is of no use: {_reason(error)}; {remedy}") from error
        return identity

    def channel(self) -> grpc.ChannelCredentials:
        """For a client."""
        return grpc.ssl_channel_credentials(self.ca, self.key, self.cert)

    def server(self) -> grpc.ServerCertificateConfiguration:
        """For a worker."""
        return grpc.ssl_server_certificate_configuration([(self.key, self.cert)], self.ca)


def _shake_hands(files: TlsFiles, *, worker: bool) -> None:
    """Show the certificate to somebody who believes in it alone, but not in what is past.

    Raises:
        ssl.SSLError: it has expired, is not yet valid, is not of this key, or is none.
    """
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ours, theirs = (server, client) if worker else (client, server)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    server.load_cert_chain(files.cert, files.key, password="")  # a key with a password would ask the terminal for it
    ours.load_cert_chain(files.cert, files.key, password="")
    theirs.load_verify_locations(files.cert)
    theirs.verify_mode = ssl.CERT_REQUIRED
    theirs.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server)
    other = server.wrap_bio(to_server, to_client, server_side=True)
    for end in (one, other, one, other):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue


def _reason(error: Exception) -> str:
    return error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else str(error)
