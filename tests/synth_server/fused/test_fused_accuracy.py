"""The fused engine against the reference engine, and both against the reference's mathematics in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from synth_server import noise
from synth_server.engines import load_engine
from synth_server.engines.bank import Format
from synth_server.engines.circuit import Circuit
from synth_server.patches import Patch, load_patch

Array = NDArray[Any]


def render(engine: str, synth: str, theta: Array, keys: Array, **form: Any) -> Array:
    made = load_engine(engine, synth=synth, threads=2, **form)
    audio = made.render(theta, keys)
    made.close()
    return audio


@torch.inference_mode()
def in_float64(
    patch: Patch, theta: Array, keys: Array, *, sample_rate: int = 16_000, seconds: float = 1.0, control_rate: int = 480
) -> Array:
    """The reference circuit in float64, 50 sounds at a time."""
    played = []
    for first in range(0, len(theta), 50):
        rows = slice(first, first + 50)
        form = Format(
            sounds=len(theta[rows]),
            sample_rate=sample_rate,
            control_rate=control_rate,
            seconds=seconds,
            device=torch.device("cpu"),
        )
        hiss = noise.white(keys[rows], form.samples).double()
        played.append(Circuit(patch, form).play(torch.tensor(theta[rows]).double(), hiss).numpy())
    return np.concatenate(played)


def theta_of(patch: Patch, count: int) -> tuple[Array, Array]:
    theta = np.random.default_rng(7).random((count, len(patch.parameters)), dtype=np.float32)
    return np.maximum(theta, np.float32(1e-6)), np.arange(count, dtype=np.uint64)


def snr(wanted: Array, found: Array) -> float:
    """Decibels, over all sounds together."""
    return float(10.0 * np.log10((wanted**2).sum() / ((found - wanted) ** 2).sum()))


def correlations(wanted: Array, found: Array) -> Array:
    heard = np.abs(wanted).max(1) > 1e-4
    assert heard.mean() > 0.8
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(wanted[heard], found[heard], strict=True)])


def test_voice_is_nearer_to_float64_than_torchsynth() -> None:
    theta, keys = theta_of(load_patch("voice"), 64)
    exact, ours = in_float64(load_patch("voice"), theta, keys), render("fused", "voice", theta, keys)
    theirs = render("torchsynth", "voice", theta, keys)
    assert snr(exact, ours) > 60.0
    assert snr(exact, ours) > snr(exact, theirs) + 6.0
    assert correlations(exact, ours).min() > 0.9999
    assert correlations(theirs, ours).min() > 0.9995


@pytest.mark.slow
def test_a_thousand_voices_are_those_of_torchsynth_and_of_float64() -> None:
    theta, keys = theta_of(load_patch("voice"), 1_000)
    exact, ours = in_float64(load_patch("voice"), theta, keys), render("fused", "voice", theta, keys)
    assert snr(exact, ours) > 60.0
    assert correlations(exact, ours).min() > 0.9999
    assert correlations(render("torchsynth", "voice", theta, keys), ours).min() > 0.9995


@pytest.mark.slow
# FM multiplies the rounding of its source by an index of up to 96, so the worst sound says more of the index than of
# the engine: the bulk is held close, and all of it closer than float32 torchsynth.
@pytest.mark.parametrize("synth", ["voice-fm", "parametric"])
def test_fm_is_nearer_to_float64_than_torchsynth(synth: str) -> None:
    theta, keys = theta_of(load_patch(synth), 60)
    exact, ours = in_float64(load_patch(synth), theta, keys), render("fused", synth, theta, keys)
    theirs = render("torchsynth", synth, theta, keys)
    assert snr(exact, ours) > snr(exact, theirs) + 6.0
    drift = correlations(exact, ours)
    assert np.median(drift) > 0.999999
    assert np.quantile(drift, 0.1) > 0.999
    assert np.median(correlations(theirs, ours)) > 0.999


@pytest.mark.parametrize(
    "form",
    [
        {"sample_rate": 44_100, "seconds": 0.5, "control_rate": 441},
        {"sample_rate": 16_000, "seconds": 0.50005, "control_rate": 437},
        {"sample_rate": 16_000, "seconds": 0.5, "control_rate": 8_000},
        {"sample_rate": 16_000, "seconds": 1.0, "control_rate": 10},
    ],
    ids=lambda form: f"{form['sample_rate']} and {form['control_rate']} hertz",
)
def test_other_rates_and_lengths_are_those_of_float64(form: dict[str, Any]) -> None:
    theta, keys = theta_of(load_patch("voice"), 48)
    exact = in_float64(load_patch("voice"), theta, keys, **form)
    ours = render("fused", "voice", theta, keys, **form)
    assert snr(exact, ours) > 55.0
    assert correlations(exact, ours).min() > 0.999


@pytest.mark.slow
@pytest.mark.parametrize("counts", [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (3, 1, 2, 2)])
def test_other_numbers_of_oscillators_are_those_of_torchsynth_and_nearer_to_float64(counts: tuple[int, ...]) -> None:
    numbers = dict(zip(("sine", "square_saw", "fm_sine", "fm_square_saw"), counts, strict=True))
    patch = load_patch("parametric", numbers)
    theta, keys = theta_of(patch, 40)
    exact = in_float64(patch, theta, keys)
    ours, theirs = (
        render(engine, "parametric", theta, keys, oscillators=numbers) for engine in ("fused", "torchsynth")
    )
    assert snr(exact, ours) > snr(exact, theirs)
    assert np.median(correlations(exact, ours)) > 0.99999
    assert np.median(correlations(theirs, ours)) > 0.999
