"""Alignment and uniformity against closed forms and a slow oracle."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pairstream.errors import ConfigError
from trainer.objectives.alignment_uniformity import alignment_uniformity


def rows(seed: int, count: int, size: int) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


def slow(x: Tensor, y: Tensor) -> tuple[float, float]:
    """Alignment and uniformity, pair by pair, in float64."""
    a, b = ([row / row.norm() for row in view.double()] for view in (x, y))
    aligned = sum(float((p - q).norm()) ** 2 for p, q in zip(a, b, strict=True)) / len(a)

    def spread(view: list[Tensor]) -> float:
        kernel = [math.exp(-2 * float((p - q).norm()) ** 2) for i, p in enumerate(view) for q in view[:i]]
        return math.log(sum(kernel) / len(kernel))

    return aligned, (spread(a) + spread(b)) / 2


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), count=st.integers(2, 9), size=st.integers(1, 12))
def test_it_is_the_slow_sum(seed: int, count: int, size: int) -> None:
    x, y = rows(seed, count, size), rows(seed + 1, count, size)
    terms = alignment_uniformity(x, y)
    aligned, spread = slow(x, y)
    assert float(terms.alignment) == pytest.approx(aligned, abs=1e-5)
    assert float(terms.uniformity) == pytest.approx(spread, abs=1e-5)
    assert float(terms.loss) == pytest.approx(aligned + spread, abs=1e-5)


@pytest.mark.parametrize(
    ("x", "y", "alignment", "uniformity"),
    [
        pytest.param([[3.0, 0.0], [3.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]], 0.0, 0.0, id="all sounds are one"),
        pytest.param([[1.0, 0.0], [-1.0, 0.0]], [[1.0, 0.0], [-1.0, 0.0]], 0.0, -8.0, id="two at the poles"),
        pytest.param([[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]], 2.0, -4.0, id="orthogonal, and swapped"),
        pytest.param([[1.0, 0.0], [0.0, 1.0]], [[-9.0, 0.0], [0.0, -9.0]], 4.0, -4.0, id="opposite views"),
    ],
)
def test_closed_forms(x: list[list[float]], y: list[list[float]], alignment: float, uniformity: float) -> None:
    terms = alignment_uniformity(torch.tensor(x), torch.tensor(y))
    assert float(terms.alignment) == pytest.approx(alignment, abs=1e-6)
    assert float(terms.uniformity) == pytest.approx(uniformity, abs=1e-6)


def test_the_length_of_an_embedding_does_not_matter() -> None:
    x, y = rows(0, 8, 4), rows(1, 8, 4)
    torch.testing.assert_close(alignment_uniformity(x, y), alignment_uniformity(100 * x, 0.01 * y))


def test_the_gradient_is_that_of_the_paper_s_expression() -> None:
    ours, theirs = (rows(3, 7, 5).double().requires_grad_() for _ in "ab")
    y = rows(4, 7, 5).double()
    alignment_uniformity(ours, y).loss.backward()
    unit, other = torch.nn.functional.normalize(theirs, dim=1), torch.nn.functional.normalize(y, dim=1)
    spread = [torch.pdist(view).square().mul(-2).exp().mean().log() for view in (unit, other)]
    ((unit - other).norm(dim=1).square().mean() + sum(spread) / 2).backward()
    assert ours.grad is not None
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-5, rtol=1e-4)


def test_the_gradient_is_finite_where_sounds_coincide() -> None:
    x = torch.ones(4, 3, requires_grad=True)
    alignment_uniformity(x, x.detach()).loss.backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_autocast_does_not_coarsen_it() -> None:
    x, y = rows(0, 64, 512).bfloat16(), rows(1, 64, 512).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        terms = alignment_uniformity(x, y)
    assert terms.loss.dtype == torch.float32
    assert torch.equal(terms.loss, alignment_uniformity(x.float(), y.float()).loss)


def test_one_pair_has_nothing_to_be_spread_from() -> None:
    with pytest.raises(ConfigError, match="at least 2 pairs, not 1"):
        alignment_uniformity(torch.ones(1, 3), torch.ones(1, 3))
