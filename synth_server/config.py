"""The settings of the `synth-server` commands, but for the page's, which are with the page.

Loads nothing heavy, so that `--help` is quick.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from pairstream.address import Address
from pairstream.codec import MAX_CAPACITY
from pairstream.console import POSITIONAL
from pairstream.errors import ConfigError
from pairstream.logs import LogFormat, LogLevel
from pairstream.spec import StreamSpec
from pairstream.worker_url import WorkerUrl
from synth_server.limits import MIB, Limits
from synth_server.locks import Locks

#: The least that a block may be allowed: the stream by which a worker measures itself has blocks of nearly 4 MiB.
LEAST_BLOCK_MIB: Final = 4

_CLIENT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """Render pairs and serve them to trainers until stopped (SIGTERM drains)."""

    bind: str = "tcp://127.0.0.1:5555"
    """Where the pairs are served over ZeroMQ, tcp://HOST:PORT or ipc:///PATH, or both with a comma between; port 0
    means any free one."""
    grpc: str = "127.0.0.1:5556"
    """Where the pairs are served over gRPC, and Describe, Status and grpc.health, HOST:PORT."""
    http: str = "127.0.0.1:5557"
    """Where /metrics and /healthz are served, HOST:PORT."""
    upstream: str = ""
    """Be a relay: fetch the pairs from these workers instead, named as a client names them, zmq://HOST:PORT,..."""
    device: str = "cpu"
    """What renders: cpu, cuda or cuda:N."""
    threads: int = 0
    """Rendering threads; 0 means all cores this process may use."""
    window_mib: int = 512
    """Memory for rendered blocks that other experiments may still ask for, in MiB."""
    client_mib: int = 256
    """Memory for blocks that one client has asked for and not read, in MiB; what is more is refused to it."""
    no_shared_memory: bool = False
    """Send blocks as frames to clients on this host too, instead of writing into memory that they lend."""
    max_block_mib: int = 256
    """The largest block that is rendered at all, in MiB of audio."""
    capacity: int = 0
    """Pairs per second that clients are told, its weight among other workers; 0 means what is measured at the start."""
    drain_seconds: float = 10.0
    """After SIGTERM, how long blocks in the making may take until they are given up."""
    curve_key: str = ""
    """The worker's secret CURVE key, a file of `synth-server keys curve`: pairs over ZeroMQ are encrypted."""
    curve_allowed: str = ""
    """The folder with the public CURVE keys of clients that may connect; read again when a file comes or goes."""
    tls_cert: str = ""
    """The worker's certificate, a PEM file of `synth-server keys tls`: all of gRPC is encrypted."""
    tls_key: str = ""
    """The key of that certificate, a PEM file."""
    tls_ca: str = ""
    """The authority, a PEM file; clients whose certificates it has not signed are turned away from gRPC."""
    insecure: bool = False
    """Listen beyond this machine also where nothing is encrypted or authenticated."""
    log_level: LogLevel = "info"
    """How much to log on stderr."""
    log_format: LogFormat = "text"
    """text, or json: every line is a JSON object, and all are on stderr."""

    def __post_init__(self) -> None:
        for name in ("threads", "window_mib", "client_mib", "capacity", "drain_seconds"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name}={getattr(self, name)!r} is negative; use 0 or more")
        if self.capacity > MAX_CAPACITY:
            raise ConfigError(
                f"capacity={self.capacity} is more than {MAX_CAPACITY} pairs per second; use 0 to measure it"
            )
        if self.max_block_mib < LEAST_BLOCK_MIB:
            raise ConfigError(
                f"max_block_mib={self.max_block_mib!r} leaves no room for the block by which a worker measures itself; "
                f"use {LEAST_BLOCK_MIB} or more"
            )
        if self.upstream.startswith("local://"):
            raise ConfigError("upstream=local:// would render here, as a worker does that is no relay: leave it away")
        places: list[tuple[WorkerUrl | Address, str, bool, str]] = [
            (url, "bind", self.locks.curve, "use the keys that `synth-server keys curve DIR` makes")
            for url in self.data_urls
        ]
        places += [
            (self.grpc_address, "grpc", self.locks.tls, "use the certificates that `synth-server keys tls DIR` makes"),
            (self.http_address, "http", False, "put a proxy before it"),
        ]
        for address, flag, locked, remedy in places:
            if not (address.loopback or locked or self.insecure):
                raise ConfigError(
                    f"{flag}={address} can be reached from other machines and nothing is encrypted; "
                    f"bind 127.0.0.1, or {remedy}, or add --insecure on a network that you trust"
                )

    @property
    def data_urls(self) -> tuple[WorkerUrl, ...]:
        """`bind`, parsed."""
        parts = [part.strip() for part in self.bind.split(",")]
        if not all(part.startswith(("tcp://", "ipc:///")) for part in parts):
            raise ConfigError(f"bind={self.bind!r} is not an address; write tcp://HOST:PORT or ipc:///PATH")
        return tuple(WorkerUrl.parse(part, any_port=True) for part in parts)

    @property
    def grpc_address(self) -> Address:
        """`grpc`, parsed."""
        return Address.parse(self.grpc, flag="grpc")

    @property
    def http_address(self) -> Address:
        """`http`, parsed."""
        return Address.parse(self.http, flag="http")

    @property
    def locks(self) -> Locks:
        """The files of keys that these settings name."""
        return Locks(
            curve_key=self.curve_key,
            curve_allowed=self.curve_allowed,
            tls_cert=self.tls_cert,
            tls_key=self.tls_key,
            tls_ca=self.tls_ca,
        )

    @property
    def limits(self) -> Limits:
        """The limits that these settings set."""
        return Limits(block_bytes=self.max_block_mib * MIB, patches=not self.upstream)


