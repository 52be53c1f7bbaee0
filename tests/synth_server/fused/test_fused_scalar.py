"""Every scalar function over its whole domain against float64, with the bound that its docstring states."""

from __future__ import annotations

from typing import Any

import mpmath
import numba
import numpy as np
import pytest
from over_domain import every_float, over, relative

from synth_server.engines.fused import scalar, settings

f32, u32 = np.float32, np.uint32
TURN = 2.0**32


@pytest.mark.slow
def test_exp2() -> None:
    small = every_float(2.0**-40, 126.0, 997)
    x = np.concatenate([np.linspace(-126, 126, 1_000_001, dtype=f32), small, -small, np.zeros(1, f32)])
    assert relative(over(scalar.exp2, x), np.exp2(x.astype(np.float64))) < 2e-7
    whole = np.arange(-126, 127, dtype=f32)
    assert np.array_equal(over(scalar.exp2, whole), np.ldexp(f32(1), whole.astype(np.int32)))


def test_exp2_rest() -> None:
    f = np.linspace(-0.5, 0.5, 1_000_000, dtype=f32)
    assert relative(over(scalar.exp2_rest, f), np.expm1(f * np.log(2.0, dtype=np.float64)) / f) < 1.5e-7


def test_exp2_exact() -> None:
    x = np.random.default_rng(0).uniform(-60, 60, 500)
    wanted = np.array([float(mpmath.mpf(2) ** mpmath.mpf(float(v))) for v in x])
    assert relative(over(scalar.exp2_exact, x, to=np.float64), wanted) < 1e-15


@pytest.mark.slow
def test_log2() -> None:
    x = every_float(2.0**-126, 3e38, 997)
    near = every_float(0.5, 2.0, 7)
    for values in (x, near):
        wanted = np.log2(values.astype(np.float64))
        error = np.abs(over(scalar.log2, values) - wanted)
        assert (error / np.maximum(1.0, np.abs(wanted))).max() < 2e-7


@pytest.mark.slow
def test_power() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.random(1_000_000, dtype=f32), rng.uniform(0.1, 40, 1_000_000).astype(f32)
    exponent = y * np.log2(np.maximum(x, f32(1e-30)).astype(np.float64))
    found, wanted = over(scalar.power, x, y), np.exp2(exponent)
    audible = exponent > -59.9
    bound = 2e-7 * (2.0 + np.abs(exponent[audible]))
    assert (np.abs(found[audible] / wanted[audible] - 1.0) < bound).all()
    assert (found[exponent < -60.1] == 0.0).all()
    ends = over(scalar.power, np.array([0, 0, 1, 1], f32), np.array([0.1, 6, 0.1, 6], f32))
    assert np.array_equal(ends, [0, 0, 1, 1])


@pytest.mark.slow
def test_sine() -> None:
    phase = np.arange(0, 2**32, 1021, dtype=np.uint64).astype(u32)
    found = over(scalar.sine, phase)
    assert np.abs(found - np.sin(phase * (2.0 * np.pi / TURN))).max() < 3e-7
    assert np.abs(found).max() <= 1.0 + 1e-9
    quarters = over(scalar.sine, np.array([0, 2**30, 2**31, 3 * 2**30], u32))
    assert np.abs(quarters - [0, 1, 0, -1]).max() < 3e-7


@numba.njit
def _tanh(y: Any) -> Any:
    return scalar.squashed(scalar.grown(y))


def test_tanh() -> None:
    y = np.concatenate([np.linspace(-60, 60, 1_000_001, dtype=f32), f32([-1e9, 1e9])])
    found = over(_tanh, y)
    assert np.abs(found - np.tanh(y * (np.log(2.0) / 2.0))).max() < 3e-7
    assert np.abs(found).max() <= 1.0


def test_turns() -> None:
    x = np.random.default_rng(0).uniform(-np.pi, np.pi, 100_000)
    found = over(scalar.turns, x, to=u32).astype(np.float64)
    wrapped = (found - x * TURN / (2.0 * np.pi) + TURN / 2) % TURN - TURN / 2
    assert np.abs(wrapped).max() <= 1.0


def test_flushed() -> None:
    x = np.array([1e-20, -1e-20, 1e-18, -0.5, 0.0])
    assert np.array_equal(over(scalar.flushed, x), f32([0, 0, 1e-18, -0.5, 0.0]))


@pytest.mark.slow
def test_whole_power() -> None:
    x = np.random.default_rng(0).random(10_000)
    for exponent in (1, 2, 4, 5, 40):
        found = over(settings.whole_power, x, np.full(len(x), exponent), to=np.float64)
        wanted = np.array([float(mpmath.mpf(float(v)) ** exponent) for v in x[:500]])
        assert relative(found[:500], wanted) < exponent * 1.2e-16


def test_half_is_the_nearest_float16() -> None:
    rng = np.random.default_rng(0)
    halves = np.arange(0x3C01, dtype=np.uint16).view(np.float16).astype(f32)  # all from 0 to 1
    middles = (halves[:-1] + halves[1:]) / f32(2)
    x = np.concatenate(
        [halves, middles, np.nextafter(middles, f32(0)), np.nextafter(middles, f32(1)), rng.random(50_000)]
    )
    x = np.concatenate([x, -x, 10.0 ** rng.uniform(-30, 0, 50_000)]).astype(f32)
    found = over(scalar.half, x, to=np.uint32)
    assert np.array_equal(found, x.astype(np.float16).view(np.uint16))
