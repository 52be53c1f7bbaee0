"""The connections of a worker's ROUTER: whence they come, whose they are, and how they end.

libzmq tells none of this to those who only read messages. It hangs up by itself, silently, if a frame is too long or a
peer has no key, and of a client that was killed nothing is heard but that messages to it fail. Its monitor tells when
a connection begins and ends, and each message over which of them it came.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

import zmq
from zmq.utils.monitor import parse_monitor_message

from pairstream.header import MAX_HEADER_BYTES
from synth_server.complaints import Complaints
from synth_server.door import Left
from synth_server.scheduler import ClientId
from synth_server.tcp_peers import peer_of

_log = logging.getLogger(__name__)

#: In the place of an address: of a Unix socket's other end, and of one that left before it could be looked at.
LOCAL, UNKNOWN = "this machine", "an address that was gone at once"
_NO_GOODBYE: Final = (
    "broke without a good-bye: whoever was there was killed, the network failed, or a frame of more than "
    f"{MAX_HEADER_BYTES} bytes was coming, at which ZeroMQ hangs up"
)
_NO_HANDSHAKE: Final = (
    "failed in the handshake: whoever was there does not speak ZeroMQ, has no keys where the worker has some, "
    "has keys where it has none, or means another worker"
)
_EVENTS: Final = (
    zmq.EVENT_ACCEPTED
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)


@dataclass
class _Connection:
    descriptor: int
    host: str
    client: ClientId | None = None
    """Who opened a stream over it."""
    finished: bool = False
    """Whether it said good-bye."""
    how: int = 0
    """What ZeroMQ said right before its end."""


class ZmqConnections:
    """Watches a ROUTER from before it is bound until it is closed; of each host one line is logged of a kind.

    Args:
        context, router: whose connections.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], router: zmq.Socket[bytes]) -> None:
        self._router = router
        self._monitor = context.socket(zmq.PAIR)
        self._monitor.rcvhwm = 0  # with a limit, whoever connects often enough would stop ZeroMQ's own thread
        router.monitor("inproc://connections", _EVENTS)
        self._monitor.connect("inproc://connections")
        self._news: deque[tuple[int, int]] = deque()
        self._ending: Counter[int] = Counter()
        self._open: dict[int, _Connection] = {}
        self._ended: deque[_Connection] = deque()
        self._of_client: dict[ClientId, _Connection] = {}
        self._last, self._turned_away = 0, 0
        self._complaints = Complaints()

    def register(self, poller: zmq.Poller) -> None:
        """Watch for connections that come and go."""
        poller.register(self._monitor, zmq.POLLIN)

    def look(self) -> int:
        """Take note of all who came and went until now; how many have gone and are not settled."""
        self._listen()
        for _ in range(len(self._news)):
            event, value = self._news.popleft()
            if event == zmq.EVENT_ACCEPTED:
                self._open[value] = _Connection(value, self._host(value))
            elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                self._turned_away += 1
            elif event == zmq.EVENT_DISCONNECTED:
                self._end(value)
            self._last = event
        return len(self._ended)

    def opened(self, client: ClientId, name: zmq.Frame) -> None:
        """A client has opened a stream; `name` is the frame that ZeroMQ puts before its messages."""
        if connection := self._over_which(name):
            connection.client, connection.finished = client, False
            self._of_client[client] = connection

    def finished(self, client: ClientId, name: zmq.Frame) -> None:
        """A client has said good-bye, and will hang up."""
        if connection := self._of_client.get(client) or self._over_which(name):
            connection.finished = True

    def settle(self, count: int) -> list[Left]:
        """Of so many that have gone, once all that came over them was read: who left without a good-bye."""
        left = []
        for connection in [self._ended.popleft() for _ in range(count)]:
            client = connection.client
            if client is not None and self._of_client.get(client) is connection:
                del self._of_client[client]
                if not connection.finished:
                    left.append(Left(client, f"its connection {_NO_GOODBYE}"))
            if not connection.finished:
                self._complain(connection)
        return left

    def close(self) -> None:
        """Watch no more. Idempotent."""
        if not self._monitor.closed:
            self._router.disable_monitor()
            self._monitor.close(linger=0)

    def _listen(self) -> None:
        """Take what the monitor has to say."""
        while True:
            try:
                news = parse_monitor_message(self._monitor.recv_multipart(zmq.DONTWAIT))
            except zmq.Again:
                return
            self._news.append((news["event"], news["value"]))
            if news["event"] == zmq.EVENT_DISCONNECTED:
                self._ending[news["value"]] += 1

    def _host(self, descriptor: int) -> str:
        """Who is there. Once it has left, its descriptor may be another's."""
        peer = peer_of(descriptor)
        self._listen()
        if self._ending[descriptor]:
            return UNKNOWN
        return peer.host if peer else LOCAL

    def _end(self, descriptor: int) -> None:
        self._ending[descriptor] -= 1
        if connection := self._open.pop(descriptor, None):
            connection.how = self._last
            self._ended.append(connection)

    def _over_which(self, name: zmq.Frame) -> _Connection | None:
        """The connection over which a message came."""
        descriptor = int(name.get("__fd"))
        if descriptor not in self._open:
            self.look()
        gone = (connection for connection in reversed(self._ended) if connection.descriptor == descriptor)
        return self._open.get(descriptor) or next(gone, None)

    def _complain(self, connection: _Connection) -> None:
        if complaint := self._complaint(connection):
            first = self._complaints.first(f"{connection.host} {complaint}".encode())
            _log.log(logging.WARNING if first else logging.DEBUG, "a connection from %s %s", connection.host, complaint)

    def _complaint(self, connection: _Connection) -> str:
        """What there is to say of an end without a good-bye."""
        if connection.client is not None:
            return _NO_GOODBYE
        if connection.how == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
            return _NO_HANDSHAKE
        if connection.how == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            return ""  # so do those leave who only look whether the port is open
        if self._turned_away:
            self._turned_away -= 1
            return ""  # the gate has said whom
        return _NO_GOODBYE
