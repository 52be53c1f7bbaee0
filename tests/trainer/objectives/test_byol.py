"""BYOL: its regression against plain numbers, its target against the recursion of the paper."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from trainer.objectives.byol import Byol, regression, tau_at
from trainer.objectives.objective import Views
from trainer.objectives.projector import projector


def rows(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def slow(prediction: Tensor, target: Tensor) -> float:
    """Equation 1: the squared distance of the normalised vectors, row by row, in float64."""
    total = 0.0
    for p, z in zip(prediction.double().tolist(), target.double().tolist(), strict=True):
        lengths = [math.sqrt(sum(value * value for value in row)) for row in (p, z)]
        total += sum((q / lengths[0] - w / lengths[1]) ** 2 for q, w in zip(p, z, strict=True))
    return total / len(prediction)


def test_the_regression_is_the_slow_sum() -> None:
    prediction, target = rows(0, 6, 5), rows(1, 6, 5)
    assert float(regression(prediction, target)) == pytest.approx(slow(prediction, target), abs=1e-5)


@pytest.mark.parametrize(("factor", "loss"), [(3.0, 0.0), (-0.5, 4.0)])
def test_what_counts_is_the_direction(factor: float, loss: float) -> None:
    x = rows(0, 6, 5)
    assert float(regression(x, factor * x)) == pytest.approx(loss, abs=1e-5)


@pytest.fixture
def encoder() -> nn.Module:
    layer = nn.Linear(3, 4)
    with torch.no_grad():
        layer.weight.copy_(rows(0, 4, 3))
        layer.bias.copy_(rows(1, 4))
    return layer


def byol(encoder: nn.Module, tau: float = 0.9) -> Byol:
    return Byol(encoder, nn.Linear(4, 2), nn.Linear(2, 2), tau)


def views(encoder: nn.Module) -> Views:
    a, b = rows(2, 5, 3), rows(3, 5, 3)
    return Views(a, b, encoder(a), encoder(b), torch.zeros(5, 2, 1))


def test_each_view_predicts_what_the_target_says_of_the_other(encoder: nn.Module) -> None:
    objective = byol(encoder)
    with torch.no_grad():
        objective.target_encoder.weight.copy_(rows(9, 4, 3))  # no longer what is trained
    seen = views(encoder)
    of_a, of_b = (objective.target_projector(objective.target_encoder(picture)) for picture in (seen.a, seen.b))
    from_a, from_b = (objective.predictor(objective.projector(encoder(picture))) for picture in (seen.a, seen.b))
    expected = slow(from_a.detach(), of_b.detach()) + slow(from_b.detach(), of_a.detach())
    assert float(objective(seen)["loss"].detach()) == pytest.approx(expected, abs=1e-5)


def test_no_gradient_reaches_the_target(encoder: nn.Module) -> None:
    objective = byol(encoder)
    objective(views(encoder))["loss"].backward()
    trained = {name for name, parameter in objective.named_parameters() if parameter.grad is not None}
    assert trained == {f"{part}.{name}" for part in ("projector", "predictor") for name in ("weight", "bias")}
    assert encoder.weight.grad is not None


def test_the_target_follows_by_the_papers_recursion(encoder: nn.Module) -> None:
    objective = byol(encoder, tau=0.9)
    steps = 4
    expected = {name: value.double().clone() for name, value in encoder.named_parameters()}
    for step in range(1, steps + 1):
        with torch.no_grad():
            for parameter in encoder.parameters():
                parameter.add_(0.5)
        objective.after_step(encoder, step / steps)
        tau = 1 - (1 - 0.9) * (math.cos(math.pi * step / steps) + 1) / 2
        for name, value in encoder.named_parameters():
            expected[name] = tau * expected[name] + (1 - tau) * value.double()
    for name, value in objective.target_encoder.named_parameters():
        torch.testing.assert_close(value.double(), expected[name], atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(("done", "tau"), [(0.0, 0.9), (0.5, 0.95), (1.0, 1.0)])
def test_the_target_slows_down_to_a_stop(done: float, tau: float) -> None:
    assert tau_at(0.9, done) == pytest.approx(tau)


def test_a_target_without_a_projector_is_an_encoder(encoder: nn.Module) -> None:
    objective = Byol(encoder, projector(4, ()), projector(4, (8, 4)), 0.9)
    objective.after_step(encoder, 0.5)
    assert objective(views(encoder))["loss"].requires_grad
