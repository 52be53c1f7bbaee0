"""`connect(url, spec)`: from a URL to a client. The one place that knows all transports."""

from __future__ import annotations

from collections.abc import Callable

from pairstream.client import Client
from pairstream.codec import MAX_HEADER_BYTES
from pairstream.discovery import Discovery, DnsWorkers
from pairstream.errors import ConfigError
from pairstream.source import installed_renderer
from pairstream.spec import StreamSpec
from pairstream.transport import Transport

#: Bytes that a client asks for ahead: enough to keep a step of tens of milliseconds fed.
CREDIT_BYTES = 64 << 20


def connect(
    url: str,
    spec: StreamSpec,
    *,
    experiment: str = "default",
    timeout: float = 60.0,
    credit_bytes: int = CREDIT_BYTES,
    fingerprint: str | None = None,
) -> Client:
    """Open a stream.

    Args:
        url: `local://` to render in this process, `zmq://host:port[,host:port]`, or `dns+zmq://name:port` for a worker
            behind every address of a name, which is looked up again every few seconds.
        spec: the stream.
        experiment: the name under which workers count what they serve.
        timeout: the longest that any one wait may last, in seconds, this call included.
        credit_bytes: how many bytes of blocks may be on their way ahead of the consumer.
        fingerprint: `Client.fingerprint` of an earlier connection, to get the same bytes as then or none.

    Raises:
        ConfigError: the URL is none of these.
        RefusedError: the workers will not serve this spec.
        WorkerUnavailableError, StreamTimeoutError: no worker answered in time.
    """
    scheme, separator, rest = url.partition("://")
    watched = scheme.startswith(_DNS)
    scheme = scheme.removeprefix(_DNS)
    if not separator or scheme not in _TRANSPORTS or (watched and scheme == "local"):
        raise ConfigError(f"{url!r} is not a stream's URL; write {', or '.join(_FORMS)}")
    discovery = _watch(scheme, rest) if watched else None
    return Client(
        _TRANSPORTS[scheme](None if watched else rest, spec),
        spec,
        experiment=experiment,
        timeout=timeout,
        credit_bytes=credit_bytes,
        fingerprint=fingerprint,
        discovery=discovery,
    )


def _watch(scheme: str, rest: str) -> Discovery:
    host, _, port = _address(rest).rpartition(":")
    if "," in host:
        raise ConfigError(f"{rest!r} is more than one name; dns+{scheme}:// takes one, which may have many addresses")
    return DnsWorkers(scheme, host, int(port))


def _local(rest: str | None, spec: StreamSpec) -> Transport:
    from pairstream.local_transport import LocalTransport  # noqa: PLC0415 – only what the URL asks for is loaded

    if rest:
        raise ConfigError(f"local:// takes nothing after it, not {rest!r}")
    return LocalTransport(installed_renderer())


def _zmq(rest: str | None, spec: StreamSpec) -> Transport:
    from pairstream.zmq_transport import ZmqTransport  # noqa: PLC0415

    addresses = [] if rest is None else [_address(part.removeprefix("zmq://")) for part in rest.split(",")]
    if len(set(addresses)) != len(addresses):
        raise ConfigError(f"zmq://{rest} names a worker twice")
    return ZmqTransport(addresses, max_frame_bytes=max(spec.audio_bytes, MAX_HEADER_BYTES))


def _address(text: str) -> str:
    host, separator, port = text.strip().rpartition(":")
    if not separator or not host or not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise ConfigError(f"{text!r} is not an address; write HOST:PORT, such as 127.0.0.1:5555")
    return f"{host}:{port}"


#: What makes the transport of a scheme, from the part of the URL after ://; None if the workers are yet to be found.
_TRANSPORTS: dict[str, Callable[[str | None, StreamSpec], Transport]] = {"local": _local, "zmq": _zmq}
_DNS = "dns+"
_FORMS = ("local://", "zmq://HOST:PORT[,HOST:PORT]", "dns+zmq://NAME:PORT")
