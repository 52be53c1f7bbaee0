"""The formulas of the control and the audio rate, over their whole domains, with the errors that they state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
from numpy.typing import NDArray
from over_domain import over

from synth_server import noise
from synth_server.engines.fused import control_pass, controls, hiss, scalar, settings, tones

f32, u32 = np.float32, np.uint32
TURN = 2.0**32


@pytest.mark.slow
def test_a_bent_step_is_exact_at_the_base_and_at_midi_127() -> None:
    # one MIDI number apiece: base pitch, and modulation far up and down
    rng = np.random.default_rng(0)
    rates, midi = rng.choice([12_544, 16_000, 44_100], 20_000), rng.uniform(-24, 151, 20_000)
    octaves = np.where(rng.random(20_000) < 0.3, 0.0, rng.uniform(-8, 8, 20_000)).astype(f32)
    unit = TURN / rates
    base = 440.0 * 2.0 ** ((midi - 69.0) / 12.0) * unit
    high = base.astype(f32)
    low = (base - high).astype(f32)
    most = (440.0 * 2.0 ** (58.0 / 12.0) * unit).astype(np.int64).astype(u32)
    lowest, highest = (-5.75 - (midi - 69) / 12).astype(f32), (58 / 12 - (midi - 69) / 12 + 1e-6).astype(f32)
    found = _steps(octaves, lowest, highest, high, low, most).astype(np.float64)
    pitch = np.clip(midi + 12.0 * octaves.astype(np.float64), 0.0, 127.0)
    wanted = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0) * unit
    error = np.abs(found - wanted)
    clamped = midi + 12.0 * octaves <= 0.0
    span = 1.0 + np.maximum(np.abs(octaves), np.abs(np.where(clamped, lowest, 0)))
    assert (error <= 1e-7 * span * wanted + 8.0).all()
    still = (octaves == 0) & (pitch > 0.001) & (pitch < 126.999)
    assert still.any()
    assert error[still].max() <= 5.0
    assert error[pitch == 127.0].max() <= 4.0


@numba.njit(error_model="numpy")
def _steps(octaves: Any, lowest: Any, highest: Any, high: Any, low: Any, most: Any) -> Any:
    out = np.empty(len(octaves), np.uint32)
    for i in range(len(octaves)):
        held = tones.clamped(octaves[i], lowest[i], highest[i])
        out[i] = tones.bent_step(held, high[i], low[i], most[i])
    return out


@pytest.mark.slow
def test_an_fm_step_is_clamped_to_0_and_the_nyquist_frequency() -> None:
    rng = np.random.default_rng(0)
    signal = rng.uniform(-1.5, 1.5, 100_000).astype(f32)
    for base, index in ((0.001, 96.0), (0.3, 0.001), (0.49, 3.0), (0.5, -96.0)):
        step = int(base * TURN)
        depth = f32(step * index)
        function = _fm(u32(step), depth, f32(-step), f32(2.0**31 - step))
        found = over(function, signal, to=u32).astype(np.int64)
        # as a difference to the base, since 0 may come out as a step of a few units backwards
        found = np.where(found > 2**31 + 1024, found - 2**32, found)
        wanted = np.clip(step + depth.astype(np.float64) * signal, 0.0, 2.0**31)
        assert (np.abs(found - wanted) <= 2e-7 * np.abs(depth * signal.astype(np.float64)) + 260.0).all()


def _fm(base: Any, depth: Any, least: Any, most: Any) -> Callable[[Any], Any]:
    @numba.njit(error_model="numpy")
    def step(signal: Any) -> Any:
        return tones.fm_step(signal, base, f32(0), depth, least, most)

    return step


@pytest.mark.slow
def test_an_lfo_drops_whole_turns() -> None:
    @numba.njit(error_model="numpy")
    def step(rate: Any, per_hertz: Any) -> Any:
        return controls.lfo_step(f32(3.0), f32(-5.0), rate, per_hertz)

    rate = np.linspace(0, 1, 10_001, dtype=f32)
    for control_rate in (1, 7, 480, 48_000):
        per_hertz = np.full_like(rate, f32(1.0 / control_rate))
        found = over(step, rate, per_hertz, to=u32).astype(np.float64)
        wanted = np.maximum(3.0 - 5.0 * rate.astype(np.float64), 0.0) / control_rate * TURN
        gap = (found - wanted + TURN / 2) % TURN - TURN / 2
        assert np.abs(gap).max() < 5e-7 * TURN * 3.0 / control_rate + 4.0


@pytest.mark.slow
@pytest.mark.parametrize("weights", [*np.eye(5), np.full(5, 0.2)], ids=lambda weights: str(np.argmax(weights)))
def test_lfo_shapes(weights: NDArray[np.float64]) -> None:
    sin, tri, saw, rsaw, sqr = (f32(weight) for weight in weights)

    @numba.njit(error_model="numpy")
    def shape(phase: Any) -> Any:
        return controls.lfo_shape(phase, sin, tri, saw, rsaw, sqr)

    phase = np.arange(1_000, 2**32, 10_007, dtype=np.uint64).astype(u32)
    up = phase / TURN
    cosine = np.cos(2.0 * np.pi * up + np.pi)
    shapes = np.stack([(cosine + 1) / 2, np.where(up > 0.5, 2 - 2 * up, 2 * up), up, 1 - up, (np.sign(cosine) + 1) / 2])
    away = np.abs(cosine) > 1e-5
    assert np.abs(over(shape, phase) - weights @ shapes)[away].max() < 1e-6


def test_noise_is_that_of_the_reference_bit_for_bit() -> None:
    keys = np.random.default_rng(0).integers(0, 2**64, 50, dtype=np.uint64)

    @numba.njit(error_model="numpy")
    def rows(keys: Any, out: Any) -> None:
        for i in range(len(keys)):
            low, high = u32(keys[i]), u32(keys[i] >> 32)
            start, salt = hiss.start_of(low, high), hiss.salt_of(low, high)
            for t in range(out.shape[1]):
                out[i, t] = hiss.white(u32(start + u32(u32(t) * hiss.STRIDE)), salt)

    found = np.empty((50, 4_000), f32)
    rows(keys, found)
    assert np.array_equal(found, noise.white(keys, 4_000).numpy())


@pytest.mark.slow
def test_an_envelope_is_torchsynths() -> None:
    t = np.arange(480, dtype=f32)
    rng = np.random.default_rng(0)
    for _ in range(400):
        key, release = rng.uniform(1.0, 400.0, 2)
        attack = min(rng.uniform(1.0, 300.0), key)
        decay = min(key - attack, rng.uniform(1.0, 300.0))
        sustain, alpha = rng.random(), rng.uniform(0.1, 6.0)
        rise = np.minimum((t + 1e-6) / attack + 1e-6, 1.0)
        decline = _down(t, attack, decay)
        fall = _down(t, key, release)
        wanted = rise**alpha * ((1.0 - sustain) * decline**alpha + sustain) * fall**alpha
        found = _envelope(attack, decay, key, release, sustain, alpha)
        moving = np.where(t >= key, fall, np.where(t >= attack, decline, rise))
        near_the_end = moving < 2e-6  # there a power below 1 makes much of nothing
        error = np.abs(found - wanted)
        assert (error <= 2e-6 + 1e-6 * alpha * np.maximum(moving, 2e-6) ** (alpha - 1.0))[~near_the_end].all()
        assert (error[near_the_end] <= 2e-6 + 4e-6**alpha).all()


def _down(t: Any, start: float, length: float) -> Any:
    """torchsynth's inverse ramp, in float64."""
    if length <= 0.0:
        return np.ones_like(t, np.float64)
    return 1.0 - np.minimum((np.maximum(t.astype(np.float64) - start, 0.0) + 1e-6) / length + 1e-6, 1.0)


