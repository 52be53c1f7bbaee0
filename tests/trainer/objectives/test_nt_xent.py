"""NT-Xent against the paper's double sum, closed forms, and the dense matrix."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from pairstream.errors import ConfigError
from trainer.objectives.nt_xent import nt_xent


def rows(seed: int, count: int, size: int) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


def slow(x: Tensor, y: Tensor, temperature: float) -> float:
    """Equation 1 for every ordered pair (i, j), in float64: views of pair k are samples 2k and 2k + 1."""
    samples = [view for pair in zip(x.double(), y.double(), strict=True) for view in pair]

    def similar(i: int, k: int) -> float:
        return float(samples[i] @ samples[k] / (samples[i].norm() * samples[k].norm()))

    def loss(i: int, j: int) -> float:
        others = [math.exp(similar(i, k) / temperature) for k in range(len(samples)) if k != i]
        return -math.log(math.exp(similar(i, j) / temperature) / sum(others))

    pairs = [(2 * k, 2 * k + 1) for k in range(len(x))]
    return sum(loss(i, j) + loss(j, i) for i, j in pairs) / len(samples)


def dense(x: Tensor, y: Tensor, temperature: float) -> Tensor:
    """The same with the whole matrix, for its gradient."""
    z = torch.nn.functional.normalize(torch.cat([x, y]), dim=1)
    logits = z @ z.T / temperature
    logits = logits.masked_fill(torch.eye(len(z), dtype=torch.bool), -torch.inf)
    return torch.nn.functional.cross_entropy(logits, torch.arange(len(z)).roll(len(x)))


@given(
    seed=st.integers(0, 1000),
    count=st.integers(2, 8),
    size=st.integers(1, 12),
    temperature=st.sampled_from([0.1, 0.5, 2.0]),
    held=st.integers(1, 20),
)
def test_it_is_the_slow_sum(seed: int, count: int, size: int, temperature: float, held: int) -> None:
    x, y = rows(seed, count, size), rows(seed + 1, count, size)
    found = nt_xent(x, y, temperature=temperature, rows=held)
    assert float(found.loss) == pytest.approx(slow(x, y, temperature), abs=1e-4)


@pytest.mark.parametrize("count", [2, 5])
def test_if_all_sounds_are_one_a_guess_among_the_others_is_all_there_is(count: int) -> None:
    same = torch.ones(count, 3)
    assert float(nt_xent(same, same).loss) == pytest.approx(math.log(2 * count - 1), abs=1e-5)


def test_orthogonal_pairs_leave_the_others_e_to_the_minus_one_over_t() -> None:
    unit = torch.eye(4)
    expected = math.log(1 + 6 * math.exp(-1 / 0.5))
    assert float(nt_xent(unit, 7 * unit, temperature=0.5).loss) == pytest.approx(expected, abs=1e-6)
    assert float(nt_xent(unit, unit).cosine) == pytest.approx(1.0)


@pytest.mark.parametrize("held", [1, 5, 16, 100])
def test_the_gradient_is_that_of_the_whole_matrix(held: int) -> None:
    views = [rows(seed, 8, 5) for seed in (0, 1)]
    ours, theirs = ([view.clone().requires_grad_() for view in views] for _ in range(2))
    nt_xent(*ours, temperature=0.2, rows=held).loss.backward()
    dense(*(view.double() for view in theirs), temperature=0.2).backward()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, other.grad, atol=1e-6, rtol=1e-4)


class Largest(TorchDispatchMode):
    """Notes the most numbers that any result had."""

    numbers = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            self.numbers = max(self.numbers, result.numel())
        return result


def test_memory_is_linear_in_the_batch() -> None:
    x, y = (rows(seed, 512, 8).requires_grad_() for seed in (0, 1))
    with Largest() as largest:
        nt_xent(x, y, rows=16).loss.backward()
    assert largest.numbers == 16 * 1024, "16 rows at a time, not 1024"


def test_autocast_does_not_coarsen_it() -> None:
    x, y = rows(0, 64, 512).bfloat16(), rows(1, 64, 512).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = nt_xent(x, y)
    assert found.loss.dtype == torch.float32
    assert torch.equal(found.loss, nt_xent(x.float(), y.float()).loss)


def test_one_pair_has_nothing_to_be_told_from() -> None:
    with pytest.raises(ConfigError, match="at least 2 pairs, not 1"):
        nt_xent(torch.ones(1, 3), torch.ones(1, 3))
