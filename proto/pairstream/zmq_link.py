"""One connection to one worker over ZeroMQ: a DEALER, the monitor that tells when it comes and goes, its memory.

libzmq reconnects by itself, but forgets what was in the pipe, and says so only to the monitor.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Final

import zmq
from zmq.utils.monitor import parse_monitor_message

from pairstream import sharing
from pairstream.credentials import CurveClient
from pairstream.curve import OVERHEAD_BYTES
from pairstream.errors import ConfigError
from pairstream.header import Frame
from pairstream.sharer import Sharer
from pairstream.transport import Event, Joined, Lost
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
    zmq.Event.HANDSHAKE_FAILED_NO_DETAIL: "",
    zmq.Event.HANDSHAKE_FAILED_PROTOCOL: "",
    zmq.Event.HANDSHAKE_FAILED_AUTH: "",
}
_NO_HANDSHAKE: Final = (
    "what listens there does not speak ZeroMQ, or wants keys (PAIRSTREAM_CURVE_KEY, PAIRSTREAM_CURVE_SERVER)"
)
_NO_CURVE_HANDSHAKE: Final = (
    "what listens there does not speak ZeroMQ, or has not the key that PAIRSTREAM_CURVE_SERVER says"
)
_TURNED_AWAY: Final = "it turned our key away; put the public key of PAIRSTREAM_CURVE_KEY into its --curve-allowed"
_FAILED_HANDSHAKES: Final = (
    zmq.Event.HANDSHAKE_FAILED_NO_DETAIL,
    zmq.Event.HANDSHAKE_FAILED_PROTOCOL,
    zmq.Event.HANDSHAKE_FAILED_AUTH,
)


class ZmqLink:
    """A connection, made and made again until it is closed.

    Args:
        context: of all sockets of one client.
        url: the worker.
        max_frame_bytes: no frame larger than this is accepted.
        stamps: see `Sharer`.
        curve: the keys by which both ends are known; None if nothing is encrypted.

    Raises:
        ConfigError: ZeroMQ cannot connect to anything of that name.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        url: WorkerUrl,
        max_frame_bytes: int,
        stamps: Iterator[int],
        curve: CurveClient | None = None,
    ) -> None:
        self.url = url
        self.name = str(url)
        self._stamps = stamps
        self.sharer = self._new_sharer()
        self.given_up = False
        """Whether libzmq may not try again by itself; any further event says that it does."""
        self._encrypted = curve is not None
        self._refusal = ""
        self._reached = False
        self.socket = context.socket(zmq.DEALER)
        for option, value in (
            (zmq.HEARTBEAT_IVL, HEARTBEAT_MS),
            (zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS),
            (zmq.HANDSHAKE_IVL, HEARTBEAT_TIMEOUT_MS),
            (zmq.RECONNECT_IVL, RECONNECT_MS),
            (zmq.RECONNECT_IVL_MAX, RECONNECT_MAX_MS),
            (zmq.IMMEDIATE, 1),
            (zmq.IPV6, 1),
            # No limit: at one, libzmq stops to read, hears no more heartbeats, and hangs up on workers that are well.
            # If the worker leaves meanwhile, the next heartbeat aborts this process (4.3.5, assertion !_io_error).
            (zmq.RCVHWM, 0),
            (zmq.LINGER, LINGER_MS),
            (zmq.MAXMSGSIZE, max_frame_bytes + OVERHEAD_BYTES),
        ):
            self.socket.setsockopt(option, value)
        if curve:
            self.socket.curve_publickey, self.socket.curve_secretkey = curve.pair.public, curve.pair.secret
            self.socket.curve_serverkey = curve.server
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
        event = zmq.Event(parse_monitor_message(self.monitor.recv_multipart())["event"])
        reason = self._explained(event)
        self.sharer.close()  # whatever was lent, was lent over another connection
        self.sharer = self._new_sharer()
        return Lost(self.name, reason) if reason else Joined(self.name)

    def reconnect(self) -> None:
        """Try again where libzmq does not, which takes a handshake that failed for an answer."""
        with contextlib.suppress(zmq.ZMQError):  # it has dropped the endpoint by itself, or else it could try again
            self.socket.disconnect(self.url.endpoint)
        self.socket.connect(self.url.endpoint)

    def receive(self) -> list[Frame]:
        """The frames of a message; call it when there is one."""
        return [frame.buffer for frame in self.socket.recv_multipart(copy=False)]

    def close(self, linger_ms: int = LINGER_MS) -> None:
        """Close it; what is queued gets `linger_ms` to leave."""
        self.sharer.close()
        self.socket.disable_monitor()
        self.monitor.close(linger=0)
        self.socket.close(linger=linger_ms)

    def _explained(self, event: zmq.Event) -> str:
        """Why the connection is lost; empty if it has come up. What the handshake failed of is said until it succeeds.

        What comes next is a break and a retry, which tell nothing; a second retry in a row means that nothing listens.
        """
        if event is zmq.Event.HANDSHAKE_SUCCEEDED or (event is zmq.Event.CONNECT_RETRIED and not self._reached):
            self._refusal = ""
        elif event is zmq.Event.HANDSHAKE_FAILED_AUTH:
            self._refusal = _TURNED_AWAY
        elif event in _FAILED_HANDSHAKES:
            self._refusal = _NO_CURVE_HANDSHAKE if self._encrypted else _NO_HANDSHAKE
        self.given_up = event in _FAILED_HANDSHAKES or (self.given_up and event is zmq.Event.DISCONNECTED)
        self._reached = event is not zmq.Event.CONNECT_RETRIED
        return self._refusal or _CONNECTION_EVENTS[event]

    def _new_sharer(self) -> Sharer:
        sharer = Sharer(self.name, self._stamps)
        if self.url.scheme in ("tcp", "ipc"):
            sharer.give_up("its URL says so")
        return sharer
