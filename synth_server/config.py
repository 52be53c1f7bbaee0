"""The settings of every `synth-server` command. Loads nothing heavy, so that `--help` is quick."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pairstream.codec import MAX_CAPACITY
from pairstream.errors import ConfigError
from pairstream.spec import StreamSpec
from synth_server.address import Address
from synth_server.limits import MIB, Limits

LogLevel = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """Render pairs and serve them to trainers until stopped (SIGTERM drains)."""

    bind: str = "tcp://127.0.0.1:5555"
    """Where the pairs are served, tcp://HOST:PORT; port 0 means any free one."""
    grpc: str = "127.0.0.1:5556"
    """Where Describe, Status and grpc.health are served, HOST:PORT."""
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
    max_block_mib: int = 256
    """The largest block that is rendered at all, in MiB of audio."""
    capacity: int = 0
    """Pairs per second that clients are told, its weight among other workers; 0 means what is measured at the start."""
    drain_seconds: float = 10.0
    """After SIGTERM, how long blocks in the making may take until they are given up."""
    insecure: bool = False
    """Listen beyond this machine although nothing is encrypted or authenticated."""
    log_level: LogLevel = "info"
    """How much to log on stderr."""

    def __post_init__(self) -> None:
        for name in ("threads", "window_mib", "capacity", "drain_seconds"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name}={getattr(self, name)!r} is negative; use 0 or more")
        if self.capacity > MAX_CAPACITY:
            raise ConfigError(
                f"capacity={self.capacity} is more than {MAX_CAPACITY} pairs per second; use 0 to measure it"
            )
        if self.max_block_mib < 1:
            raise ConfigError(f"max_block_mib={self.max_block_mib!r} leaves no room for any block; use 1 or more")
        if self.upstream.startswith("local://"):
            raise ConfigError("upstream=local:// would render here, as a worker does that is no relay: leave it away")
        for address, flag in ((self.data_address, "bind"), (self.grpc_address, "grpc"), (self.http_address, "http")):
            if not address.loopback and not self.insecure:
                raise ConfigError(
                    f"{flag}={address} can be reached from other machines and nothing is encrypted; "
                    "bind 127.0.0.1, or add --insecure on a network that you trust"
                )

    @property
    def data_address(self) -> Address:
        """`bind`, parsed."""
        return Address.parse(self.bind, flag="bind", scheme="tcp")

    @property
    def grpc_address(self) -> Address:
        """`grpc`, parsed."""
        return Address.parse(self.grpc, flag="grpc")

    @property
    def http_address(self) -> Address:
        """`http`, parsed."""
        return Address.parse(self.http, flag="http")

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
    pairs: int = 4
    """How many of the block's pairs, from its first on."""
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

    workers: list[str] = field(default_factory=list, metadata={"positional": True})
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
class DoctorSettings:
    """Check this installation, and say how to cure what is wrong with it."""

    json: bool = False
    """Print JSON instead of a table."""
