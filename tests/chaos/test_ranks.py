"""A training that is killed and goes on with another number of ranks: every global batch is the same."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from hashlib import sha256
from typing import Any

import pytest
from rank_process import BATCH_PAIRS, RankProcess
from toy_source import TOY, ToySource, open_toy

from synth_server.config import ServeSettings
from synth_server.metrics import WorkerMetrics
from synth_server.server import Server

pytestmark = pytest.mark.slow

BATCHES, CHECKPOINT_EVERY = 24, 3


@pytest.fixture
def url() -> Iterator[str]:
    settings = ServeSettings(bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0")
    with Server(settings, open_toy, WorkerMetrics()) as server:
        yield server.addresses.data


class Training:
    """Global batches that were trained on, and the newest checkpoint; what came after that is lost with the ranks."""

    def __init__(self) -> None:
        self.batches: list[str] = []
        self.state: Mapping[str, Any] = {}
        self._saved = 0

    def run(self, url: str, world: int, *, until: int, killed_after: int | None = None) -> None:
        """Up to batch `until`, or to the kill of all ranks when so many of them have their part of it."""
        self.batches = self.batches[: self._saved]
        with ExitStack() as stack:
            ranks = [RankProcess(url, rank, world, self.state or {"next": 0}) for rank in range(world)]
            for rank in ranks:
                stack.callback(rank.kill)
            while len(self.batches) < until:
                for rank in ranks:
                    rank.ask()
                self._step([rank.part() for rank in ranks])
            for rank in ranks[: killed_after or 0]:
                rank.ask()
                rank.part()

    def _step(self, parts: list[tuple[bytes, bytes, dict[str, Any]]]) -> None:
        """All ranks have their part: the optimiser's step, and now and then a checkpoint."""
        thetas, audios, states = zip(*parts, strict=True)
        self.batches.append(digest(b"".join(thetas), b"".join(audios)))
        assert all(state == states[0] for state in states)
        if len(self.batches) % CHECKPOINT_EVERY == 0:
            self.state, self._saved = states[0], len(self.batches)


def digest(theta: bytes, audio: bytes) -> str:
    return sha256(theta + audio).hexdigest()


def reference(batches: int) -> list[str]:
    """Every global batch, rendered here one block after the other."""
    source, blocks = ToySource(TOY), BATCH_PAIRS // TOY.block_pairs
    rendered = [[source.render(number * blocks + part) for part in range(blocks)] for number in range(batches)]
    return [
        digest(b"".join(block.theta.tobytes() for block in batch), b"".join(block.audio.tobytes() for block in batch))
        for batch in rendered
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_with_two_ranks_and_resumed_with_one_and_with_four_the_global_batches_are_the_same(url: str, seed: int):
    dice = random.Random(seed)
    training = Training()
    for world, begin in ((2, 4), (1, 9), (4, 14)):
        training.run(url, world, until=dice.randrange(begin, begin + 4), killed_after=dice.randrange(world + 1))
    training.run(url, 2, until=BATCHES)
    assert training.batches == reference(BATCHES)
