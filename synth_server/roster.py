"""Who is here, and which streams they have open: at most so many of each.

Pure. A client that vanishes says nothing, and some transports do not tell either. So if all places are taken, those
who wait for nothing and have been silent longest are struck off; one that was still there takes a place again by
asking. Only where everybody waits for something is a newcomer sent away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from synth_server.quota import Refusal
from synth_server.scheduler import ClientId


class _Client:
    """The streams that one client has open, and when it was last heard."""

    __slots__ = ("heard_at", "streams")

    def __init__(self, heard_at: int) -> None:
        self.heard_at = heard_at
        self.streams: set[str] = set()


class Roster:
    """The clients and their streams.

    Args:
        clients: how many there may be.
        streams: how many they may have open together.
    """

    def __init__(self, clients: int, streams: int) -> None:
        self._most_clients = clients
        self._most_streams = streams
        self._clients: dict[ClientId, _Client] = {}
        self._admitted = 0
        self._streams: Counter[str] = Counter()

    @property
    def streams(self) -> int:
        """How many streams somebody has open."""
        return len(self._streams)

    def admit(self, client: ClientId, digest: str, waits: Callable[[ClientId], bool]) -> Refusal | None:
        """Note that the client uses this stream; or say why it cannot.

        Args:
            waits: whether a client waits for anything.
        """
        self._admitted += 1
        known = self._clients.get(client)
        if known is not None:
            known.heard_at = self._admitted
            if digest in known.streams:
                return None
        elif not self._room(waits, lambda: len(self._clients) < self._most_clients):
            return Refusal("clients", f"{self._most_clients} clients wait for blocks here, and no more may")
        if digest not in self._streams and not self._room(
            waits, lambda: len(self._streams) < self._most_streams, client
        ):
            return Refusal("streams", f"{self._most_streams} streams are in use here, and no more may be")
        if known is None:
            known = self._clients[client] = _Client(self._admitted)
        known.streams.add(digest)
        self._streams[digest] += 1
        return None

    def leave(self, client: ClientId) -> None:
        """The client is gone. Harmless if repeated."""
        known = self._clients.pop(client, None)
        for digest in known.streams if known else ():
            self._streams[digest] -= 1
            if not self._streams[digest]:
                del self._streams[digest]

    def __len__(self) -> int:
        return len(self._clients)

    def __iter__(self) -> Iterator[ClientId]:
        return iter(self._clients)

    def _room(self, waits: Callable[[ClientId], bool], enough: Callable[[], bool], newest: ClientId = b"") -> bool:
        """Strike off silent clients that wait for nothing until there is room; False if that does not help."""
        if not enough():
            silent = [client for client in self._clients if client != newest and not waits(client)]
            for client in sorted(silent, key=lambda client: self._clients[client].heard_at):
                self.leave(client)
                if enough():
                    break
        return enough()
