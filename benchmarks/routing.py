"""64 workers and 16 experiments in one process: what choosing a worker costs, and what a change of workers moves.

python -m benchmarks.routing [--json]

Real clients and real workers' decisions (dispatcher, scheduler, window), with a stub for the renderer and queues
for the network, so that nothing is measured but the decisions. The first table is CPU time per block on either
side of that network (the clients' includes the queues, some tenth of it), of a worker that every experiment has asked
something before. It is time of this thread, so that other processes do not count, though they do empty the caches. The
second table counts what is rendered again when a worker joins or leaves.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np

from benchmarks.calls import Calls
from pairstream.block import PairBlock
from pairstream.client import Client
from pairstream.messages import Layout, Message, Opened
from pairstream.spec import StreamSpec
from pairstream.transport import Event, Joined, Received
from synth_server.dispatcher import Dispatcher, OpenJob, Outbox
from synth_server.ledger import Ledger
from synth_server.metrics import WorkerMetrics
from synth_server.scheduler import Scheduler
from synth_server.window import Window

SPEC = StreamSpec(sample_rate=1_000, seconds=0.016, control_rate=125, block_pairs=1)
LAYOUT = Layout(pairs=1, parameters=1, samples=16, dtype="float32")
EXPERIMENTS, CREDIT, BLOCKS, ROUNDS = 16, 8, 1_024, 7
#: Blocks of each worker, about, before it is measured: as many as it takes until every experiment has asked it.
MEETINGS = 4
FLEETS = (1, 2, 4, 8, 16, 32, 64)
MEASURES = ("client_us", "worker_us", "client_calls", "worker_calls")


class Fleet:
    """Workers, and the time that their decisions took."""

    def __init__(self, capacities: Sequence[int]) -> None:
        self.workers: dict[str, Dispatcher] = {}
        self.mailboxes: dict[bytes, deque[Event]] = {}
        self.letters: dict[str, list[tuple[bytes, Message]]] = {}
        self.rendered = 0
        self.seconds = 0.0
        self.at_work = False
        for capacity in capacities:
            self.hire(capacity)

    def hire(self, capacity: int) -> str:
        """One more worker."""
        name = f"sim://worker-{len(self.workers)}:5555"
        self.workers[name] = Dispatcher(Window(1 << 30), Scheduler(128), Ledger(), WorkerMetrics())
        self.workers[name].capacity = capacity
        return name

    def fire(self) -> None:
        """One worker less: the first."""
        self.work()
        del self.workers[next(iter(self.workers))]

    def tell(self, worker: str, client: bytes, message: Message) -> None:
        """A client says something."""
        self.letters.setdefault(worker, []).append((client, message))

    def work(self) -> None:
        """Every worker that was told something does all it has to do."""
        began, self.at_work = time.thread_time(), True
        for name, letters in self.letters.items():
            worker = self.workers[name]
            for client, message in letters:
                self._post(name, worker.handle(client, message))
            while job := worker.next_job():
                if isinstance(job, OpenJob):
                    opened = Opened(digest=SPEC.digest, layout=LAYOUT, fingerprint="stub")
                    self._post(name, worker.opened(job, opened))
                    continue
                block = PairBlock(index=job.key[1], digest=job.key[0], theta=THETA, audio=AUDIO)
                self.rendered += 1
                self._post(name, worker.rendered(job, block))
        self.letters.clear()
        self.at_work = False
        self.seconds += time.thread_time() - began

    def _post(self, worker: str, outbox: Outbox) -> None:
        for client, message in outbox:
            if client in self.mailboxes:
                self.mailboxes[client].append(Received(worker, message))


THETA, AUDIO = np.zeros((1, 2, 1), np.float32), np.zeros((1, 2, 16), np.float32)


class Network:
    """A transport to a fleet."""

    def __init__(self, fleet: Fleet, name: bytes) -> None:
        self.workers: tuple[str, ...] = tuple(fleet.workers)
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
        return [self._mail.popleft()] if self._mail else []

    def close(self) -> None:
        self._fleet.mailboxes.pop(self._name, None)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of a block, on either side."""

    client: float
    worker: float


