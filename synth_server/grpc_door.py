"""The worker's end of grpc://: a stream for every client, in the form of `pairstream.grpc_wire`.

gRPC runs each stream on a thread of its own, which sends, and a second one here listens; both meet the serving
thread in queues. What waits for a client that does not read is bounded by `serving.py`.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import Final

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its C++ core would log every handshake that fails

import grpc
import zmq

from pairstream.errors import ProtocolError
from pairstream.grpc_wire import METHOD, SERVICE, Assembler, pieces
from pairstream.header import Frame
from synth_server.bell import Bell
from synth_server.door import Event, Garbled, Left, Said
from synth_server.scheduler import ClientId
from synth_server.tcp_peers import Peer

#: Streams at once; each takes two threads.
CLIENTS: Final = 64
#: Messages of one client that the serving thread has not come to; it listens to no more until it has.
UNHEARD: Final = 64
#: Messages that may wait for one client; beyond that it is given up.
WAITING_MESSAGES: Final = 2_048


class GrpcDoor:
    """The method Converse of all clients; `handler` is to be added to a gRPC server.

    Args:
        bell: wakes the serving thread.
    """

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._names = itertools.count(1)
        self._events: SimpleQueue[tuple[_Outlet, Event]] = SimpleQueue()
        self._outlets: dict[ClientId, _Outlet] = {}
        method: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(
            self._converse
            # no serializers: bytes both ways
        )
        self.handler = grpc.method_handlers_generic_handler(SERVICE, {METHOD: method})

    def register(self, poller: zmq.Poller) -> None:
        """Nothing to watch: the bell is rung."""

    def admit(self) -> None:
        """gRPC lets them in by itself."""

    def receive(self) -> Sequence[Event]:
        """What clients said, and those who left."""
        events = []
        while not self._events.empty():
            outlet, event = self._events.get()
            outlet.heard.release()
            events.append(event)
        return events

    def send(self, client: ClientId, frames: Sequence[Frame]) -> str:
        """Queue a message for its stream."""
        outlet = self._outlets.get(client)
        if outlet is None:
            return "its stream has ended"
        return "" if outlet.put(frames) else f"has not read {WAITING_MESSAGES} messages"

    def backlog(self, client: ClientId) -> int:
        """Bytes of blocks that wait for its stream."""
        outlet = self._outlets.get(client)
        return outlet.backlog if outlet else 0

    def close(self, linger_seconds: float) -> None:
        """End every stream after what is queued for it; the gRPC server gives it time to."""
        for outlet in list(self._outlets.values()):
            outlet.end()

    def _converse(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        """On a thread of gRPC: one client's stream, from its first message to its last."""
        if len(self._outlets) >= CLIENTS:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{CLIENTS} clients are served over gRPC, no more can be")
        client, outlet = next(self._names).to_bytes(8, "big"), _Outlet(Peer.named(context.peer()).host)
        self._outlets[client] = outlet
        if not context.add_callback(outlet.end):
            outlet.end()
        context.send_initial_metadata(())
        Thread(target=self._listen, args=(client, outlet, requests), name="listen", daemon=True).start()
        try:
            yield from outlet
        finally:
            del self._outlets[client]
            self._tell(outlet, Left(client, "its stream ended"))

    def _listen(self, client: ClientId, outlet: _Outlet, requests: Iterator[bytes]) -> None:
        """On a thread of its own: what a client says, until it says nothing more."""
        assembler = Assembler(max_block_bytes=0)
        try:
            for piece in requests:
                try:
                    message = assembler.add(piece)
                except ProtocolError as error:
                    self._tell(outlet, Garbled(client, error, outlet.host))
                else:
                    if message is not None:
                        self._tell(outlet, Said(client, message))
        except grpc.RpcError:
            pass  # how gRPC says that a stream was broken off; its end tells
        outlet.end()

    def _tell(self, outlet: _Outlet, event: Event) -> None:
        while not isinstance(event, Left) and not outlet.heard.acquire(timeout=1.0):
            if outlet.ended:
                return
        self._events.put((outlet, event))
        self._bell.ring()


class _Outlet:
    """What waits for one client: filled by the serving thread, emptied by the thread of its stream."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.heard = Semaphore(UNHEARD)
        self.ended = False
        self._queue: SimpleQueue[Sequence[Frame] | None] = SimpleQueue()
        self._put = self._taken = 0  # bytes; one thread writes each

    @property
    def backlog(self) -> int:
        """Bytes of blocks put and not yet taken."""
        return self._put - self._taken

    def put(self, frames: Sequence[Frame]) -> bool:
        """Queue a message; False if too many wait."""
        if self._queue.qsize() >= WAITING_MESSAGES:
            return False
        self._put += sum(map(len, frames[1:]))
        self._queue.put(frames)
        return True

    def end(self) -> None:
        """Let the stream end after what is queued."""
        self.ended = True
        self._queue.put(None)

    def __iter__(self) -> Iterator[bytes]:
        while (frames := self._queue.get()) is not None:
            yield from pieces(frames)
            self._taken += sum(map(len, frames[1:]))
