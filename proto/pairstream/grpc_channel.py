"""A channel to a worker's gRPC port, with or without TLS, and in plain words why none could be had."""

from __future__ import annotations

import os
from collections.abc import Sequence

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its C++ core would log beside the errors that we report

import grpc

from pairstream.credentials import TlsClient

Option = tuple[str, int]

#: What gRPC says of a handshake that failed, in part, and what that means.
_HANDSHAKES = (
    ("CERTIFICATE_EXPIRED", "it turned our certificate away, which has expired; make another with `synth-server keys`"),
    ("certificate has expired", "its certificate has expired; make another with `synth-server keys`"),
    ("UNKNOWN_CA", "it turned our certificate away, which its authority has not signed (PAIRSTREAM_TLS_CERT)"),
    ("CERTIFICATE_VERIFY_FAILED", "our authority has not signed its certificate (PAIRSTREAM_TLS_CA)"),
    ("CERTIFICATE_REQUIRED", "it wants a certificate of us; set PAIRSTREAM_TLS_CERT, _KEY and _CA"),
    ("Hostname Verification Check failed", "its certificate is for another host; set PAIRSTREAM_TLS_NAME to its name"),
    ("not in peer certificate", "its certificate is for another host; set PAIRSTREAM_TLS_NAME to its name"),
    ("WRONG_VERSION_NUMBER", "it does not speak TLS, and we must (PAIRSTREAM_TLS_CERT)"),
)


def open_channel(target: str, tls: TlsClient | None, options: Sequence[Option] = ()) -> grpc.Channel:
    """A channel to HOST:PORT; `tls` are the identities by which both ends are known, None if nothing is encrypted."""
    if tls is None:
        return grpc.insecure_channel(target, options=options)
    name = [("grpc.ssl_target_name_override", tls.name)] if tls.name else []
    return grpc.secure_channel(target, tls.identity.channel(), options=[*options, *name])


def trouble(details: str | None, *, tls: bool) -> str:
    """Why a connection could not be had, from what gRPC says of it."""
    for said, meaning in _HANDSHAKES:
        if said in (details or ""):
            return f"{meaning} ({details})"
    if tls and "Socket closed" in (details or ""):
        return f"it broke the handshake off: PAIRSTREAM_TLS_CERT has expired, or is of another authority ({details})"
    hint = "" if tls else ", or it wants certificates (PAIRSTREAM_TLS_CERT, _KEY and _CA)"
    return f"nothing listens there that speaks gRPC{hint}, or the connection broke ({details})"
