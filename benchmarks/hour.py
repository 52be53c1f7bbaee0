"""An hour's worth of blocks, as fast as it goes, with clients that come, stall and vanish: is memory flat?

    python -m benchmarks.hour [--blocks 90000] [--json]

A worker's decisions, window and ledger with a stub for the renderer; 90,000 blocks are an hour at 25 a second. The
clients keep to no rule: some leave politely, others are found to be gone when something is sent to them, or never if
nothing is, and some ask for more than they may. What Python has allocated is read when a tenth of the
blocks was rendered and at the end.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import tracemalloc
from dataclasses import replace

import numpy as np

from pairstream.block import PairBlock
from pairstream.messages import Busy, Bye, Layout, Open, Opened, Want
from pairstream.spec import StreamSpec
from synth_server.dispatcher import Dispatcher, OpenJob, Outbox
from synth_server.ledger import Ledger
from synth_server.limits import Limits
from synth_server.metrics import WorkerMetrics
from synth_server.scheduler import Scheduler
from synth_server.window import Window

SPEC = StreamSpec(sample_rate=1_000, seconds=0.064, control_rate=125, block_pairs=2)
LAYOUT = Layout(pairs=2, parameters=4, samples=64, dtype="float32")
#: More streams than the worker lets be open at once, and few enough that its books are full after a tenth.
STREAMS = 24
WINDOW_BLOCKS, CROWD = 256, 80


class Soak:
    """One worker and its crowd; `rendered`, `served` and `shed` count blocks.

    Args:
        seed: of everything that happens.
    """

    def __init__(self, seed: int = 0) -> None:
        self.window = Window(WINDOW_BLOCKS * LAYOUT.nbytes)
        self.dispatcher = Dispatcher(
            self.window, Scheduler(64), Ledger(), WorkerMetrics(), limits=Limits(clients=200, streams=16)
        )
        self.rendered = self.served = self.shed = self.comers = 0
        self._random = random.Random(seed)
        self._here: list[tuple[bytes, StreamSpec, str]] = []
        self._names: set[bytes] = set()

    def run(self, blocks: int) -> None:
        """Until so many more blocks were rendered."""
        until = self.rendered + blocks
        while self.rendered < until:
            self._somebody_does_something()
            self._work()

    def _somebody_does_something(self) -> None:
        chance = self._random.random()
        if chance < 0.15 or not self._here:
            self._come()
            if len(self._here) > CROWD:
                self._leave()
        else:
            client, spec, experiment = self._random.choice(self._here)
            first, count = self.rendered // 2 + self._random.randrange(64), self._random.choice((1, 4, 4, 200))
            want = Want(digest=spec.digest, indices=tuple(range(first, first + count)), experiment=experiment)
            self._send(self.dispatcher.handle(client, want))

    def _come(self) -> None:
        self.comers += 1
        client, spec = b"%d" % self.comers, replace(SPEC, seed=self._random.randrange(STREAMS))
        if self._here and self._random.random() < 0.7:
            spec = self._random.choice(self._here)[1]
        self._names.add(client)
        self._here.append((client, spec, f"experiment {self.comers // 3}"))
        self._send(self.dispatcher.handle(client, Open(spec=spec.as_dict(), experiment=self._here[-1][2])))

    def _leave(self) -> None:
        client, _, _ = self._here.pop(self._random.randrange(len(self._here)))
        self._names.discard(client)
        if self._random.random() < 0.3:
            self._send(self.dispatcher.handle(client, Bye(reason="done")))

    def _work(self) -> None:
        job = self.dispatcher.next_job()
        if isinstance(job, OpenJob):
            opened = Opened(digest=job.spec.digest, layout=LAYOUT, fingerprint="stub")
            self._send(self.dispatcher.opened(job, opened))
        elif job is not None:
            digest, index = job.key
            theta, audio = np.zeros((2, 2, 4), np.float32), np.zeros((2, 2, 64), np.float32)
            self.rendered += 1
            self._send(self.dispatcher.rendered(job, PairBlock(index=index, digest=digest, theta=theta, audio=audio)))

    def _send(self, outbox: Outbox) -> None:
        for client, message in outbox:
            self.served += isinstance(message, PairBlock)
            self.shed += len(message.indices) if isinstance(message, Busy) else 0
            if client not in self._names:
                self.dispatcher.forget(client)


def allocated() -> int:
    """Bytes that Python holds now."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def measure(blocks: int) -> dict[str, float]:
    """Bytes after a tenth of the blocks and in the end, and what happened in between."""
    tracemalloc.start()
    soak = Soak()
    soak.run(blocks // 10)
    early = allocated()
    soak.run(blocks - blocks // 10)
    late = allocated()
    tracemalloc.stop()
    return {
        "blocks": soak.rendered,
        "served": soak.served,
        "shed": soak.shed,
        "clients": soak.comers,
        "early_bytes": early,
        "late_bytes": late,
        "ratio": late / early,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=90_000, help="how many are rendered")
    parser.add_argument("--json", action="store_true", help="print JSON instead of words")
    arguments = parser.parse_args()
    result = measure(arguments.blocks)
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        print(
            f"{result['blocks']:,} blocks rendered, {result['served']:,} served, {result['shed']:,} shed, "
            f"{result['clients']:,} clients; allocated {result['early_bytes'] / 2**20:.2f} MiB after a tenth, "
            f"{result['late_bytes'] / 2**20:.2f} MiB in the end ({result['ratio']:.3f})"
        )
