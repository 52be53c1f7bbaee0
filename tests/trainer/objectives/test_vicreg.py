"""VICReg against the paper's definitions, number by number, and closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pairstream.errors import ConfigError
from trainer.objectives.vicreg import vicreg


def rows(seed: int, count: int, size: int) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


def slow(x: Tensor, y: Tensor) -> tuple[float, float, float]:
    """s, v + v' and c + c', in float64 and in plain numbers."""
    count, size = x.shape
    a, b = x.double().tolist(), y.double().tolist()
    alike = sum((p - q) ** 2 for one, other in zip(a, b, strict=True) for p, q in zip(one, other, strict=True))

    def covariance(view: list[list[float]], i: int, j: int) -> float:
        means = [sum(row[k] for row in view) / count for k in (i, j)]
        return sum((row[i] - means[0]) * (row[j] - means[1]) for row in view) / (count - 1)

    alive = apart = 0.0
    for view in (a, b):
        for j in range(size):
            alive += max(0.0, 1 - math.sqrt(covariance(view, j, j) + 1e-4)) / size
            apart += sum(covariance(view, i, j) ** 2 for i in range(size) if i != j) / size
    return alike / (count * size), alive, apart


@given(seed=st.integers(0, 1000), count=st.integers(2, 8), size=st.integers(1, 6), scale=st.sampled_from([0.1, 1.0]))
def test_it_is_the_slow_sum(seed: int, count: int, size: int, scale: float) -> None:
    x, y = scale * rows(seed, count, size), scale * rows(seed + 1, count, size)
    alike, alive, apart = slow(x, y)
    found = vicreg(x, y)
    assert float(found.invariance) == pytest.approx(alike, abs=1e-5)
    assert float(found.variance) == pytest.approx(alive, abs=1e-5)
    assert float(found.covariance) == pytest.approx(apart, abs=1e-4)
    assert float(found.loss) == pytest.approx(25 * alike + 25 * alive + apart, rel=1e-4, abs=1e-4)


def test_if_all_sounds_are_one_only_the_variance_complains() -> None:
    found = vicreg(torch.ones(4, 3), torch.ones(4, 3))
    assert float(found.loss) == pytest.approx(25 * 2 * (1 - 0.01), abs=1e-5)


def test_independent_dimensions_that_vary_enough_cost_nothing() -> None:
    x = 2 * torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert float(vicreg(x, x).loss) == 0.0


def test_a_dimension_said_twice_costs_its_covariance() -> None:
    x = torch.tensor([[1.0, 1.0], [-1.0, -1.0], [1.0, 1.0], [-1.0, -1.0]])  # variances and covariance 4 / 3
    assert float(vicreg(x, x).loss) == pytest.approx(2 * 2 * (4 / 3) ** 2 / 2, rel=1e-5)


def test_the_gradient_is_that_of_torchs_own_covariance() -> None:
    ours, theirs = (0.5 * rows(3, 7, 5) for _ in "ab")
    y = rows(4, 7, 5)
    ours.requires_grad_()
    theirs.requires_grad_()
    vicreg(ours, y).loss.backward()
    loss = 25 * torch.nn.functional.mse_loss(theirs.double(), y.double())
    for view in (theirs.double(), y.double()):
        matrix = torch.cov(view.T)
        loss = loss + 25 * torch.relu(1 - torch.sqrt(matrix.diagonal() + 1e-4)).mean()
        loss = loss + matrix.square().sum() / 5 - matrix.diagonal().square().sum() / 5
    loss.backward()
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-5, rtol=1e-4)


def test_autocast_does_not_coarsen_it() -> None:
    x, y = rows(0, 64, 32).bfloat16(), rows(1, 64, 32).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = vicreg(x, y)
    assert torch.equal(found.loss, vicreg(x.float(), y.float()).loss)


def test_one_pair_has_no_variance() -> None:
    with pytest.raises(ConfigError, match="at least 2 pairs, not 1"):
        vicreg(torch.ones(1, 3), torch.ones(1, 3))
