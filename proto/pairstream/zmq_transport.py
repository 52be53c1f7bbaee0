"""zmq://, tcp://, ipc:// and shm:// – the data path between processes and hosts: a DEALER here for every ROUTER there.

ZeroMQ's own thread receives into memory while the consumer computes; how much, the client bounds by what it asks for.
On the worker's own host the blocks come through shared memory (`sharing.py`), and ZeroMQ says that they are there.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Sequence
from typing import Final

import zmq

from pairstream import allocator, sharing
from pairstream.codec import decode, encode
from pairstream.credentials import CurveClient
from pairstream.errors import ConfigError, ProtocolError
from pairstream.messages import Message, Opened, Want
from pairstream.transport import Event, Garbled, Lost, Received
from pairstream.worker_url import WorkerUrl
from pairstream.zmq_link import LINGER_MS, RECONNECT_MAX_MS, ZmqLink

SCHEMES: Final = ("zmq", "tcp", "ipc", "shm")
#: Seconds that a worker on this host may take to share memory, before it is asked for frames instead.
SHARING_SECONDS: Final = 2.0


class ZmqTransport:
    """Connections to workers over ZeroMQ.

    Args:
        workers: their URLs.
        max_frame_bytes: no single frame larger than this is accepted from a worker.
        curve: the keys by which both ends are known; None if nothing is encrypted.
    """

    def __init__(self, workers: Iterable[str], max_frame_bytes: int, curve: CurveClient | None = None) -> None:
        allocator.tune()
        self._curve = curve
        self._max_frame_bytes = max_frame_bytes
        self._context = zmq.Context()
        self._poller = zmq.Poller()
        self._links: dict[str, ZmqLink] = {}
        self._monitors: dict[zmq.Socket[bytes], ZmqLink] = {}
        self._sockets: dict[zmq.Socket[bytes], ZmqLink] = {}
        self._withheld: dict[str, tuple[Opened, float]] = {}
        self._given_up: dict[str, float] = {}
        self._stamps = itertools.count(1)
        try:
            for worker in workers:
                self.add(worker)
        except BaseException:
            self.close()
            raise

    @property
    def workers(self) -> Sequence[str]:
        """The URLs of the workers that there are now."""
        return tuple(self._links)

    def add(self, worker: str) -> None:
        """Begin to connect to this worker; `Joined` or `Lost` will be reported. One that is there already stays.

        Raises:
            ConfigError: it is no URL of a worker over ZeroMQ.
        """
        url = WorkerUrl.parse(worker)
        if url.scheme not in SCHEMES:
            raise ConfigError(f"{worker} is not reached over ZeroMQ; write {' or '.join(SCHEMES)}://…")
        if worker in self._links:
            return
        link = ZmqLink(self._context, url, self._max_frame_bytes, self._stamps, self._curve)
        self._links[worker] = self._monitors[link.monitor] = self._sockets[link.socket] = link
        for source in (link.monitor, link.socket):
            self._poller.register(source, zmq.POLLIN)

    def remove(self, worker: str) -> None:
        """Close the connection to this worker, if there is one; nothing more is reported of it."""
        self._withheld.pop(worker, None)
        self._given_up.pop(worker, None)
        link = self._links.pop(worker, None)
        if link is None:
            return
        del self._monitors[link.monitor], self._sockets[link.socket]
        for source in (link.monitor, link.socket):
            self._poller.unregister(source)
        link.close(LINGER_MS)

    def send(self, worker: str, message: Message) -> None:
        """Queue a message; if the connection is down it is dropped, and a `Lost` event says so."""
        link = self._links.get(worker)
        if link is None:
            return
        if isinstance(message, Want):
            link.say(link.sharer.lend(message.indices))
        link.send(encode(message))

    def poll(self, seconds: float) -> list[Event]:
        """Everything that is there, connections' comings and goings before what came over them."""
        if self._withheld:
            seconds = min(seconds, SHARING_SECONDS)
        if self._given_up:
            seconds = min(seconds, self._try_again())
        ready = [socket for socket, _ in self._poller.poll(max(0, round(seconds * 1_000)))]
        events = [self._connection_event(self._monitors[socket]) for socket in ready if socket in self._monitors]
        for socket in ready:
            if socket in self._sockets:
                events += self._message_events(self._sockets[socket])
        for worker in [worker for worker, (_, until) in self._withheld.items() if time.monotonic() > until]:
            self._links[worker].sharer.give_up(f"it did not take our memory within {SHARING_SECONDS} s")
            events += self._opened(self._links[worker])
        return events

    def close(self) -> None:
        """Close all sockets; what is queued gets `LINGER_MS` to leave. Idempotent."""
        for worker in self.workers:
            self.remove(worker)
        if not self._context.closed:
            self._context.term()

    def _connection_event(self, link: ZmqLink) -> Event:
        self._withheld.pop(link.name, None)
        event = link.connection_event()
        if link.given_up:
            self._given_up.setdefault(link.name, time.monotonic() + RECONNECT_MAX_MS / 1_000)
        else:
            self._given_up.pop(link.name, None)
        return event

    def _try_again(self) -> float:
        """Connect anew to workers whose handshakes failed a while ago; seconds until the next of them."""
        now = time.monotonic()
        for worker in [worker for worker, at in self._given_up.items() if at <= now]:
            del self._given_up[worker]
            self._links[worker].reconnect()
        return min((at - now for at in self._given_up.values()), default=RECONNECT_MAX_MS / 1_000)

    def _message_events(self, link: ZmqLink) -> list[Event]:
        frames = link.receive()
        try:
            if sharing.is_sharing(frames):
                link.sharer.hear(sharing.decode(frames))
                return self._opened(link)
            if not sharing.is_reference(frames):
                return self._received(link, decode(frames))
            filled = link.sharer.open(frames)
            return self._received(link, decode(filled)) if filled else []
        except ProtocolError as error:
            return [Garbled(link.name, error)]

    def _received(self, link: ZmqLink, message: Message) -> list[Event]:
        link.sharer.note(message)
        if isinstance(message, Opened):
            self._withheld[link.name] = (message, time.monotonic() + SHARING_SECONDS)
            if not link.sharer.settled:
                link.say(link.sharer.ask(message.layout))
            return self._opened(link)
        return [Received(link.name, message)]

    def _opened(self, link: ZmqLink) -> list[Event]:
        """The answer that was withheld, once it is settled whether memory is shared."""
        if link.name not in self._withheld or not link.sharer.settled:
            return []
        message, _ = self._withheld.pop(link.name)
        if link.url.scheme == "shm" and link.sharer.reason:
            return [Lost(link.name, f"it shares no memory with this process ({link.sharer.reason}); use zmq://")]
        return [Received(link.name, message)]
