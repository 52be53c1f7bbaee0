"""Which block is rendered next: one turn for each experiment, and each block once however many wait for it.

Pure: no socket, no clock, no thread. What may wait at all is `quota.py`.

A block stands in the queue of every experiment that waits for it, so none has to wait for another's turn; whoever's
turn comes first has it rendered for all. Between two turns of an experiment that waits, every other has at most one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from itertools import chain, islice, zip_longest

from synth_server.quota import KEPT, Bounds, Load, Quota, Refusal
from synth_server.window import Key

#: A connection's name, as the transport gave it.
ClientId = bytes


class _Asks(Load):
    """What one client waits for, with the sizes."""

    __slots__ = ("keys",)

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[Key, int] = {}


class Scheduler:
    """The asks that wait for a block, and whose turn it is.

    Args:
        asks_per_client: how many blocks one client may wait for.
        bounds: what may wait instead, if there is more to say.
    """

    def __init__(self, asks_per_client: int = Bounds.client_blocks, *, bounds: Bounds | None = None) -> None:
        self._quota = Quota(bounds or Bounds(client_blocks=asks_per_client))
        self._waiting: dict[Key, dict[ClientId, str]] = {}
        self._started: dict[Key, None] = {}
        self._turns: OrderedDict[str, dict[Key, None]] = OrderedDict()
        self._asks: dict[ClientId, _Asks] = {}

    @property
    def nbytes(self) -> int:
        """Bytes that will be sent for all asks that wait."""
        return self._quota.nbytes

    def ask(self, client: ClientId, experiment: str, key: Key, nbytes: int = 0) -> Refusal | None:
        """Note that `client` waits for a block of so many bytes; or say which bound that would exceed.

        A block that somebody waits for already is rendered once for all (single flight).
        """
        asks = self._asks.get(client)
        if asks is None:
            asks = _Asks()
        elif key in asks.keys:
            return None
        if refusal := self._quota.take(asks, experiment, nbytes):
            return refusal
        if not asks.keys:
            self._asks[client] = asks
        asks.keys[key] = nbytes
        clients = self._waiting.get(key)
        if clients is None:
            clients = self._waiting[key] = {}
        clients[client] = experiment
        if key not in self._started:
            queue = self._turns.get(experiment)
            if queue is None:
                queue = self._turns[experiment] = {}
            queue[key] = None
        return None

    def next(self) -> Key | None:
        """The block to render next, from the experiment that had its last turn longest ago."""
        if not self._turns:
            return None
        experiment = next(iter(self._turns))
        self._turns.move_to_end(experiment)
        key = next(iter(self._turns[experiment]))
        self._unqueue(key, set(self._waiting[key].values()))
        self._started[key] = None
        return key

    def done(self, key: Key) -> dict[ClientId, str]:
        """Who waits for this block, and in which experiment; they wait no longer."""
        clients = self._waiting.pop(key, {})
        if key in self._started:
            del self._started[key]
        else:
            self._unqueue(key, set(clients.values()))
        for client, experiment in clients.items():
            self._settle(client, experiment, key)
        return clients

    def forget(self, client: ClientId) -> None:
        """The client is gone; what only it waited for is not rendered."""
        asks = self._asks.get(client)
        for key in list(asks.keys) if asks else ():
            clients = self._waiting[key]
            experiment = clients.pop(client)
            self._settle(client, experiment, key)
            if key not in self._started and experiment not in clients.values():
                self._unqueue(key, {experiment})
            if not clients:
                del self._waiting[key]

    def waits(self, client: ClientId) -> bool:
        """Whether this client waits for any block."""
        asks = self._asks.get(client)
        return asks is not None and bool(asks.keys)

    def waiting(self, experiment: str, digest: str) -> int:
        """How many asks of this experiment for this stream wait; any thread may ask."""
        return sum(
            name == experiment
            for (stream, _), clients in list(self._waiting.items())  # a copy: the serving thread goes on meanwhile
            if stream == digest
            for name in list(clients.values())
        )

    def upcoming(self, digest: str, count: int) -> list[int]:
        """The indices of this stream that are rendered now or soon, in about that order; any thread may ask."""
        queues = [list(queue) for queue in list(self._turns.values())]  # copies, likewise
        in_turns: Iterator[Key | None] = chain.from_iterable(zip_longest(*queues))
        keys = chain(list(self._started), in_turns)
        return list(islice(dict.fromkeys(key[1] for key in keys if key and key[0] == digest), count))

    def __len__(self) -> int:
        """How many blocks somebody waits for, those in the making included."""
        return len(self._waiting)

    def _settle(self, client: ClientId, experiment: str, key: Key) -> None:
        """The client waits for this block no longer."""
        asks = self._asks[client]
        self._quota.give(asks, experiment, asks.keys.pop(key))
        if not asks.keys and len(self._asks) > KEPT:
            del self._asks[client]

    def _unqueue(self, key: Key, experiments: set[str]) -> None:
        for experiment in experiments:
            queue = self._turns[experiment]
            del queue[key]
            if not queue:
                del self._turns[experiment]
