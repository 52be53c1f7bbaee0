"""hit@1 on vectors whose answer is known, and held-out pairs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_training import TINY_RECIPE, TINY_SPEC

from pairstream import StreamSpec
from trainer.held_out import FIRST_HELD_OUT, held_out_pairs
from trainer.model import untrained_model
from trainer.retrieval import hit_at_1, hits

EYE = torch.eye(4)


@pytest.mark.parametrize(
    ("a", "b", "share"),
    [
        pytest.param(EYE, EYE, 1.0, id="every view is its own"),
        pytest.param(EYE, EYE.roll(1, 0), 0.0, id="every view is its neighbour's"),
        pytest.param(EYE, EYE[[0, 1, 3, 2]], 0.5, id="two are swapped"),
        pytest.param(EYE, 9 * EYE, 1.0, id="length does not matter"),
    ],
)
def test_hits(a: torch.Tensor, b: torch.Tensor, share: float) -> None:
    assert hits(a, b) == share


def test_identical_views_are_always_found() -> None:
    sound = np.random.default_rng(0).uniform(-1, 1, (5, 1, 16_000)).astype(np.float32)
    assert hit_at_1(untrained_model(TINY_RECIPE, 0), sound.repeat(2, axis=1)) == 1.0


def test_the_model_is_judged_in_eval_mode() -> None:
    model = untrained_model(TINY_RECIPE, 0).train()
    hit_at_1(model, np.zeros((2, 2, 16_000), dtype=np.float32))
    assert not model.training


@pytest.mark.usefixtures("_tone_streams")
@pytest.mark.parametrize("pairs", [2, 4, 6])
def test_held_out_pairs_are_the_first_of_far_blocks(pairs: int) -> None:
    import tone_stream

    spec = StreamSpec(**TINY_SPEC)
    source = tone_stream.ToySource(spec)
    far = np.concatenate([source.render(FIRST_HELD_OUT + block).audio for block in range(2)])
    np.testing.assert_array_equal(held_out_pairs("local://", spec, pairs), far[:pairs])
