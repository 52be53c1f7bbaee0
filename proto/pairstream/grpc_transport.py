"""grpc://host:port – the portable data path, for networks and languages that have gRPC and not ZeroMQ.

A thread for each worker reads its stream (`grpc_link.py`) and reports here. HTTP/2 slows a worker down whose
blocks are not taken; the client's credit bounds what is on its way.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from queue import Empty, SimpleQueue
from threading import Semaphore
from typing import Final

from pairstream import allocator
from pairstream.address import Address
from pairstream.codec import encode
from pairstream.credentials import TlsClient
from pairstream.errors import ConfigError
from pairstream.grpc_link import GrpcLink
from pairstream.messages import Message
from pairstream.transport import Event
from pairstream.worker_url import WorkerUrl

#: Bytes of messages that are received ahead of `poll`; far more than any client asks for.
AHEAD_BYTES: Final = 256 << 20


class GrpcTransport:
    """Connections to workers over gRPC.

    Args:
        workers: their URLs.
        max_block_bytes: no block larger than this is accepted from a worker.
        tls: the identities by which both ends are known; None if nothing is encrypted.
    """

    def __init__(self, workers: Iterable[str], max_block_bytes: int, tls: TlsClient | None = None) -> None:
        allocator.tune()
        self._tls = tls
        self._max_block_bytes = max_block_bytes
        self._links: dict[str, GrpcLink] = {}
        self._events: SimpleQueue[tuple[GrpcLink, Event]] = SimpleQueue()
        self._room = Semaphore(_messages_ahead(max_block_bytes))
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
            ConfigError: it is no URL of a worker over gRPC.
        """
        url = WorkerUrl.parse(worker)
        if url.scheme != "grpc" or not isinstance(url.place, Address):
            raise ConfigError(f"{worker} is not reached over gRPC; write grpc://HOST:PORT")
        if worker not in self._links:
            self._links[worker] = GrpcLink(worker, str(url.place), self._max_block_bytes, self._report, self._tls)

    def remove(self, worker: str) -> None:
        """Close the connection to this worker, if there is one; nothing more is reported of it."""
        if link := self._links.pop(worker, None):
            link.close()

    def send(self, worker: str, message: Message) -> None:
        """Queue a message; if the connection is down it is dropped, and a `Lost` event says so."""
        if link := self._links.get(worker):
            link.send(encode(message))

    def poll(self, seconds: float) -> list[Event]:
        """Everything that is there, in order."""
        deadline = time.monotonic() + max(0.0, seconds)
        events: list[Event] = []
        while not events or not self._events.empty():
            try:
                link, event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                break
            self._room.release()
            if self._links.get(link.worker) is link:
                events.append(event)
        return events

    def close(self) -> None:
        """End all streams. Idempotent."""
        for worker in self.workers:
            self.remove(worker)

    def _report(self, link: GrpcLink, event: Event) -> bool:
        """On a link's thread: hand over an event as soon as there is room."""
        while not self._room.acquire(timeout=0.5):
            if link.closed:
                return False
        self._events.put((link, event))
        return not link.closed


def _messages_ahead(largest: int) -> int:
    """How many messages may wait to be polled, none of which has more than `largest` bytes."""
    return min(256, max(4, AHEAD_BYTES // largest))
