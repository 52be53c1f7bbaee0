"""The same sounds and pictures on a card as on a CPU, but for rounding."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainer.augment.chain import Chain
from trainer.augment.masks import Masks
from trainer.augmentation import SETS

pytestmark = pytest.mark.gpu

AUDIO = torch.from_numpy(np.random.default_rng(0).standard_normal((64, 2, 16_000)).astype(np.float32) * 0.1)


@pytest.mark.parametrize("name", ["paper", "strong"])
def test_sounds_are_changed_as_on_a_cpu(name: str) -> None:
    chain = Chain(SETS[name], seed=0, rate=16_000)  # type: ignore[index]
    here, there = chain(AUDIO, 100), chain(AUDIO.to("cuda"), 100)
    apart = (there.cpu() - here).square().mean(dim=2).sqrt() / here.square().mean(dim=2).sqrt()
    assert float(apart.max()) < 0.01
    assert torch.equal(chain(AUDIO.to("cuda"), 100), there)


def test_pictures_are_masked_as_on_a_cpu() -> None:
    masks, pictures = Masks(SETS["specaugment"], seed=0), AUDIO[:, :1, : 96 * 64].reshape(64, 1, 96, 64)
    np.testing.assert_allclose(masks(pictures.to("cuda"), 100, 1).cpu(), masks(pictures, 100, 1), atol=1e-6)
