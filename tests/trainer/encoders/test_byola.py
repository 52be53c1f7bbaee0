"""BYOL-A's CNN against a forward pass in NumPy, moment by moment."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pairstream.errors import ConfigError
from trainer.encoders.byola import ByolA, byola, byola_small

Array = NDArray[np.float64]


def convolved(x: Array, weight: Array, bias: Array) -> Array:
    """(C_in, H, W) -> (C, H, W), 3 x 3, zeros beyond the edges."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    height, width = x.shape[1:]
    out = np.zeros((len(weight), height, width)) + bias[:, None, None]
    for row in range(3):
        for column in range(3):
            part = padded[:, row : row + height, column : column + width]
            out += np.einsum("oi,ihw->ohw", weight[:, :, row, column], part)
    return out


def pooled(x: Array) -> Array:
    """Maxima of 2 x 2, what is over left out."""
    height, width = (side // 2 * 2 for side in x.shape[1:])
    return x[:, :height, :width].reshape(len(x), height // 2, 2, width // 2, 2).max(axis=(2, 4))


def slow(picture: Array, state: dict[str, Array], *, strides: bool) -> Array:
    """One picture (frames, bands) -> its embedding, in eval mode."""
    x = picture[None]
    for conv in sorted(
        name.removesuffix(".weight") for name in state if name.startswith("blocks") and state[name].ndim == 4
    ):
        norm = f"blocks.{int(conv.removeprefix('blocks.')) + 1}"
        x = convolved(x, state[f"{conv}.weight"], state[f"{conv}.bias"])
        mean, var, scale, shift = (
            state[f"{norm}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
        )
        x = np.maximum((x - mean) / np.sqrt(var + 1e-5) * scale + shift, 0)
        x = x[:, ::2, ::2] if strides else pooled(x)
    said = []
    for moment in range(x.shape[1]):
        seen = x[:, moment, :].T.reshape(-1)  # the channels of one band after those of another
        hidden = np.maximum(state["fc.0.weight"] @ seen + state["fc.0.bias"], 0)
        said.append(np.maximum(state["fc.2.weight"] @ hidden + state["fc.2.bias"], 0))
    return np.mean(said, axis=0) + np.max(said, axis=0)


@pytest.mark.parametrize("strides", [False, True])
@pytest.mark.parametrize(("frames", "bands"), [(16, 8), (32, 64), (48, 24), (21, 13)])
def test_it_is_the_slow_one(frames: int, bands: int, strides: bool) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = ByolA(bands, (3, 2, 4), size=5, strides=strides)
        pictures = torch.randn(4, 1, frames, bands)
    with torch.no_grad():
        encoder.train()(pictures)  # batch statistics that are not those of a new network
        found = encoder.eval()(pictures)
    state = {name: value.double().numpy() for name, value in encoder.state_dict().items()}
    expected = [slow(picture[0], state, strides=strides) for picture in pictures.double().numpy()]
    np.testing.assert_allclose(found.numpy(), np.stack(expected), atol=1e-5)


def test_it_has_the_published_number_of_parameters() -> None:
    convolutions = (9 * 64 + 64) + 2 * (9 * 64 * 64 + 64)
    norms = 3 * 2 * 64
    layers = (64 * 8 * 2048 + 2048) + (2048 * 2048 + 2048)
    count = sum(parameter.numel() for parameter in byola(64).parameters())
    assert count == convolutions + norms + layers
    assert round(count / 1e6, 1) == 5.3, "what the paper says of it"


def test_the_small_one_has_half_a_million_parameters() -> None:
    convolutions = (9 * 16 + 16) + (9 * 16 * 32 + 32) + (9 * 32 * 64 + 64)
    norms, layers = 2 * (16 + 32 + 64), 2 * (512 * 512 + 512)
    assert (
        sum(parameter.numel() for parameter in byola_small(64).parameters()) == convolutions + norms + layers == 548_832
    )


def test_it_draws_nothing_at_random() -> None:
    encoder = byola_small(64, width=2).train()
    pictures = torch.ones(2, 1, 16, 64)
    assert torch.equal(encoder(pictures), encoder(pictures))


def test_too_few_bands_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"frontend\.bands=7 .* at least 8"):
        ByolA(7)
