"""The locks on a worker's doors: which files of keys it was given, and what is made of them when it starts.

Loads nothing heavy, since the settings use it. CURVE is for ZeroMQ, TLS for gRPC; either may be missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pairstream.errors import ConfigError

if TYPE_CHECKING:
    from synth_server.gates import Gate
    from synth_server.grpc_lock import GrpcLock


@dataclass(frozen=True, kw_only=True)
class Locks:
    """Paths of key files; empty where there is none.

    Raises:
        ConfigError: some of what belongs together is missing.
    """

    curve_key: str
    curve_allowed: str
    tls_cert: str
    tls_key: str
    tls_ca: str

    def __post_init__(self) -> None:
        for names in (("curve_key", "curve_allowed"), ("tls_cert", "tls_key", "tls_ca")):
            missing = [name for name in names if not getattr(self, name)]
            if missing and len(missing) < len(names):
                given = next(name for name in names if name not in missing)
                flags = " and ".join("--" + name.replace("_", "-") for name in missing)
                raise ConfigError(f"{given}={getattr(self, given)!r} needs {flags} as well; see `synth-server keys`")

    @property
    def curve(self) -> bool:
        """Whether ZeroMQ is locked."""
        return bool(self.curve_key)

    @property
    def tls(self) -> bool:
        """Whether gRPC is locked."""
        return bool(self.tls_cert)

    def gate(self) -> Gate:
        """Who may come in over ZeroMQ. Raises ConfigError if a file is of no use."""
        from pairstream.curve import CurvePair  # noqa: PLC0415 – only what is asked for is loaded
        from synth_server.gates import AllowList, CurveGate, OpenGate  # noqa: PLC0415

        if not self.curve:
            return OpenGate()
        return CurveGate(CurvePair.read(Path(self.curve_key)), AllowList(Path(self.curve_allowed)))

    def grpc_lock(self) -> GrpcLock:
        """What is before the gRPC port. Raises ConfigError likewise."""
        from pairstream.tls import TlsFiles  # noqa: PLC0415
        from synth_server.grpc_lock import NoGrpcLock, TlsLock  # noqa: PLC0415

        if not self.tls:
            return NoGrpcLock()
        return TlsLock(TlsFiles(cert=Path(self.tls_cert), key=Path(self.tls_key), ca=Path(self.tls_ca)))
