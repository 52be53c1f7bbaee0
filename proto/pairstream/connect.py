"""`connect(url, spec)`: from a URL to a client. The one place that knows all transports."""

from __future__ import annotations

from collections.abc import Callable

from pairstream.address import Address
from pairstream.client import Client
from pairstream.credentials import NONE, Credentials
from pairstream.discovery import DnsWorkers
from pairstream.errors import ConfigError
from pairstream.header import MAX_HEADER_BYTES
from pairstream.source import installed_renderer
from pairstream.spec import StreamSpec
from pairstream.transport import Transport
from pairstream.worker_url import parse_workers

#: Bytes that a client asks for ahead: two blocks of the paper's 768 pairs in float32 and four in float16, so that the
#: next is on its way while one is read. With fewer a fast trainer would wait for each block to be rendered.
CREDIT_BYTES = 192 << 20
#: No synthesizer has more parameters than this in a layer; what is received is bounded by it.
MAX_PARAMETERS = 4_096


def connect(
    url: str,
    spec: StreamSpec,
    *,
    experiment: str = "default",
    timeout: float = 60.0,
    credit_bytes: int = CREDIT_BYTES,
    fingerprint: str | None = None,
    credentials: Credentials | None = None,
) -> Client:
    """Open a stream.

    Args:
        url: `local://` to render in this process, one or several workers by one of the wires of `worker_url.py`
            (`zmq://host:port[,host:port]`, `zmq:///path`, `grpc://host:port`), or `dns+zmq://name:port` for a worker
            behind every address of a name, which is looked up again every few seconds.
        spec: the stream.
        experiment: the name under which workers count what they serve.
        timeout: the longest that any one wait may last, in seconds, this call included.
        credit_bytes: how many bytes of blocks may be on their way ahead of the consumer.
        fingerprint: `Client.fingerprint` of an earlier connection, to get the same bytes as then or none.
        credentials: with what the client shows who it is; None takes what its environment names (`credentials.py`).

    Raises:
        ConfigError: the URL is none of these, or a key file is of no use.
        RefusedError: the workers will not serve this spec.
        WorkerUnavailableError, StreamTimeoutError: no worker answered in time.
    """
    scheme, name = read_url(url)
    discovery = DnsWorkers(scheme, name.host, name.port) if name else None
    return Client(
        _TRANSPORTS[scheme](None if name else url, spec, credentials or Credentials.from_environment()),
        spec,
        experiment=experiment,
        timeout=timeout,
        credit_bytes=credit_bytes,
        fingerprint=fingerprint,
        discovery=discovery,
    )


def read_url(url: str) -> tuple[str, Address | None]:
    """The scheme of a stream's URL, and the name whose addresses are watched, if it has one.

    Raises:
        ConfigError: it is no stream's URL; the message shows the forms there are.
    """
    scheme, separator, rest = url.partition("://")
    watched = scheme.startswith(_DNS)
    scheme = scheme.removeprefix(_DNS)
    if not separator or scheme not in _TRANSPORTS or (watched and scheme not in _WATCHED):
        raise ConfigError(f"{url!r} is not a stream's URL; write {', or '.join(_FORMS)}")
    if watched and "," in rest:
        raise ConfigError(f"{rest!r} is more than one name; dns+{scheme}:// takes one, which may have many addresses")
    return scheme, Address.parse(rest, flag="name") if watched else None


def _local(url: str | None, spec: StreamSpec, credentials: Credentials = NONE) -> Transport:
    from pairstream.local_transport import NAME, LocalTransport  # noqa: PLC0415 – only what the URL asks for is loaded

    if url not in (None, NAME):
        raise ConfigError(f"{url!r}: nothing follows local://, which has one worker, this process")
    return LocalTransport(installed_renderer())


def _zmq(url: str | None, spec: StreamSpec, credentials: Credentials = NONE) -> Transport:
    from pairstream.zmq_transport import ZmqTransport  # noqa: PLC0415

    largest = max(spec.audio_bytes, _theta_bytes(spec), MAX_HEADER_BYTES)
    return ZmqTransport(_named(url), max_frame_bytes=largest, curve=credentials.curve)


def _grpc(url: str | None, spec: StreamSpec, credentials: Credentials = NONE) -> Transport:
    from pairstream.grpc_transport import GrpcTransport  # noqa: PLC0415

    return GrpcTransport(_named(url), max_block_bytes=spec.audio_bytes + _theta_bytes(spec), tls=credentials.tls)


def _named(url: str | None) -> list[str]:
    """The workers that a URL names."""
    return [] if url is None else [str(worker) for worker in parse_workers(url)]


def _theta_bytes(spec: StreamSpec) -> int:
    """More than theta of any block of this stream has."""
    return spec.block_pairs * 2 * 4 * MAX_PARAMETERS * spec.layers


#: What makes the transport of a scheme from the whole URL; from None if the workers are yet to be found.
_TRANSPORTS: dict[str, Callable[..., Transport]] = {
    "local": _local,
    "zmq": _zmq,
    "tcp": _zmq,
    "ipc": _zmq,
    "shm": _zmq,
    "grpc": _grpc,
}
_DNS = "dns+"
#: Schemes of workers that a DNS name can stand for.
_WATCHED = ("zmq", "tcp", "shm", "grpc")
_FORMS = ("local://", "zmq://HOST:PORT[,HOST:PORT]", "zmq:///PATH", "grpc://HOST:PORT", "dns+zmq://NAME:PORT")
