"""Where clients and workers of a test meet: one `Site` for every wire, so that one suite runs over all of them."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from keyring import Keyring
from toy_source import TOY, open_toy

from pairstream import Client, StreamSpec, connect
from pairstream.credentials import NONE, Credentials
from pairstream.local_transport import LocalTransport
from pairstream.source import OpenSource
from synth_server.config import ServeSettings
from synth_server.metrics import WorkerMetrics
from synth_server.server import Server

REMOTE = ("shm", "ipc", "tcp", "grpc", "tcp+curve", "grpc+tls")
WIRES = ("local", *REMOTE)
SETTINGS = ServeSettings(bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0", drain_seconds=2)


class Site:
    """A worker that can be stopped and started again at the same place, and clients of it; all close with the site.

    A site `like` another has its keys.
    """

    def __init__(
        self, wire: str, open_source: OpenSource = open_toy, *, like: Site | None = None, **settings: Any
    ) -> None:
        self.wire = wire
        self.scheme, _, lock = wire.partition("+")
        self.folder = tempfile.mkdtemp(prefix="ps")
        self._open_source = open_source
        self.credentials, self.flags = (
            (like.credentials, like.flags) if like else _locked(lock, Keyring(Path(self.folder)))
        )
        self._settings = replace(SETTINGS, **self.flags, **settings)
        if wire == "ipc":
            self._settings = replace(self._settings, bind=f"ipc://{self.folder}/worker.sock")
        self._clients = ExitStack()
        self.server: Server | None = None
        if wire != "local":
            self.start()

    def start(self) -> None:
        """Start the worker, where it was before."""
        self.server = Server(self._settings, self._open_source, WorkerMetrics())
        self.server.start()
        addresses = self.server.addresses
        bind = addresses.data.replace("zmq:///", "ipc:///").replace("zmq://", "tcp://")
        self._settings = replace(self._settings, bind=bind, grpc=addresses.grpc)

    def stop(self) -> None:
        """Stop the worker."""
        if self.server:
            self.server.stop()

    @property
    def url(self) -> str:
        """The worker's URL on this wire."""
        assert self.server is not None, "local:// has no worker"
        if self.scheme == "grpc":
            return f"grpc://{self.server.addresses.grpc}"
        return f"{self.scheme}://{self.server.addresses.data.removeprefix('zmq://')}"

    def connect(self, spec: StreamSpec = TOY, *, timeout: float = 10.0, **arguments: Any) -> Client:
        """A client."""
        if self.wire == "local":
            arguments = {"experiment": "test", "credit_bytes": 1 << 20} | arguments
            client = Client(LocalTransport(self._open_source), spec, timeout=timeout, **arguments)
        else:
            client = connect(self.url, spec, timeout=timeout, credentials=self.credentials, **arguments)
        return self._clients.enter_context(client)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clients.close()
        self.stop()
        shutil.rmtree(self.folder)


def _locked(lock: str, keys: Keyring) -> tuple[Credentials, dict[str, str]]:
    """What a client and a worker need for a lock: curve, tls or none."""
    if lock == "curve":
        keys.make_curve("alice")
        return keys.curve("alice"), keys.curve_flags
    if lock == "tls":
        keys.make_tls("alice")
        return keys.tls("alice"), keys.tls_flags
    return NONE, {}
