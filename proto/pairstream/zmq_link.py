"""One connection to one worker over ZeroMQ: a DEALER, the monitor that tells when it comes and goes, its memory.

libzmq reconnects by itself, but forgets what was in the pipe, and says so only to the monitor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import zmq
from zmq.utils.monitor import parse_monitor_message

from pairstream import sharing
from pairstream.errors import ConfigError
from pairstream.header import Frame
from pairstream.sharer import Sharer
from pairstream.transport import Event, Joined, Lost, messages_ahead
from pairstream.worker_url import WorkerUrl

#: Milliseconds between ZeroMQ's own heartbeats, and without an answer until a connection counts as lost.
HEARTBEAT_MS, HEARTBEAT_TIMEOUT_MS = 1_000, 5_000
#: Milliseconds until the first and at most between further attempts to reconnect.
RECONNECT_MS, RECONNECT_MAX_MS = 100, 1_000
#: Milliseconds that what is queued may take to leave when the connection is closed.
LINGER_MS = 200

_CONNECTION_EVENTS: Final = {
    zmq.Event.HANDSHAKE_SUCCEEDED: "",
    zmq.Event.CONNECTED: "something listens there, but it has not spoken ZeroMQ",
    zmq.Event.DISCONNECTED: "the connection broke",
    zmq.Event.CONNECT_RETRIED: "nothing listens there",
    zmq.Event.HANDSHAKE_FAILED_NO_DETAIL: "what listens there does not speak ZeroMQ",
    zmq.Event.HANDSHAKE_FAILED_PROTOCOL: "what listens there does not speak ZeroMQ",
    zmq.Event.HANDSHAKE_FAILED_AUTH: "it turned our key away",
}


class ZmqLink:
    """A connection, made and made again until it is closed.

    Args:
        context: of all sockets of one client.
        url: the worker.
        max_frame_bytes: no frame larger than this is accepted.
        stamps: see `Sharer`.

    Raises:
        ConfigError: ZeroMQ cannot connect to anything of that name.
    """

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], url: WorkerUrl, max_frame_bytes: int, stamps: Iterator[int]
    ) -> None:
        self.url = url
        self.name = str(url)
        self._stamps = stamps
        self.sharer = self._new_sharer()
        self.socket = context.socket(zmq.DEALER)
        for option, value in (
            (zmq.HEARTBEAT_IVL, HEARTBEAT_MS),
            (zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS),
            (zmq.HANDSHAKE_IVL, HEARTBEAT_TIMEOUT_MS),
            (zmq.RECONNECT_IVL, RECONNECT_MS),
            (zmq.RECONNECT_IVL_MAX, RECONNECT_MAX_MS),
            (zmq.IMMEDIATE, 1),
            (zmq.IPV6, 1),
            (zmq.RCVHWM, messages_ahead(max_frame_bytes)),
            (zmq.LINGER, LINGER_MS),
            (zmq.MAXMSGSIZE, max_frame_bytes),
        ):
            self.socket.setsockopt(option, value)
        self.monitor = self.socket.get_monitor_socket(sum(_CONNECTION_EVENTS))
        try:
            self.socket.connect(url.endpoint)
        except zmq.ZMQError as error:
            self.close(linger_ms=0)
            raise ConfigError(f"{url}: {error}; write zmq://HOST:PORT") from error

    def send(self, frames: Sequence[Frame]) -> None:
        """Queue a message, without waiting; if the connection is down it is dropped, and the monitor says so."""
        self.socket.getsockopt(zmq.EVENTS)  # makes libzmq see a connection that came up since it last looked
        try:
            self.socket.send_multipart(frames, zmq.DONTWAIT, copy=False)
        except zmq.Again:
            return

    def say(self, message: sharing.SharingMessage | None) -> None:
        """Queue a message about shared memory, if there is one to be said."""
        if message:
            self.send(sharing.encode(message))

    def connection_event(self) -> Event:
        """What the monitor has to say; call it when there is something."""
        reason = _CONNECTION_EVENTS[zmq.Event(parse_monitor_message(self.monitor.recv_multipart())["event"])]
        self.sharer.close()  # whatever was lent, was lent over another connection
        self.sharer = self._new_sharer()
        return Lost(self.name, reason) if reason else Joined(self.name)

    def receive(self) -> list[Frame]:
        """The frames of a message; call it when there is one."""
        return [frame.buffer for frame in self.socket.recv_multipart(copy=False)]

    def close(self, linger_ms: int = LINGER_MS) -> None:
        """Close it; what is queued gets `linger_ms` to leave."""
        self.sharer.close()
        self.socket.disable_monitor()
        self.monitor.close(linger=0)
        self.socket.close(linger=linger_ms)

    def _new_sharer(self) -> Sharer:
        sharer = Sharer(self.name, self._stamps)
        if self.url.scheme in ("tcp", "ipc"):
            sharer.give_up("its URL says so")
        return sharer
