"""The owned logarithm, power and normal law against mpmath, which computes them to any number of digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy import special

from synth_server import exact

RNG = np.random.default_rng(0)
INSIDE = np.concatenate(
    [
        RNG.random(1000),
        2.0 ** -(RNG.random(500) * 53),
        2.0 ** -np.arange(1.0, 54.0),
        1 - 2.0 ** -np.arange(1.0, 53.0),
        np.nextafter([np.sqrt(0.5), 0.5, 0.25], [1.0, 1.0, 0.0]),
    ]
)


def relative_error(got: np.ndarray, wanted: list[mpmath.mpf]) -> float:
    return max(float(abs((mpmath.mpf(float(a)) - b) / b)) for a, b in zip(got, wanted, strict=True) if b != 0)


def test_log_is_within_4e_16() -> None:
    x = np.concatenate([INSIDE, RNG.random(200) * 1e6, [1e-300, 1e300]])
    with mpmath.workprec(120):
        assert relative_error(exact.log(x), [mpmath.log(mpmath.mpf(float(v))) for v in x]) < 4e-16
    assert exact.log(np.array([1.0])) == 0.0


@pytest.mark.parametrize("exponent", [0.025, 0.2, 0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 40.0, 64.0])
def test_power_is_within_1e_13(exponent: float) -> None:
    got = exact.power(INSIDE, exponent)
    kept = got > 0
    assert (INSIDE[~kept] ** exponent < 1e-300).all()
    with mpmath.workprec(120):
        wanted = [mpmath.power(mpmath.mpf(float(v)), mpmath.mpf(exponent)) for v in INSIDE[kept]]
        assert relative_error(got[kept], wanted) < 1e-13


def test_power_stays_in_the_unit_interval_and_keeps_its_ends() -> None:
    x = 1 - 2.0 ** -np.arange(1.0, 54.0)
    for exponent in (0.025, 0.2, 0.5, 5.0):
        assert exact.power(x, exponent).max() <= 1.0
        assert exact.power(np.array([0.0, 1.0]), exponent).tolist() == [0.0, 1.0]
    exponents = np.array([0.5, 2.0])
    assert exact.power(np.array([[0.25, 0.5]]), exponents).tolist() == [[0.5, 0.25]]
    assert len(exact._powers.signatures) == 1  # type: ignore[attr-defined]


def test_normal_is_within_1e_15() -> None:
    uniform = np.concatenate([INSIDE[INSIDE < 1.0], [2.0**-53, 0.075, 0.925]])
    reference = special.ndtri(uniform)
    away = np.abs(reference) > 1e-12
    assert np.max(np.abs(exact.normal(uniform) - reference)[away] / np.abs(reference[away])) < 4e-15
    few = uniform[::20]
    with mpmath.workprec(120):
        wanted = [
            mpmath.sqrt(2) * (mpmath.erfinv(2 * u - 1) if u > 0.5 else -mpmath.erfinv(1 - 2 * u))
            for u in map(mpmath.mpf, few.tolist())
        ]
        assert relative_error(exact.normal(few), wanted) < 1e-15


def test_normal_is_odd_and_keeps_shapes() -> None:
    uniform = (np.arange(64) + 0.5).reshape(4, 16) / 64
    values = exact.normal(uniform)
    assert values.shape == (4, 16)
    assert np.array_equal(values.ravel(), -values.ravel()[::-1])
