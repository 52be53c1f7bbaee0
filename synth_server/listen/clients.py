"""Connections to the workers, kept for a while: a few streams at once, each client used by one thread at a time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import TypeVar

from pairstream import Client, connect
from pairstream.errors import RenderError
from pairstream.spec import StreamSpec

#: Idle connections that are kept. A worker keeps 64 streams open for all its clients, so this is little of it.
KEPT = 8
#: What a client may ask for ahead: pairs are small.
CREDIT_BYTES = 4 << 20
#: The name under which workers count what is looked at.
EXPERIMENT = "listen"

Connect = Callable[..., Client]
Result = TypeVar("Result")


class Clients:
    """Clients of one URL, for any stream.

    Args:
        url: where the workers are.
        timeout: of every wait, in seconds.
        connect: opens a stream.
    """

    def __init__(self, url: str, *, timeout: float, connect: Connect = connect) -> None:
        self.url = url
        self._timeout = timeout
        self._connect = connect
        self._lock = Lock()
        self._idle: list[Client] = []
        self._closed = False

    def call(self, spec: StreamSpec, work: Callable[[Client], Result]) -> Result:
        """What `work` does with a client of this stream, which it has for itself.

        A client that was idle may not have seen that its worker is another one by now, or has forgotten the stream. If
        so, the work is done again with a new client.
        """
        if client := self._take(spec):
            with suppress(RenderError):
                return self._use(client, work)
        return self._use(self._open(spec), work)

    def head(self, spec: StreamSpec) -> int | None:
        """The newest index that any worker lately served of this stream: what it says when the stream is opened."""
        with self._open(spec) as client:
            return client.head()

    def close(self) -> None:
        """Close those that are idle, and the others as they become so."""
        with self._lock:
            self._closed, idle, self._idle = True, self._idle, []
        for client in idle:
            client.close()

    def _use(self, client: Client, work: Callable[[Client], Result]) -> Result:
        try:
            result = work(client)
        except BaseException:
            client.close()
            raise
        self._give(client)
        return result

    def _open(self, spec: StreamSpec) -> Client:
        return self._connect(self.url, spec, experiment=EXPERIMENT, timeout=self._timeout, credit_bytes=CREDIT_BYTES)

    def _take(self, spec: StreamSpec) -> Client | None:
        with self._lock:
            for client in reversed(self._idle):
                if client.spec == spec:
                    self._idle.remove(client)
                    return client
        return None

    def _give(self, client: Client) -> None:
        with self._lock:
            self._idle.append(client)
            most = 0 if self._closed else KEPT
            surplus = [self._idle.pop(0) for _ in range(len(self._idle) - most)]
        for old in surplus:
            old.close()