def read(fleet: Fleet, experiments: int, blocks: int, *, calls: bool = False) -> Cost:
    """Experiments in step through the first blocks of the stream; CPU seconds per block, or `calls` of functions."""
    networks = [Network(fleet, b"client-%d" % number) for number in range(experiments)]
    clients = [
        Client(network, SPEC, experiment=f"e{number}", timeout=60, credit_bytes=CREDIT * SPEC.audio_bytes)
        for number, network in enumerate(networks)
    ]
    streams: list[Iterator[PairBlock]] = [client.blocks(stop=blocks) for client in clients]
    known = min(blocks // 2, MEETINGS * len(fleet.workers))
    for _ in range(known):  # in step, so that each is rendered once for all
        for stream in streams:
            next(stream)
    gc.collect()
    gc.freeze()  # a worker has a process of its own, so that the collector never looks at the others' objects
    counted = Calls(lambda: fleet.at_work)
    worked, began = fleet.seconds, time.thread_time()
    with counted if calls else nullcontext():
        for block in zip(*streams, strict=True):
            assert len({one.index for one in block}) == 1
    whole, worked = time.thread_time() - began, fleet.seconds - worked
    gc.unfreeze()
    for client in clients:
        client.close()
    fleet.work()
    served = (blocks - known) * experiments
    if calls:
        return Cost(client=counted.elsewhere / served, worker=counted.inside / served)
    return Cost(client=(whole - worked) / served, worker=worked / served)


def costs() -> list[dict[str, float]]:
    """Median CPU per block for fleets of each size, all sizes in turn; and calls per block, always the same."""
    found: dict[int, list[Cost]] = {size: [] for size in FLEETS}
    sharing = {}
    for _ in range(ROUNDS):
        for size in FLEETS:
            fleet = Fleet([1_024] * size)
            found[size].append(read(fleet, EXPERIMENTS, BLOCKS))
            sharing[size] = EXPERIMENTS * BLOCKS / fleet.rendered
    rows = []
    for size, times in found.items():
        calls = read(Fleet([1_024] * size), EXPERIMENTS, BLOCKS, calls=True)
        rows.append(
            {
                "workers": size,
                "client_us": statistics.median(cost.client for cost in times) * 1e6,
                "worker_us": statistics.median(cost.worker for cost in times) * 1e6,
                "client_calls": calls.client,
                "worker_calls": calls.worker,
                "sharing": sharing[size],
            }
        )
    return rows


def moves() -> list[dict[str, float]]:
    """Blocks rendered again when everything was rendered and one worker joins or leaves, as a multiple of its share."""
    rows = []
    for size in (4, 16, 64):
        capacities = [(1_024, 2_048)[number % 2] for number in range(size)]
        blocks = 256 * size
        joined = Fleet(capacities)
        read(joined, 1, blocks)
        before = joined.rendered
        joined.hire(1_024)
        read(joined, 1, blocks)
        share = blocks * 1_024 / (sum(capacities) + 1_024)
        rows.append({"workers": size, "change": 1, "again": joined.rendered - before, "share": share})
        left = Fleet(capacities)
        read(left, 1, blocks)
        before = left.rendered
        left.fire()
        read(left, 1, blocks)
        share = blocks * capacities[0] / sum(capacities)
        rows.append({"workers": size, "change": -1, "again": left.rendered - before, "share": share})
    return rows


def main(as_json: bool) -> None:
    """Measure, and print."""
    cost, moved = costs(), moves()
    if as_json:
        print(json.dumps({"experiments": EXPERIMENTS, "cost": cost, "moves": moved}, indent=2))
        return
    print(f"{EXPERIMENTS} experiments in step, {BLOCKS} blocks each; CPU per block, median of {ROUNDS}")
    print(
        f"{'workers':>8}" + "".join(f" {name.replace('_', ' '):>12} {'to one':>7}" for name in MEASURES) + "  sharing"
    )
    for row in cost:
        told = "".join(f" {row[name]:12.1f} {row[name] / cost[0][name]:7.2f}" for name in MEASURES)
        print(f"{row['workers']:8}{told} {row['sharing']:8.2f}")
    print("\none worker more or less, after everything was rendered once")
    print(f"{'workers':>8} {'change':>7} {'rendered again':>15} {'its share':>10} {'ratio':>6}")
    for row in moved:
        print(
            f"{row['workers']:8} {row['change']:+7} {row['again']:15} {row['share']:10.1f} "
            f"{row['again'] / row['share']:6.2f}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    main(parser.parse_args().json)
