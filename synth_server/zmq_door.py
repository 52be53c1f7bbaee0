"""The worker's end of zmq://: one ROUTER for TCP and Unix sockets.

Frames leave without a copy, so a block's arrays live until ZeroMQ has sent them; nothing ever writes into a
rendered block. Clients on this host lend memory instead (`meeting_point.py`), and blocks are copied there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import zmq

from pairstream import sharing
from pairstream.address import Address
from pairstream.codec import decode
from pairstream.curve import OVERHEAD_BYTES
from pairstream.errors import BindError, ProtocolError
from pairstream.header import MAX_HEADER_BYTES, Frame
from pairstream.messages import Bye, Message, Open
from pairstream.worker_url import WorkerUrl
from synth_server.door import Event, Garbled, Left, Said
from synth_server.gatekeeper import Gatekeeper
from synth_server.gates import Gate
from synth_server.meeting_point import MeetingPoint
from synth_server.scheduler import ClientId
from synth_server.socket_file import make_way
from synth_server.tcp_peers import plain_host
from synth_server.zmq_connections import ZmqConnections

#: Milliseconds between ZeroMQ's heartbeats, and until a silent client counts as gone.
HEARTBEAT_MS, HEARTBEAT_TIMEOUT_MS = 1_000, 5_000
#: Messages that may wait for one client; beyond that it is given up. Their bytes are bounded by `serving.py`.
WAITING_MESSAGES = 2_048
#: Clients whose backlog is kept account of, before it is looked who of them has none any more.
REMEMBERED: Final = 64
#: Messages taken at once, so that other doors and finished blocks get their turn.
TURN: Final = 64


class ZmqDoor:
    """A ROUTER and the memory that its clients lend.

    Args:
        meeting_point: where clients of this host bring memory.
        gate: who may come in at all.
    """

    def __init__(self, meeting_point: MeetingPoint, gate: Gate) -> None:
        self._meeting_point = meeting_point
        self._context = zmq.Context()
        self._router: zmq.Socket[bytes] = self._context.socket(zmq.ROUTER)
        self._paths: list[Path] = []
        self._leaving: dict[ClientId, list[tuple[zmq.MessageTracker, int]]] = {}
        for option, value in (
            (zmq.ROUTER_MANDATORY, 1),
            (zmq.HEARTBEAT_IVL, HEARTBEAT_MS),
            (zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS),
            (zmq.HANDSHAKE_IVL, HEARTBEAT_TIMEOUT_MS),
            (zmq.MAXMSGSIZE, MAX_HEADER_BYTES + OVERHEAD_BYTES),  # clients send headers only
            (zmq.SNDHWM, WAITING_MESSAGES),
            # No limit: at one, libzmq stops to read from that client, and if the client then leaves while a heartbeat
            # is due or among what it had said, libzmq 4.3.5 aborts the process (assertion !_io_error).
            (zmq.RCVHWM, 0),
            (zmq.IPV6, 1),
        ):
            self._router.setsockopt(option, value)
        self._connections = ZmqConnections(self._context, self._router)
        self._gatekeeper = Gatekeeper(self._context, self._router, gate, self._connections.look)

    def bind(self, where: WorkerUrl) -> WorkerUrl:
        """Listen there too; returns the URL for clients, with the port that was found if it asked for any.

        Raises:
            BindError: the address is taken or not this machine's.
        """
        endpoint, place = where.endpoint, where.place
        if isinstance(place, Address):
            host = "*" if place.host == "0.0.0.0" else place.host
            endpoint = f"tcp://{host}:{place.port or '*'}"
        else:
            make_way(Path(place))
        try:
            self._router.bind(endpoint)
        except zmq.ZMQError as error:
            raise BindError(f"cannot serve pairs on {where}: {error}; choose another --bind") from error
        if isinstance(place, Address):
            port = int(self._router.getsockopt_string(zmq.LAST_ENDPOINT).rpartition(":")[2])
            return WorkerUrl("zmq", Address(place.host, port))
        self._paths.append(Path(place))
        return WorkerUrl("zmq", place)

    def register(self, poller: zmq.Poller) -> None:
        """Watch the ROUTER, who stands before it, who comes and goes, and who brings memory or leaves with it."""
        poller.register(self._router, zmq.POLLIN)
        self._connections.register(poller)
        self._gatekeeper.register(poller)
        self._meeting_point.register(poller)

    def admit(self) -> None:
        """Answer the gate's questions: without that, no handshake comes to an end."""
        self._gatekeeper.answer()

    def receive(self) -> Sequence[Event]:
        """What clients said, and those who left; those who bring memory are answered at once."""
        self._gatekeeper.answer()
        for client, answer in self._meeting_point.visitors():
            self._send_frames(client, sharing.encode(answer))
        gone = self._connections.look()
        events: list[Event] = []
        for _ in range(TURN):
            try:
                name = self._router.recv(zmq.DONTWAIT, copy=False)
            except zmq.Again:
                return events + self._settle(gone)
            events += self._hear(name, self._router.recv_multipart(zmq.DONTWAIT))
        return events

    def send(self, client: ClientId, frames: Sequence[Frame]) -> str:
        """Queue a message, or write a block into memory that the client has lent and queue the word of it."""
        if len(frames) > 1 and (reference := self._meeting_point.write(client, frames[1:])):
            frames = [frames[0], reference]
        return self._send_frames(client, frames)

    def backlog(self, client: ClientId) -> int:
        """Bytes that ZeroMQ still has of what it was given for this client."""
        leaving = [entry for entry in self._leaving.pop(client, ()) if not entry[0].done]  # they end in any order
        if leaving:
            self._leaving[client] = leaving
        return sum(nbytes for _, nbytes in leaving)

    def close(self, linger_seconds: float) -> None:
        """Close the sockets and remove their files; what is queued gets so long to leave."""
        if self._context.closed:
            return
        self._meeting_point.close()
        self._gatekeeper.close()
        self._connections.close()
        self._router.close(linger=round(linger_seconds * 1_000))
        self._context.term()
        for path in self._paths:
            path.unlink(missing_ok=True)

    def _hear(self, name: zmq.Frame, frames: list[bytes]) -> list[Event]:
        client = name.bytes
        try:
            if not sharing.is_sharing(frames):
                message = decode(frames)
                self._note(client, name, message)
                return [Said(client, message)]
            if answer := self._meeting_point.hear(client, sharing.decode(frames)):
                self._send_frames(client, sharing.encode(answer))
        except ProtocolError as error:
            return [Garbled(client, error, plain_host(str(name.get("Peer-Address"))))]
        return []

    def _note(self, client: ClientId, name: zmq.Frame, message: Message) -> None:
        """Whose connection it is, and whether its end will be a surprise."""
        if isinstance(message, Open):
            self._connections.opened(client, name)
        elif isinstance(message, Bye):
            self._connections.finished(client, name)

    def _settle(self, gone: int) -> list[Left]:
        """All that came over these connections was read."""
        left = self._connections.settle(gone)
        for client in left:
            self._forget(client.client)
        return left

    def _forget(self, client: ClientId) -> None:
        self._leaving.pop(client, None)
        self._meeting_point.forget(client)

    def _send_frames(self, client: ClientId, frames: Sequence[Frame]) -> str:
        large = len(frames) == 3
        try:
            tracker = self._router.send_multipart([client, *frames], flags=zmq.DONTWAIT, copy=False, track=large)
        except zmq.ZMQError as error:  # EHOSTUNREACH: it is gone. EAGAIN: it has not read for very long.
            self._forget(client)
            return f"cannot be sent to: {error}"
        if large and tracker is not None:
            if client not in self._leaving and len(self._leaving) >= REMEMBERED:
                for other in list(self._leaving):  # those who left with nothing on its way are forgotten here
                    self.backlog(other)
            self._leaving.setdefault(client, []).append((tracker, sum(map(len, frames))))
        return ""
