"""Which block is rendered next: one turn for each experiment, and each block once however many wait for it.

Pure: no socket, no clock, no thread.
"""

from __future__ import annotations

from collections import OrderedDict, deque

from synth_server.window import Key

#: A connection's name, as the transport gave it.
ClientId = bytes


class Scheduler:
    """The asks that wait for a block, and whose turn it is.

    Args:
        asks_per_client: how many blocks one client may wait for.
    """

    def __init__(self, asks_per_client: int) -> None:
        self.asks_per_client = asks_per_client
        self._waiting: dict[Key, dict[ClientId, str]] = {}
        self._turns: OrderedDict[str, deque[Key]] = OrderedDict()
        self._asks: dict[ClientId, set[Key]] = {}

    def ask(self, client: ClientId, experiment: str, key: Key) -> bool:
        """Note that `client` waits for a block; False if it waits for too many already.

        A block that somebody waits for already is rendered once for all (single flight).
        """
        asks = self._asks.setdefault(client, set())
        if key in asks:
            return True
        if len(asks) >= self.asks_per_client:
            return False
        asks.add(key)
        if key not in self._waiting:
            self._waiting[key] = {}
            self._turns.setdefault(experiment, deque()).append(key)
        self._waiting[key][client] = experiment
        return True

    def next(self) -> Key | None:
        """The block to render next, from the experiment that had its last turn longest ago."""
        while self._turns:
            experiment, keys = self._turns.popitem(last=False)
            key = keys.popleft()
            if keys:
                self._turns[experiment] = keys
            if key in self._waiting:
                return key
        return None

    def done(self, key: Key) -> dict[ClientId, str]:
        """Who waits for this block, and in which experiment; they wait no longer."""
        clients = self._waiting.pop(key, {})
        for client in clients:
            self._asks[client].discard(key)
        return clients

    def forget(self, client: ClientId) -> None:
        """The client is gone; what only it waited for is not rendered."""
        for key in self._asks.pop(client, set()):
            self._waiting[key].pop(client)
            if not self._waiting[key]:
                del self._waiting[key]

    def waiting(self, experiment: str, digest: str) -> int:
        """How many asks of this experiment for this stream wait; any thread may ask."""
        return sum(
            name == experiment
            for (stream, _), clients in list(self._waiting.items())  # a copy: the serving thread goes on meanwhile
            if stream == digest
            for name in list(clients.values())
        )

    def __len__(self) -> int:
        """How many blocks wait to be rendered."""
        return len(self._waiting)
