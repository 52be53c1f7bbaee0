"""A fleet of workers and its clients without processes: their decisions, a stub for the renderer, queues as a network.

Everyone's post is written down, so that one client or one worker can be given the same again, alone: in life each has a
process of its own, and 64 workers in one process push each other, and the clients, out of its caches.
"""

from __future__ import annotations

import gc
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice

import numpy as np

from pairstream.block import PairBlock
from pairstream.client import Client
from pairstream.messages import Layout, Message, Opened
from pairstream.spec import StreamSpec
from pairstream.transport import Event, Joined, Received, Transport
from synth_server.dispatcher import Dispatcher, OpenJob, Outbox
from synth_server.ledger import Ledger
from synth_server.metrics import WorkerMetrics
from synth_server.scheduler import Scheduler
from synth_server.window import Window

SPEC = StreamSpec(sample_rate=1_000, seconds=0.016, control_rate=125, block_pairs=1)
LAYOUT = Layout(pairs=1, parameters=1, samples=16, dtype="float32")
OPENED = Opened(digest=SPEC.digest, layout=LAYOUT, fingerprint="stub")
THETA, AUDIO = np.zeros((1, 2, 1), np.float32), np.zeros((1, 2, 16), np.float32)
#: Blocks that a client asks for ahead.
CREDIT = 8
#: So many pieces of post are laid out in fresh memory at once.
AT_ONCE = 64

#: What several clients said to one worker before it did anything.
Letters = Sequence[tuple[bytes, Message]]
#: Counts, say, while somebody is measured.
Watch = AbstractContextManager[object]


class Fleet:
    """Workers, and all that they heard."""

    def __init__(self, capacities: Sequence[int]) -> None:
        self.workers: dict[str, Dispatcher] = {}
        self.heard: dict[str, list[Letters]] = {}
        self.mailboxes: dict[bytes, deque[Event]] = {}
        self.rendered = 0
        self._letters: dict[str, list[tuple[bytes, Message]]] = {}
        for capacity in capacities:
            self.hire(capacity)

    def hire(self, capacity: int) -> None:
        """One more worker."""
        name = f"sim://worker-{len(self.workers)}:5555"
        self.workers[name], self.heard[name] = _hired(capacity), []

    def fire(self) -> None:
        """One worker less: the first."""
        self.work()
        name = next(iter(self.workers))
        del self.workers[name], self.heard[name]

    def tell(self, worker: str, client: bytes, message: Message) -> None:
        """A client says something."""
        self._letters.setdefault(worker, []).append((client, message))

    def work(self) -> None:
        """Every worker that was told something does all it has to do."""
        for name, letters in self._letters.items():
            self.heard[name].append(letters)
            self.rendered += _act(self.workers[name], letters, partial(self._post, name))
        self._letters.clear()

    def _post(self, worker: str, outbox: Outbox) -> None:
        for client, message in outbox:
            if client in self.mailboxes:
                self.mailboxes[client].append(Received(worker, message))


class Network:
    """A transport to a fleet, and all that came over it."""

    def __init__(self, fleet: Fleet, name: bytes) -> None:
        self.workers: tuple[str, ...] = tuple(fleet.workers)
        self.came: list[Event] = []
        self._fleet, self._name = fleet, name
        self._mail = fleet.mailboxes[name] = deque(Joined(worker) for worker in self.workers)

    def add(self, worker: str) -> None:
        self.workers = (*self.workers, worker)
        self._mail.append(Joined(worker))

    def remove(self, worker: str) -> None:
        self.workers = tuple(name for name in self.workers if name != worker)

    def send(self, worker: str, message: Message) -> None:
        self._fleet.tell(worker, self._name, message)

    def poll(self, seconds: float) -> list[Event]:
        if not self._mail:
            self._fleet.work()
        if not self._mail:
            return []
        self.came.append(self._mail.popleft())
        return [self.came[-1]]

    def close(self) -> None:
        self._fleet.mailboxes.pop(self._name, None)


class Echo:
    """A transport over which the same comes again, for a client that is alone; what it says is not heard."""

    def __init__(self, workers: tuple[str, ...], came: Sequence[Event]) -> None:
        self.workers = workers
        self.seconds = 0.0  # of laying out what comes next, which is no work of the client
        self.laying_out = False
        self._came, self._ready = iter(came), deque[Event]()

    def add(self, worker: str) -> None:
        return

    def remove(self, worker: str) -> None:
        return

    def send(self, worker: str, message: Message) -> None:
        return

    def poll(self, seconds: float) -> list[Event]:
        if not self._ready:
            began, self.laying_out = time.thread_time(), True
            self._ready.extend(map(_fresh, islice(self._came, AT_ONCE)))
            self.laying_out = False
            self.seconds += time.thread_time() - began
        return [self._ready.popleft()] if self._ready else []

    def close(self) -> None:
        return


def _fresh(event: Event) -> Event:
    """The same in memory that is warm, as that of a message is which has just been decoded."""
    return replace(event, message=replace(event.message)) if isinstance(event, Received) else event


def client(transport: Transport, experiment: str) -> Client:
    """One experiment."""
    return Client(transport, SPEC, experiment=experiment, timeout=60, credit_bytes=CREDIT * SPEC.audio_bytes)


def alone_as_client(echo: Echo, before: int, blocks: int, watch: Watch) -> float:
    """CPU seconds per block of a client to which the same comes again, once it has had so many `before`."""
    with client(echo, "again") as one, _undisturbed():
        stream = one.blocks(stop=blocks)
        for _ in islice(stream, before):
            pass
        began, laid_out = time.thread_time(), echo.seconds
        with watch:
            for _ in stream:
                pass
        return (time.thread_time() - began - (echo.seconds - laid_out)) / (blocks - before)


def alone_as_worker(heard: Sequence[Letters], before: int, watch: Watch) -> tuple[float, int]:
    """CPU seconds of a worker that hears the same again, once it has heard so much `before`; and the blocks it sent."""
    worker, seconds, sent = _hired(1_024), 0.0, 0

    def count(outbox: Outbox) -> None:
        nonlocal sent
        sent += len(outbox)

    with _undisturbed():
        for letters in heard[:before]:
            _act(worker, letters, count)
        sent = 0
        for begin in range(before, len(heard), AT_ONCE):
            fresh = [[(by, replace(message)) for by, message in one] for one in heard[begin : begin + AT_ONCE]]
            began = time.thread_time()
            with watch:
                for letters in fresh:
                    _act(worker, letters, count)
            seconds += time.thread_time() - began
    return seconds, sent


@contextmanager
def _undisturbed() -> Iterator[None]:
    """In life the collector of garbage never sees the others' objects."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _hired(capacity: int) -> Dispatcher:
    worker = Dispatcher(Window(1 << 30), Scheduler(128), Ledger(), WorkerMetrics())
    worker.capacity = capacity
    return worker


def _act(worker: Dispatcher, letters: Letters, post: Callable[[Outbox], None]) -> int:
    """All that a worker does when it is told this; the number of blocks that it renders."""
    for by, message in letters:
        post(worker.handle(by, message))
    rendered = 0
    while job := worker.next_job():
        if isinstance(job, OpenJob):
            post(worker.opened(job, OPENED))
            continue
        rendered += 1
        post(worker.rendered(job, PairBlock(index=job.key[1], digest=job.key[0], theta=THETA, audio=AUDIO)))
    return rendered
