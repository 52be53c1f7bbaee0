"""Who is here, and which streams they have open: at most so many of each.

Pure. A client that vanishes says nothing, and some transports do not tell either. So if all places are taken, those
who wait for nothing and have been silent longest are struck off; one that was still there takes a place again by
asking. Only where everybody waits for something is a newcomer sent away.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator

from synth_server.quota import Refusal
from synth_server.scheduler import ClientId


class Roster:
    """The clients, the one that was silent for longest first.

    Args:
        clients: how many there may be.
        streams: how many they may have open together.
    """

    def __init__(self, clients: int, streams: int) -> None:
        self._most_clients = clients
        self._most_streams = streams
        self._clients: OrderedDict[ClientId, set[str]] = OrderedDict()
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
        known = self._clients.get(client)
        if known is not None:
            self._clients.move_to_end(client)
            if digest in known:
                return None
        elif not self._room(waits, lambda: len(self._clients) < self._most_clients):
            return Refusal("clients", f"{self._most_clients} clients wait for blocks here, and no more may")
        if digest not in self._streams and not self._room(
            waits, lambda: len(self._streams) < self._most_streams, client
        ):
            return Refusal("streams", f"{self._most_streams} streams are in use here, and no more may be")
        self._clients.setdefault(client, set()).add(digest)
        self._streams[digest] += 1
        return None

    def leave(self, client: ClientId) -> None:
        """The client is gone. Harmless if repeated."""
        for digest in self._clients.pop(client, ()):
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
            for client in [client for client in self._clients if client != newest and not waits(client)]:
                self.leave(client)
                if enough():
                    break
        return enough()
