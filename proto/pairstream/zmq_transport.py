"""zmq://host:port – the data path between processes and hosts: a DEALER here for every ROUTER there.

libzmq reconnects by itself, but forgets what was in the pipe; so each socket's monitor tells when a
connection comes and goes, and `exchange.py` asks again. ZeroMQ's own thread receives into memory while
the consumer computes; the client's credit bounds how much.
"""

from __future__ import annotations

from collections.abc import Sequence

import zmq
from zmq.utils.monitor import parse_monitor_message

from pairstream.codec import decode, encode
from pairstream.errors import ConfigError, ProtocolError
from pairstream.messages import Message
from pairstream.transport import Event, Garbled, Joined, Lost, Received

#: Milliseconds between ZeroMQ's own heartbeats, and without an answer until a connection counts as lost.
HEARTBEAT_MS, HEARTBEAT_TIMEOUT_MS = 1_000, 5_000
#: Milliseconds until the first and at most between further attempts to reconnect.
RECONNECT_MS, RECONNECT_MAX_MS = 100, 1_000
#: Milliseconds that a message may wait for a connection that is just coming up, and a farewell to leave.
SEND_MS, LINGER_MS = 200, 200

_CONNECTION_EVENTS = {
    zmq.Event.HANDSHAKE_SUCCEEDED: "",
    zmq.Event.CONNECTED: "something listens there, but it has not spoken ZeroMQ",
    zmq.Event.DISCONNECTED: "the connection broke",
    zmq.Event.CONNECT_RETRIED: "nothing listens there",
    zmq.Event.HANDSHAKE_FAILED_NO_DETAIL: "what listens there does not speak ZeroMQ",
    zmq.Event.HANDSHAKE_FAILED_PROTOCOL: "what listens there does not speak ZeroMQ",
    zmq.Event.HANDSHAKE_FAILED_AUTH: "it turned our key away",
}


class ZmqTransport:
    """Connections to workers over ZeroMQ.

    Args:
        addresses: `host:port` of each worker.
        max_frame_bytes: no single frame larger than this is accepted from a worker.
    """

    def __init__(self, addresses: Sequence[str], max_frame_bytes: int) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._context = zmq.Context()
        self._poller = zmq.Poller()
        self._sockets: dict[str, zmq.Socket[bytes]] = {}
        self._sources: dict[zmq.Socket[bytes], tuple[str, bool]] = {}
        for address in addresses:
            self.add(f"zmq://{address}")

    @property
    def workers(self) -> tuple[str, ...]:
        """The names of the present workers."""
        return tuple(self._sockets)

    def add(self, worker: str) -> None:
        """Begin to connect to a worker."""
        self._connect(worker, f"tcp://{worker.removeprefix('zmq://')}", self._max_frame_bytes)

    def remove(self, worker: str) -> None:
        """Forget a worker and close its connection."""
        self._sockets.pop(worker).disable_monitor()
        for source in [source for source, (name, _) in self._sources.items() if name == worker]:
            self._poller.unregister(source)
            del self._sources[source]
            source.close(linger=0)

    def send(self, worker: str, message: Message) -> None:
        """Queue a message; if the connection is down it is dropped, and a `Lost` event says so."""
        try:
            self._sockets[worker].send_multipart(encode(message), copy=False)
        except zmq.Again:
            return

    def poll(self, seconds: float) -> list[Event]:
        """Everything that is there, connections' comings and goings before what came over them."""
        events: list[Event] = []
        ready = [socket for socket, _ in self._poller.poll(max(0, round(seconds * 1_000)))]
        for socket in sorted(ready, key=lambda socket: not self._sources[socket][1]):
            worker, is_monitor = self._sources[socket]
            event = self._connection_event(worker, socket) if is_monitor else self._message_event(worker, socket)
            if event:
                events.append(event)
        return events

    def close(self) -> None:
        """Close all sockets; what is queued gets `LINGER_MS` to leave."""
        if self._context.closed:
            return
        for socket in self._sockets.values():
            socket.disable_monitor()
        for socket in self._sources:
            socket.close(linger=LINGER_MS)
        self._context.term()

    def _connect(self, worker: str, endpoint: str, max_frame_bytes: int) -> None:
        socket: zmq.Socket[bytes] = self._context.socket(zmq.DEALER)
        for option, value in (
            (zmq.HEARTBEAT_IVL, HEARTBEAT_MS),
            (zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS),
            (zmq.HANDSHAKE_IVL, HEARTBEAT_TIMEOUT_MS),
            (zmq.RECONNECT_IVL, RECONNECT_MS),
            (zmq.RECONNECT_IVL_MAX, RECONNECT_MAX_MS),
            (zmq.IMMEDIATE, 1),
            (zmq.IPV6, 1),
            (zmq.SNDTIMEO, SEND_MS),
            (zmq.LINGER, LINGER_MS),
            (zmq.MAXMSGSIZE, max_frame_bytes),
        ):
            socket.setsockopt(option, value)
        monitor = socket.get_monitor_socket(sum(_CONNECTION_EVENTS))
        try:
            socket.connect(endpoint)
        except zmq.ZMQError as error:
            raise ConfigError(f"{worker}: {error}; write zmq://HOST:PORT") from error
        self._sockets[worker] = socket
        for source, is_monitor in ((socket, False), (monitor, True)):
            self._sources[source] = (worker, is_monitor)
            self._poller.register(source, zmq.POLLIN)

    def _connection_event(self, worker: str, monitor: zmq.Socket[bytes]) -> Event:
        reason = _CONNECTION_EVENTS[zmq.Event(parse_monitor_message(monitor.recv_multipart())["event"])]
        return Lost(worker, reason) if reason else Joined(worker)

    def _message_event(self, worker: str, socket: zmq.Socket[bytes]) -> Event:
        frames = socket.recv_multipart(copy=False)
        try:
            return Received(worker, decode([frame.buffer for frame in frames]))
        except ProtocolError as error:
            return Garbled(worker, error)
