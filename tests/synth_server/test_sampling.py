"""(spec, index) -> theta: reproducible to the bit, by pair and not by block, with the moments of both laws."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from pairstream.errors import ConfigError
from pairstream.spec import StreamSpec
from synth_server.patches import load_patch
from synth_server.sampling import noise_keys, sample

VOICE = load_patch("voice")

#: SHA-256 of theta, then of the noise keys, of block 4711. The same on every machine, or the promise is broken.
GOLDEN = {
    ("voice", "paper"): "90a76a89c852532d658b0652a1bf574cdd00178bc0b16f54639bb8929897e3d7",
    ("voice", "unit"): "58f4f4e3a549e43e5a1450ed61597cada6b58c8920c26330b67b28c35d1df2f1",
    ("parametric", "paper"): "8b8f5a93cf4550f5c8c71ae3dfa835f760fd70f3c176b21e89b88f0cd21a0ef2",
}
GOLDEN_KEYS = "eb8698f6fcafd302c4920ef45d3077778e0e812addb0f0e2a7cc321a77ca9329"


def sha256(array: np.ndarray[Any, Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


@pytest.mark.parametrize(("synth", "sampling"), GOLDEN)
def test_theta_has_the_same_bits_everywhere(synth: str, sampling: Any) -> None:
    spec = StreamSpec(synth=synth, sampling=sampling, seed=42)
    assert sha256(sample(spec, load_patch(synth), 4711)) == GOLDEN[synth, sampling]


def test_noise_keys_have_the_same_bits_everywhere() -> None:
    assert sha256(noise_keys(StreamSpec(seed=42), 4711)) == GOLDEN_KEYS


@pytest.mark.parametrize("sampling", ["paper", "unit"])
def test_theta_is_float32_in_the_unit_interval(sampling: Any) -> None:
    theta = sample(StreamSpec(sampling=sampling), VOICE, 0)
    assert (theta.shape, theta.dtype) == ((128, 78), np.float32)
    assert theta.min() >= 0.0
    assert theta.max() <= 1.0


def test_a_pair_is_the_same_in_blocks_of_any_size() -> None:
    large, small = StreamSpec(block_pairs=60), StreamSpec(block_pairs=20)
    parts = [sample(small, VOICE, index) for index in (3, 4, 5)]
    assert np.array_equal(sample(large, VOICE, 1), np.concatenate(parts))
    assert np.array_equal(noise_keys(large, 1), np.concatenate([noise_keys(small, index) for index in (3, 4, 5)]))


@pytest.mark.parametrize("change", [{"delta": 0.01}, {"delta": {"pitch": 0.0, "rest": 0.5}}, {"sample_rate": 48_000}])
def test_theta_and_noise_do_not_depend_on_delta_nor_on_the_rate(change: dict[str, Any]) -> None:
    spec, other = StreamSpec(), StreamSpec(**change)
    assert np.array_equal(sample(spec, VOICE, 5), sample(other, VOICE, 5))
    assert np.array_equal(noise_keys(spec, 5), noise_keys(other, 5))


def test_blocks_and_seeds_differ_and_no_key_comes_twice() -> None:
    specs = [StreamSpec(seed=seed) for seed in (0, 1, 2**64 - 1)]
    hashes = {sha256(sample(spec, VOICE, index)) for spec in specs for index in (0, 1, 2**40)}
    assert len(hashes) == 9
    keys = np.concatenate([noise_keys(spec, index).ravel() for spec in specs for index in (0, 1)])
    assert len(np.unique(keys)) == keys.size


@pytest.mark.parametrize("index", [-1, 1.0, True, "1"])
def test_an_index_that_is_no_block_number_is_refused(index: Any) -> None:
    with pytest.raises(ConfigError, match="is not the number of a block; use 0, 1, 2"):
        sample(StreamSpec(), VOICE, index)


def test_the_unit_law_is_uniform_as_stored() -> None:
    theta = sample(StreamSpec(sampling="unit", block_pairs=5000), VOICE, 0)
    assert np.allclose(theta.mean(0), 0.5, atol=0.02)
    assert np.allclose(theta.var(0), 1 / 12, atol=0.005)
    assert np.abs(np.corrcoef(theta.T) - np.eye(78)).max() < 0.07


def test_the_paper_law_is_uniform_in_human_units() -> None:
    theta = sample(StreamSpec(sampling="paper", block_pairs=5000), VOICE, 0)
    position = (VOICE.scale.to_human(theta) - VOICE.scale.minimum) / (VOICE.scale.maximum - VOICE.scale.minimum)
    assert np.allclose(position.mean(0), 0.5, atol=0.02)
    assert np.allclose(position.var(0), 1 / 12, atol=0.005)


@pytest.mark.parametrize(
    ("label", "paper", "unit"),
    [
        ("vco_1.mod_depth", 48.0, 16.0),
        ("lfo_1.frequency", 10.0, 4.0),
        ("adsr_1.attack", 1.0, 0.67),
        ("mixer.noise", 0.5, 0.024),
    ],
)
def test_the_laws_differ_as_synthax_and_torchsynth_do(label: str, paper: float, unit: float) -> None:
    for sampling, mean in (("paper", paper), ("unit", unit)):
        spec = StreamSpec(sampling=sampling, block_pairs=5000)  # type: ignore[arg-type]
        human = VOICE.scale.to_human(sample(spec, VOICE, 0))[:, VOICE.columns[label]]
        assert np.abs(human).mean() == pytest.approx(mean, rel=0.05, abs=0.005)