def _envelope(attack: float, decay: float, key: float, release: float, sustain: float, alpha: float) -> Any:
    """480 control samples at 1 hertz of one envelope whose human units are these."""
    human = np.array([key, attack, decay, sustain, release, alpha])
    settings_row = np.empty((1, 12), f32)
    settings.set_envelope(human, np.arange(6), 1.0, settings_row[0])
    found = np.empty(480, f32)
    control_pass.envelope_row(settings_row[0], found)
    return found


@pytest.mark.slow
def test_a_square_saw() -> None:
    phase = np.arange(0, 2**32, 40_009, dtype=np.uint64).astype(u32)
    angle = phase * (2.0 * np.pi / TURN)
    for partials, shape in ((0.01, 0.0), (3.0, 0.3), (100.0, 1.0)):
        function = _square_saw(f32(partials), f32(shape))
        wanted = np.tanh(np.log(2.0) / 2.0 * partials * np.sin(angle)) * (1.0 + shape * np.cos(angle))
        assert np.abs(over(function, phase) - wanted).max() < 1e-6 + 3e-7 * partials


def _square_saw(partials: Any, shape: Any) -> Callable[[Any], Any]:
    @numba.njit(error_model="numpy")
    def sample(phase: Any) -> Any:
        return tones.square_saw(scalar.grown(tones.driven(phase, partials)), tones.lean(phase, shape))

    return sample
