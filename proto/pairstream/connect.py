"""`connect(url, spec)`: from a URL to a client. The one place that knows all transports."""

from __future__ import annotations

from collections.abc import Callable

from pairstream.client import Client
from pairstream.codec import MAX_HEADER_BYTES
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
        url: `local://` to render in this process, or `zmq://host:port[,host:port]`.
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
    if not separator or scheme not in _TRANSPORTS:
        raise ConfigError(f"{url!r} is not a stream's URL; write {' or '.join(_FORMS)}")
    transport = _TRANSPORTS[scheme](rest, spec)
    return Client(
        transport, spec, experiment=experiment, timeout=timeout, credit_bytes=credit_bytes, fingerprint=fingerprint
    )


def _local(rest: str, spec: StreamSpec) -> Transport:
    from pairstream.local_transport import LocalTransport  # noqa: PLC0415 – only what the URL asks for is loaded

    if rest:
        raise ConfigError(f"local:// takes nothing after it, not {rest!r}")
    return LocalTransport(installed_renderer())


def _zmq(rest: str, spec: StreamSpec) -> Transport:
    from pairstream.zmq_transport import ZmqTransport  # noqa: PLC0415

    addresses = [_address(part) for part in rest.split(",")]
    if len(set(addresses)) != len(addresses):
        raise ConfigError(f"zmq://{rest} names a worker twice")
    return ZmqTransport(addresses, max_frame_bytes=max(spec.audio_bytes, MAX_HEADER_BYTES))


def _address(text: str) -> str:
    host, separator, port = text.strip().rpartition(":")
    if not separator or not host or not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise ConfigError(f"{text!r} is not an address; write HOST:PORT, such as 127.0.0.1:5555")
    return f"{host}:{port}"


_TRANSPORTS: dict[str, Callable[[str, StreamSpec], Transport]] = {"local": _local, "zmq": _zmq}
_FORMS = ("local://", "zmq://HOST:PORT[,HOST:PORT]")