@dataclass(frozen=True, kw_only=True)
class RenderSettings:
    """Write pairs as WAV files, and beside each the JSON that makes it again."""

    out: Path = Path("pairs")
    """The folder to write to; it is made if need be."""
    index: int = 0
    """Which block of the stream."""
    first: int = 0
    """The first of the block's pairs to write."""
    pairs: int = 4
    """How many pairs to write."""
    device: str = "cpu"
    """What renders: cpu, cuda or cuda:N."""
    spec: StreamSpec = field(default_factory=StreamSpec)
    """The stream."""


@dataclass(frozen=True, kw_only=True)
class BenchSettings:
    """Measure where the time of a block goes, stage by stage from theta to the client; or which engine is faster."""

    engines: list[str] = field(default_factory=list)
    """Compare these instead, side by side: engines, and beside them synthax and floor; ratios are to the first."""
    sounds: list[int] = field(default_factory=list)
    """With --engines: sounds per call; 32, 128 and 768 unless said."""
    blocks: int = 8
    """Blocks, or calls of each engine, to measure after some that are not counted."""
    device: str = "cpu"
    """What renders: cpu, cuda or cuda:N."""
    threads: int = 0
    """Rendering threads; 0 means all cores this process may use, and with --engines first 1 and then 2."""
    json: bool = False
    """Print JSON instead of a table."""
    spec: StreamSpec = field(default_factory=StreamSpec)
    """The stream."""


@dataclass(frozen=True, kw_only=True)
class StatusSettings:
    """Ask workers what they offer and what they are doing."""

    workers: list[str] = field(default_factory=list, metadata=POSITIONAL)
    """The workers' gRPC addresses, HOST:PORT; 127.0.0.1:5556 unless said."""
    timeout: float = 5.0
    """How long to wait for an answer, in seconds."""
    watch: float = 0.0
    """Ask again every so many seconds, until Ctrl-C; 0 asks once."""
    json: bool = False
    """Print JSON instead of tables, once."""

    def __post_init__(self) -> None:
        if self.watch < 0:
            raise ConfigError(f"watch={self.watch!r} seconds is negative; use 0 to ask once")
        if not self.timeout > 0:
            raise ConfigError(f"timeout={self.timeout!r} seconds; use more than 0")

    @property
    def addresses(self) -> tuple[Address, ...]:
        """`workers`, parsed."""
        names = self.workers or ["127.0.0.1:5556"]
        return tuple(Address.parse(name.removeprefix("grpc://"), flag="workers") for name in names)


@dataclass(frozen=True, kw_only=True)
class KeysSettings:
    """Make keys, so that a worker may serve beyond its machine; none that is there is ever overwritten."""

    kind: Literal["curve", "tls"] = field(metadata=POSITIONAL)
    """curve for pairs over ZeroMQ, tls for gRPC."""
    folder: Path = field(metadata=POSITIONAL)
    """Where to write the files; a second run adds clients to those that there are."""
    clients: list[str] = field(default_factory=list)
    """Names of the clients to make keys for; `client` unless said."""
    hosts: list[str] = field(default_factory=list)
    """With tls: the names and addresses by which clients reach the worker, as in their URLs."""
    days: int = 365
    """With tls: how long the certificates are valid."""

    def __post_init__(self) -> None:
        if not self.clients:
            object.__setattr__(self, "clients", ["client"])
        for name in self.clients:
            if not _CLIENT_NAME.fullmatch(name) or name in ("worker", "ca"):
                raise ConfigError(f"clients={name!r} is not the name of a client; use letters, digits, '.', '_', '-'")
        if not 0 < self.days <= 36_500:
            raise ConfigError(f"days={self.days!r} is not a length of time; use 1 to 36500")


@dataclass(frozen=True, kw_only=True)
class DoctorSettings:
    """Check this installation, and say how to cure what is wrong with it."""

    json: bool = False
    """Print JSON instead of a table."""
