"""The transformer against a forward pass in NumPy, patch by patch and head by head."""

from __future__ import annotations

from math import erf

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pairstream.errors import ConfigError
from trainer.encoders.ast import Transformer, positions

Array = NDArray[np.float64]


def normed(x: Array, state: dict[str, Array], name: str) -> Array:
    centred = x - x.mean(axis=1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
    return centred / deviation * state[f"{name}.weight"] + state[f"{name}.bias"]


def linear(x: Array, state: dict[str, Array], name: str) -> Array:
    return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def attended(x: Array, heads: int) -> Array:
    """(n, 3 D) queries, keys and values -> (n, D), head by head."""
    queries, keys, values = np.split(x, 3, axis=1)
    seen = []
    for head in range(heads):
        part = slice(64 * head, 64 * head + 64)
        weights = np.exp(queries[:, part] @ keys[:, part].T / np.sqrt(64))
        seen.append(weights / weights.sum(axis=1, keepdims=True) @ values[:, part])
    return np.concatenate(seen, axis=1)


def slow(picture: Array, state: dict[str, Array], depth: int) -> Array:
    """One picture (frames, bands) -> its embedding."""
    size = len(state["norm.weight"])
    x = []
    for time in range(picture.shape[0] // 16):
        for pitch in range(picture.shape[1] // 16):
            patch = picture[16 * time : 16 * time + 16, 16 * pitch : 16 * pitch + 16]
            place = []
            for at in (time, pitch):
                rates = [10_000.0 ** (-k / (size // 4)) for k in range(size // 4)]
                place += [np.sin(at * rate) for rate in rates] + [np.cos(at * rate) for rate in rates]
            x.append((state["patches.weight"][:, 0] * patch).sum(axis=(1, 2)) + state["patches.bias"] + place)
    x = np.stack(x)
    for block in range(depth):
        name = f"blocks.{block}"
        inner = attended(linear(normed(x, state, f"{name}.norm1"), state, f"{name}.qkv"), size // 64)
        x = x + linear(inner, state, f"{name}.proj")
        inner = linear(normed(x, state, f"{name}.norm2"), state, f"{name}.mlp.0")
        inner = inner * 0.5 * (1 + np.vectorize(erf)(inner / np.sqrt(2)))
        x = x + linear(inner, state, f"{name}.mlp.2")
    return normed(x, state, "norm").mean(axis=0)


@pytest.mark.parametrize(("frames", "bands"), [(16, 16), (48, 64), (96, 70)])
def test_it_is_the_slow_one(frames: int, bands: int) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = Transformer(bands, size=128, depth=2)
        for parameter in encoder.parameters():  # larger than at first, so that nothing is lost in rounding
            parameter.data += 0.1 * torch.randn_like(parameter)
        pictures = torch.randn(2, 1, frames, bands)
    with torch.no_grad():
        found = encoder(pictures).numpy()
    state = {name: value.double().numpy() for name, value in encoder.state_dict().items()}
    expected = np.stack([slow(picture[0], state, 2) for picture in pictures.double().numpy()])
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_the_tiny_one_has_5_4_million_parameters() -> None:
    block = 2 * 2 * 192 + (192 + 1) * 3 * 192 + (192 + 1) * 192 + (192 + 1) * 768 + (768 + 1) * 192
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in Transformer(64).parameters())
    assert count == (256 + 1) * 192 + 12 * block + 2 * 192 == 5_388_096


def test_every_place_is_another() -> None:
    places = positions(20, 4, 64)
    distances = torch.cdist(places, places) + 9 * torch.eye(80)
    assert float(distances.min()) > 0.1


def test_a_size_that_heads_do_not_make_up_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"width=100 .* multiple of 64"):
        Transformer(64, size=100)


def test_pictures_lower_than_a_patch_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"frontend.bands=8 .* at least 16"):
        Transformer(8)
