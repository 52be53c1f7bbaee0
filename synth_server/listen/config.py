"""The settings of `synth-server listen`. Loads nothing heavy, so that `--help` is quick."""

from __future__ import annotations

from dataclasses import dataclass, field

from pairstream.address import Address
from pairstream.errors import ConfigError
from pairstream.logs import LogFormat, LogLevel
from pairstream.spec import StreamSpec


@dataclass(frozen=True, kw_only=True)
class ListenSettings:
    """Serve a web page to hear, see and compare pairs, until stopped."""

    http: str = "127.0.0.1:8080"
    """Where the page is served, HOST:PORT; port 0 means any free one."""
    stream: str = "local://"
    """Where the pairs come from: local:// renders them in this process; or workers, zmq://HOST:PORT,... or
    dns+zmq://NAME:PORT."""
    checkpoint: str = ""
    """A run folder or checkpoint of `trainer fit`: the page then says how alike its encoder finds the two views."""
    timeout: float = 10.0
    """The longest wait for a worker, in seconds; after it the page says what is wrong."""
    at_once: int = 4
    """Pairs that are fetched or rendered at the same time; whoever comes later waits, up to the time-out."""
    cache_mib: int = 64
    """Memory for pairs that were lately looked at, in MiB."""
    insecure: bool = False
    """Listen beyond this machine, without encryption and to everybody."""
    log_level: LogLevel = "info"
    """How much to log on stderr."""
    log_format: LogFormat = "text"
    """text, or json: every line is a JSON object, and all are on stderr."""
    spec: StreamSpec = field(default_factory=StreamSpec)
    """The stream that the page begins with, the checkpoint's own unless said; any other can be asked for."""

    def __post_init__(self) -> None:
        if not 0 < self.timeout <= 600:
            raise ConfigError(f"timeout={self.timeout!r} seconds; use more than 0 and at most 600")
        if not 1 <= self.at_once <= 64:
            raise ConfigError(f"at_once={self.at_once!r} pairs; use 1 to 64")
        if self.cache_mib < 0:
            raise ConfigError(f"cache_mib={self.cache_mib!r} is negative; use 0 or more")
        if not (self.address.loopback or self.insecure):
            raise ConfigError(
                f"http={self.address} can be reached from other machines and has no lock; bind 127.0.0.1, or put a "
                "proxy before it, or add --insecure on a network that you trust"
            )

    @property
    def address(self) -> Address:
        """`http`, parsed."""
        return Address.parse(self.http, flag="http")
