"""With what a client shows who it is: files that its environment names.

    PAIRSTREAM_CURVE_KEY     the client's secret CURVE key          zmq://, tcp://, ipc://, shm://
    PAIRSTREAM_CURVE_SERVER  the workers' public CURVE key
    PAIRSTREAM_TLS_CERT      the client's certificate, PEM          grpc://, and `synth-server status`
    PAIRSTREAM_TLS_KEY       its key
    PAIRSTREAM_TLS_CA        the authority that signed the workers' certificates
    PAIRSTREAM_TLS_NAME      the name in the workers' certificates, if it is not the host of their URL

So a URL stays free of secrets, and a trainer needs no further flags. A program may pass `Credentials` to `connect`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pairstream.errors import ConfigError

if TYPE_CHECKING:  # what reads the files loads pyzmq and grpc, of which a client needs one at most
    from pairstream.curve import CurvePair
    from pairstream.tls import Identity

_PREFIX = "PAIRSTREAM_"


@dataclass(frozen=True, kw_only=True)
class CurveClient:
    """A client's own keys, and the public key of its workers."""

    pair: CurvePair
    server: bytes


@dataclass(frozen=True, kw_only=True)
class TlsClient:
    """A client's identity, and the name that its workers must have; empty for the host of their URL."""

    identity: Identity
    name: str


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Paths of key files, and a name; empty where there is none. Without any, nothing is encrypted.

    Raises:
        ConfigError: some of what belongs together is missing.
    """

    curve_key: str = ""
    curve_server: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    tls_ca: str = ""
    tls_name: str = ""

    def __post_init__(self) -> None:
        for names in (("curve_key", "curve_server"), ("tls_cert", "tls_key", "tls_ca")):
            missing = [name for name in names if not getattr(self, name)]
            if missing and len(missing) < len(names):
                needed = " and ".join(_PREFIX + name.upper() for name in missing)
                raise ConfigError(f"{needed} must be set as well, to a file of `synth-server keys`")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Credentials:
        """Those that these variables name."""
        return cls(**{field.name: environment.get(_PREFIX + field.name.upper(), "") for field in fields(cls)})

    @cached_property
    def curve(self) -> CurveClient | None:
        """The keys for ZeroMQ; None if there are none. Raises ConfigError if a file is of no use."""
        from pairstream.curve import CurvePair, read_public  # noqa: PLC0415

        if not self.curve_key:
            return None
        return CurveClient(pair=CurvePair.read(Path(self.curve_key)), server=read_public(Path(self.curve_server)))

    @cached_property
    def tls(self) -> TlsClient | None:
        """The identity for gRPC; None if there is none. Raises ConfigError if a file is of no use."""
        from pairstream.tls import Identity, TlsFiles  # noqa: PLC0415

        if not self.tls_cert:
            return None
        files = TlsFiles(cert=Path(self.tls_cert), key=Path(self.tls_key), ca=Path(self.tls_ca))
        return TlsClient(identity=Identity.read(files, worker=False), name=self.tls_name)


#: The null object: nothing is shown and nothing is encrypted.
NONE = Credentials()
