"""A stream whose delta changes at set steps: each piece is the plain stream of its delta, at the same place."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch

from pairstream import StreamSpec
from pairstream.cursor import Share
from pairstream.torch import PairBatch, PairStream
from trainer.config import FitSettings, MaterialChoice, SpecChoice
from trainer.plan import new_plan
from trainer.sources.build import build_source
from trainer.sources.source import Source

SPEC = StreamSpec(synth="toy", block_pairs=4)
DELTAS = {2: 0.5, 4: 0.0}
#: The delta of each batch, that of the spec first.
EXPECTED = [0.1, 0.1, 0.5, 0.5, 0.0, 0.0]
pytestmark = pytest.mark.usefixtures("_tone_streams")


def schedule(rank: int = 0, world: int = 1, **said: object) -> Source:
    settings = FitSettings(
        run=Path("run"),
        spec=SpecChoice(synth="toy", block_pairs=4, delta=0.1),
        batch_pairs=8,
        **said,  # type: ignore[arg-type]
    )
    return build_source(new_plan(settings), settings, None, Share(rank=rank, world=world))


def some(of: Source, count: int = 6) -> list[PairBatch]:
    return list(islice(of, count))


@pytest.mark.parametrize("start", [0, 3])
def test_every_batch_is_that_of_the_stream_of_its_delta(start: int) -> None:
    found = some(schedule(data=MaterialChoice(deltas=DELTAS), start=start))
    for number, (batch, delta) in enumerate(zip(found, EXPECTED, strict=True)):
        plain = PairStream("local://", replace(SPEC, delta=delta), batch_pairs=8, start=start + 2 * number)
        expected = next(iter(plain))
        assert torch.equal(batch.audio, expected.audio)
        assert (batch.index, batch.pair) == (expected.index, expected.pair)


def test_a_delta_from_step_0_takes_the_place_of_the_specs() -> None:
    (batch,) = some(schedule(data=MaterialChoice(deltas={0: 0.5})), 1)
    plain = next(iter(PairStream("local://", replace(SPEC, delta=0.5), batch_pairs=8)))
    assert torch.equal(batch.audio, plain.audio)


@pytest.mark.parametrize("taken", [1, 2, 3, 4, 5])
def test_going_on_from_a_state_is_going_on(taken: int) -> None:
    first = schedule(data=MaterialChoice(deltas=DELTAS))
    expected = some(first)
    later = schedule(data=MaterialChoice(deltas=DELTAS))
    later.load_state_dict(first.state_after(expected[taken - 1]))
    for batch, same in zip(some(later, 6 - taken), expected[taken:], strict=True):
        assert torch.equal(batch.audio, same.audio)


def test_ranks_partition_every_batch() -> None:
    parts = [some(schedule(rank, 2, data=MaterialChoice(deltas=DELTAS))) for rank in range(2)]
    for number, whole in enumerate(some(schedule(data=MaterialChoice(deltas=DELTAS)))):
        assert torch.equal(torch.cat([part[number].audio for part in parts]), whole.audio)


def test_a_pool_is_read_again_and_again_in_other_orders() -> None:
    indices = torch.cat([batch.audio for batch in some(schedule(data=MaterialChoice(pool=3)), 6)]).unflatten(0, (12, 4))
    blocks = [next(iter(PairStream("local://", replace(SPEC, delta=0.1), start=index))).audio for index in range(3)]
    order = [[torch.equal(part, block) for block in blocks].index(True) for part in indices]
    assert all(sorted(order[at : at + 3]) == [0, 1, 2] for at in range(0, 12, 3))
    assert len({tuple(order[at : at + 3]) for at in range(0, 12, 3)}) > 1
