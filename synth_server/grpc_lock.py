"""What is before the gRPC port: nothing, or TLS with certificates on both sides.

gRPC asks for the worker's certificate at every handshake. So files that were replaced count from the next one on, and
it is the time to look who is there (`tls_callers.py`).
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Final, Protocol, cast

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its C++ core would log every handshake that fails

import grpc

from pairstream.address import Address
from pairstream.errors import ConfigError
from pairstream.tls import Identity, TlsFiles
from synth_server.call_listener import CallListener
from synth_server.tcp_peers import peers_of_port
from synth_server.tls_callers import TlsCallers

_log = logging.getLogger(__name__)

#: Seconds between two looks at who is connected, while no handshake begins.
LOOK_SECONDS: Final = 1.0


class GrpcLock(Protocol):
    """What the gRPC server needs of it."""

    @property
    def interceptors(self) -> tuple[grpc.ServerInterceptor, ...]:
        """Who is to be told of every call."""

    def listen(self, server: grpc.Server, address: Address) -> int:
        """Add the port to the server; which it is. Raises RuntimeError if it is taken."""

    def close(self) -> None:
        """Nobody comes any more. Idempotent."""


class NoGrpcLock:
    """The null object: everybody comes in, and nothing is encrypted."""

    interceptors: tuple[grpc.ServerInterceptor, ...] = ()

    def listen(self, server: grpc.Server, address: Address) -> int:
        """A plain port."""
        return server.add_insecure_port(str(address))

    def close(self) -> None:
        """Nothing to close."""


class TlsLock:
    """Lets in whoever has a certificate of the authority, and logs once for each host that came and got nowhere.

    Args:
        files: the worker's certificate and key, and the authority.

    Raises:
        ConfigError: a file is of no use.
    """

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._read_at = self._changed_at()
        self._identity = Identity.read(files, worker=True)
        self._port = 0
        complaint = (
            "began a TLS handshake and left without asking anything: if it was a client, it has no certificate, one "
            f"that has expired or is not of the authority in {files.ca}, or it does not believe in that of this worker"
        )
        self._callers = TlsCallers(lambda: peers_of_port(self._port), complaint)
        self.interceptors: tuple[grpc.ServerInterceptor, ...] = (CallListener(self._callers.asked),)
        self._closed = Event()

    def listen(self, server: grpc.Server, address: Address) -> int:
        """A port with this lock."""
        renewed = cast("Callable[[], grpc.ServerCertificateConfiguration]", self._handshake)  # it may be None
        credentials = grpc.dynamic_ssl_server_credentials(self._identity.server(), renewed, True)
        self._port = server.add_secure_port(str(address), credentials)
        Thread(target=self._watch, name="tls callers", daemon=True).start()
        return self._port

    def close(self) -> None:
        """Nobody comes any more. Idempotent."""
        self._closed.set()

    def _handshake(self) -> grpc.ServerCertificateConfiguration | None:
        """On a thread of gRPC: one begins; the certificate to show, if it is a new one."""
        self._look()
        return self._renewed()

    def _watch(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            if len(self._callers):
                self._look()

    def _look(self) -> None:
        try:
            self._callers.look(time.monotonic())
        except OSError as error:  # out of file descriptors, perhaps
            _log.debug("cannot see who is connected: %s", error)

    def _renewed(self) -> grpc.ServerCertificateConfiguration | None:
        try:
            changed_at = self._changed_at()
            if changed_at == self._read_at:
                return None
            self._read_at = changed_at  # so that files which are of no use are complained of once
            self._identity = Identity.read(self._files, worker=True)
        except (ConfigError, OSError) as error:
            _log.error("the certificate of gRPC stays as it was: %s", error)
            return None
        _log.info("%s was read again", self._files.cert)
        return self._identity.server()

    def _changed_at(self) -> tuple[int, ...]:
        try:
            return tuple(path.stat().st_mtime_ns for path in (self._files.cert, self._files.key, self._files.ca))
        except OSError as error:
            raise ConfigError(f"cannot read {error.filename}: {error.strerror}") from error
