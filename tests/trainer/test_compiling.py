"""A compiled encoder is the same encoder."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from tiny_training import TINY_RECIPE

from trainer.compiling import compile_encoder
from trainer.config import Compile
from trainer.encoders.build import seeded_encoder


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # torch.compile of torch 2.13 itself
def test_the_names_of_its_weights_stay() -> None:
    encoder = seeded_encoder(TINY_RECIPE, 0)
    names = list(encoder.state_dict())
    compile_encoder(encoder, "on")
    assert list(encoder.state_dict()) == names


@pytest.mark.gpu
@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", ["on", "reduce-overhead"])
def test_on_a_card_both_views_have_the_gradients_that_they_have_otherwise(
    how: Compile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)  # whose rounding would be most of what is compared
    recipe = dataclasses.replace(TINY_RECIPE, width=16)
    plain, compiled = (seeded_encoder(recipe, 0).cuda() for _ in range(2))
    compile_encoder(compiled, how)
    views = [torch.randn(8, 1, 96, 64, device="cuda").contiguous(memory_format=torch.channels_last) for _ in range(2)]
    for _ in range(4):  # the first runs warm up, the later ones replay what was recorded
        for encoder in (plain, compiled):
            encoder.zero_grad()
            x, y = (encoder(view) for view in views)
            (x * y).mean().backward()
        for one, other in zip(plain.parameters(), compiled.parameters(), strict=True):
            torch.testing.assert_close(one.grad, other.grad, atol=1e-4, rtol=1e-2)
