"""Barlow Twins against the paper's equations, number by number, and closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pairstream.errors import ConfigError
from trainer.objectives.barlow_twins import barlow_twins


def rows(seed: int, count: int, size: int) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


def slow(x: Tensor, y: Tensor) -> tuple[float, float]:
    """Both sums of equation 1, with equation 2 for every entry, in float64 and in plain numbers."""
    count, size = x.shape

    def centred(view: Tensor) -> list[list[float]]:
        columns = view.double().T.tolist()
        return [[value - sum(column) / count for value in column] for column in columns]

    a, b = centred(x), centred(y)

    def correlation(i: int, j: int) -> float:
        together = sum(p * q for p, q in zip(a[i], b[j], strict=True))
        return together / math.sqrt(sum(p * p for p in a[i])) / math.sqrt(sum(q * q for q in b[j]))

    alike = sum((1 - correlation(i, i)) ** 2 for i in range(size))
    return alike, sum(correlation(i, j) ** 2 for i in range(size) for j in range(size) if i != j)


@given(seed=st.integers(0, 1000), count=st.integers(3, 9), size=st.integers(1, 6))
def test_it_is_the_slow_sum(seed: int, count: int, size: int) -> None:
    x, y = 30 * rows(seed, count, size), 30 * rows(seed + 1, count, size)  # so that 1e-5 beside a variance is nothing
    alike, redundant = slow(x, y)
    found = barlow_twins(x, y)
    assert float(found.invariance) == pytest.approx(alike, abs=1e-3)
    assert float(found.redundancy) == pytest.approx(redundant, abs=1e-3)
    assert float(found.loss) == pytest.approx(alike + 0.005 * redundant, abs=1e-3)


INDEPENDENT = [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]


@pytest.mark.parametrize(
    ("x", "y", "loss"),
    [
        pytest.param(INDEPENDENT, INDEPENDENT, 0.0, id="the identity"),
        pytest.param(INDEPENDENT, [[-p, -q] for p, q in INDEPENDENT], 8.0, id="opposite views"),
        pytest.param(INDEPENDENT, [[q, p] for p, q in INDEPENDENT], 2 + 2 * 0.005, id="dimensions swapped"),
        pytest.param([[1.0, 1.0], [-1.0, -1.0]], [[1.0, 1.0], [-1.0, -1.0]], 2 * 0.005, id="one dimension said twice"),
        pytest.param([[1.0, 2.0], [1.0, 2.0]], [[1.0, 2.0], [1.0, 2.0]], 2.0, id="all sounds are one"),
    ],
)
def test_closed_forms(x: list[list[float]], y: list[list[float]], loss: float) -> None:
    assert float(barlow_twins(torch.tensor(x), torch.tensor(y)).loss) == pytest.approx(loss, abs=1e-4)


def test_scale_and_offset_of_a_dimension_do_not_matter() -> None:
    x, y = 10 * rows(0, 16, 4), 10 * rows(1, 16, 4)
    moved = x * torch.tensor([1.0, 5.0, 20.0, 3.0]) + torch.tensor([0.0, -7.0, 1.0, 100.0])
    torch.testing.assert_close(barlow_twins(moved, y).loss, barlow_twins(x, y).loss, atol=1e-4, rtol=1e-4)


def test_the_gradient_is_that_of_torchs_own_correlations() -> None:
    ours, theirs = (30 * rows(3, 7, 5) for _ in "ab")
    y = 30 * rows(4, 7, 5)
    ours.requires_grad_()
    theirs.requires_grad_()
    barlow_twins(ours, y).loss.backward()
    matrix = torch.corrcoef(torch.cat([theirs.double(), y.double()], dim=1).T)[:5, 5:]
    alike = matrix.diagonal()
    ((1 - alike).square().sum() + 0.005 * (matrix.square().sum() - alike.square().sum())).backward()
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-5, rtol=1e-3)


def test_the_gradient_is_finite_where_a_dimension_is_constant() -> None:
    x = torch.ones(4, 3, requires_grad=True)
    barlow_twins(x, rows(0, 4, 3)).loss.backward()
    assert x.grad is not None
    assert float(x.grad.abs().max()) < 1e3


def test_autocast_does_not_coarsen_it() -> None:
    x, y = rows(0, 64, 32).bfloat16(), rows(1, 64, 32).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = barlow_twins(x, y)
    assert torch.equal(found.loss, barlow_twins(x.float(), y.float()).loss)


def test_one_pair_has_no_correlation() -> None:
    with pytest.raises(ConfigError, match="at least 2 pairs, not 1"):
        barlow_twins(torch.ones(1, 3), torch.ones(1, 3))
