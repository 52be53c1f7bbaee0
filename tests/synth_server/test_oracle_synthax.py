"""The patches against SynthAX itself, evaluated in float64: the wiring, the ranges, the order of every module.

SynthAX 0.2.2 differs on purpose in three places, which are bypassed here: it scales a whole batch by the peak of
its first sound, it ignores the mixer's curves, and it plays one noise for all sounds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from synth_server.engines import load_engine
from synth_server.engines.bank import Format
from synth_server.engines.circuit import Circuit
from synth_server.patches import Patch, load_patch
from synth_server.synthax import module_of, tree_of

jax = pytest.importorskip("jax")
pytest.importorskip("synthax")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

SOUNDS = 64


def play_synthax(
    synth: str, oscillators: dict[str, int], theta: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> tuple[NDArray[Any], NDArray[Any]]:
    """theta (B, P) -> audio and noise, both (B, T), as SynthAX makes them in float64."""
    import jax.numpy as jnp
    from synthax.config import SynthConfig
    from synthax.modules import mixers

    def by_own_peak(signal: Any) -> Any:
        return signal / jnp.maximum(jnp.abs(signal).max(axis=1, keepdims=True), 1.0)

    monkeypatch.setattr(mixers, "normalize_if_clipping", by_own_peak)
    jax.config.update("jax_enable_x64", True)
    try:
        config = SynthConfig(batch_size=len(theta), sample_rate=16_000, buffer_size_seconds=1.0, control_rate=480)
        module = module_of(synth, oscillators, config)
        own = module.init(jax.random.PRNGKey(0))["params"]
        tree = tree_of(load_patch(synth, oscillators), theta)
        assert jax.tree.map(np.shape, own) == jax.tree.map(np.shape, tree)
        audio = np.asarray(jax.jit(module.apply)({"params": jax.tree.map(jnp.asarray, tree)}))
        assert audio.dtype == np.float64
        noise = np.asarray(jax.random.uniform(jax.random.PRNGKey(0), (1, audio.shape[1]), minval=-1.0, maxval=1.0))
    finally:
        jax.config.update("jax_enable_x64", False)
    return audio, np.broadcast_to(noise, audio.shape)


def circuit_in_float64(patch: Patch, theta: NDArray[np.float32], noise: NDArray[Any]) -> NDArray[np.float64]:
    form = Format(sounds=len(theta), sample_rate=16_000, control_rate=480, seconds=1.0, device=torch.device("cpu"))
    with torch.inference_mode():
        played = Circuit(patch, form).play(torch.tensor(theta).double(), torch.tensor(noise))
    return np.asarray(played.numpy(), np.float64)


def play(
    engine: str, synth: str, oscillators: dict[str, int], theta: NDArray[np.float32], noise: NDArray[Any]
) -> NDArray[Any]:
    made = load_engine(engine, synth=synth, oscillators=oscillators, threads=1)
    played = made.render(theta, np.zeros(len(theta), np.uint64), noise=np.ascontiguousarray(noise, np.float32))
    made.close()
    return played


def correlations(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(one, other, strict=True)])


@pytest.mark.parametrize(
    ("synth", "oscillators"),
    [
        ("voice", {}),
        ("voice-fm", {}),
        ("parametric", {}),
        ("parametric", {"sine": 0, "square_saw": 3, "fm_sine": 2, "fm_square_saw": 0}),
        ("parametric", {"sine": 1, "square_saw": 0, "fm_sine": 0, "fm_square_saw": 2}),
    ],
)
def test_a_patch_sounds_as_in_synthax(synth: str, oscillators: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    patch = load_patch(synth, oscillators)
    parameters = len(patch.parameters)
    theta = np.clip(np.random.default_rng(7).random((SOUNDS, parameters)), 1e-6, 1.0).astype(np.float32)
    wanted, noise = play_synthax(synth, oscillators, theta, monkeypatch)
    # In float64 nothing drifts: one wrong plug or curve anywhere would show in some of the sounds. What is left
    # (2e-5 at worst, 5e-4 where every other oscillator is FM) is a modulation index of up to 96 on top of constants
    # that torchsynth keeps in float32.
    assert correlations(wanted, circuit_in_float64(patch, theta, noise)).min() > (0.999 if oscillators else 0.9999)
    # In float32 the phase of a high tone is rounded to 0.008 radians, and FM multiplies that: so of torchsynth the bulk
    # is held close, the worst of the sounds without FM too, but not the worst of those with it (0.58 to 0.93 here).
    torchsynth, fused = (
        correlations(wanted, play(name, synth, oscillators, theta, noise)) for name in ("torchsynth", "fused")
    )
    assert min(np.median(torchsynth), np.median(fused)) > 0.9999
    assert np.quantile(torchsynth, 0.1) > (0.95 if oscillators else 0.99)
    assert np.quantile(fused, 0.1) > 0.999
    if synth == "voice":
        assert min(torchsynth.min(), fused.min()) > 0.9995
